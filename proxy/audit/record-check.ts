// Owns what makes one line a good record in its place: length, encoding, canonical form, the log's own members, and the
// link to the line before. Shared by start-up and by verification; it knows nothing of checkpoints.
import { isUtf8 } from 'node:buffer'
import { canonicalise } from '../lib/canonical.ts'
import { firstPrev, lineBytesMax } from './line.ts'
import { leafHashAt } from './tree.ts'

export type LineCheck = 'length' | 'utf8' | 'json' | 'canonical' | 'schema' | 'index' | 'prev'

/** `index` is the record that is bad, which for a broken link may be the one before. */
export type Flaw = { readonly check: LineCheck; readonly index: number; readonly message: string }

export type ParsedRecord = {
  readonly i: number
  readonly kind: string
  readonly t: string
  readonly prev: string
  readonly [key: string]: unknown
}

export type CheckedLine = { readonly record: ParsedRecord; readonly leaf: Buffer } | { readonly flaw: Flaw }

/** Where a line must stand: its index, and the leaf hash of the line before (undefined for the first). */
export type Place = { readonly index: number; readonly last: Buffer | undefined }

/** The line without its LF; `bytes` needs one byte before `start` (see `leafHashAt`). */
export function checkLine(bytes: Buffer, start: number, end: number, place: Place): CheckedLine {
  const { index } = place
  const flaw = (check: LineCheck, message: string): CheckedLine => ({ flaw: { check, index, message } })
  if (end - start > lineBytesMax) return { flaw: lengthFlaw(index, end - start) }
  if (!isUtf8(bytes.subarray(start, end))) return flaw('utf8', 'the line is not UTF-8')
  const text = bytes.toString('utf8', start, end)
  const value = parse(text)
  if (value === undefined) return flaw('json', 'the line is not a JSON object')
  if (!isCanonical(text, value)) return flaw('canonical', 'the line is not in canonical form (RFC 8785)')
  const expected = place.last?.toString('base64') ?? firstPrev
  const problem = schemaProblem(value, expected)
  if (problem !== undefined) return flaw('schema', problem)
  const record = value as ParsedRecord
  if (record.i !== index) return flaw('index', `record ${index} should stand here; found ${record.i}`)
  const broken = record.prev === expected ? undefined : brokenLink(record, place)
  return broken === undefined ? { record, leaf: leafHashAt(bytes, start, end) } : { flaw: broken }
}

export function lengthFlaw(index: number, bytes: number): Flaw {
  return { check: 'length', index, message: `the line has ${bytes} bytes; ${lineBytesMax} is the most` }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Printing in the order of the source is cheap, and then only the order of keys is left to look at. */
function isCanonical(text: string, value: Record<string, unknown>): boolean {
  try {
    if (JSON.stringify(value) === text && !text.includes('\\ud') && isSorted(value)) return true
    return canonicalise(value) === text
  } catch {
    // What has no canonical form, or is nested more deeply than any record that could be written.
    return false
  }
}

function isSorted(value: object): boolean {
  if (Array.isArray(value))
    return value.every((item: unknown) => typeof item !== 'object' || item === null || isSorted(item))
  let before = ''
  let isFirst = true
  for (const key of Object.keys(value)) {
    if (!isFirst && before >= key) return false
    const member = (value as Record<string, unknown>)[key]
    if (typeof member === 'object' && member !== null && !isSorted(member)) return false
    before = key
    isFirst = false
  }
  return true
}

const timeRegExp =
  /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{3,6}Z$/
// 32 bytes in strict base64: the two bits that are left over in the last character are zero.
const hashRegExp = /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/
const kindRegExp = /^[a-z][a-z-]{0,31}$/

function schemaProblem({ i, kind, t, prev }: Record<string, unknown>, expected: string): string | undefined {
  if (!Number.isSafeInteger(i) || (i as number) < 0) return '"i" is not an index'
  if (typeof kind !== 'string' || !kindRegExp.test(kind)) return '"kind" is not the name of a kind'
  if (typeof t !== 'string' || !timeRegExp.test(t)) return '"t" is not an RFC 3339 time in UTC'
  // Nearly always it is the expected one, and then nothing more is to be said of its form.
  if (prev !== expected && (typeof prev !== 'string' || !hashRegExp.test(prev))) return '"prev" is not a hash in base64'
  return undefined
}

/**
 * A hash that differs in a few bits was itself touched; two different lines have hashes that differ in about half of
 * their 256 bits, so then it is the line before that is no longer what it was.
 */
function brokenLink({ prev }: ParsedRecord, { index, last }: Place): Flaw {
  const touched = last === undefined || differingBits(Buffer.from(prev, 'base64'), last) < 64
  if (touched) return { check: 'prev', index, message: `the link in record ${index} was changed` }
  const message = `record ${index - 1} is not the one that record ${index} was chained to: it was changed (or the link after it was)`
  return { check: 'prev', index: index - 1, message }
}

function differingBits(a: Buffer, b: Buffer): number {
  let bits = 0
  for (const [position, byte] of a.entries()) {
    for (let rest = byte ^ (b[position] ?? 0); rest > 0; rest >>= 1) bits += rest & 1
  }
  return bits
}
