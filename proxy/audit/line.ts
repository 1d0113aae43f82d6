// Owns the bytes of one record: canonical JSON with the log's own members, within the length limit. It does not know
// where lines are kept; an index and the hash of the line before are given to it.
import { canonicalise, canonicalString } from '../lib/canonical.ts'
import { Fault } from '../errors.ts'
import type { RecordFields, RecordKind, RecordValue } from './record.ts'

/** Without the LF: the length of a C2SP tlog-tiles entry is a uint16. */
export const lineBytesMax = 65_535

/** `prev` of the very first line: 32 zero bytes, where every other line has the leaf hash of the line before. */
export const firstPrev = Buffer.alloc(32).toString('base64')

/** A record that waits for its place: the canonical line cut open where `i` and `prev` go. */
export type Draft = {
  readonly head: string
  readonly middle: string
  readonly tail: string
  /** The most that the line can have. */
  readonly bytes: number
  readonly time: string
}

// The digits of the largest index and the 44 characters of `prev`.
const placeBytes = 16 + 44
const memberBytesMax = 512
const reserved = new Set(['i', 'kind', 'prev', 't'])

/**
 * The record as it is now: later changes to `fields` do not reach the log. What cannot be written as it is (too long,
 * lone surrogates, not JSON) is cut down and marked `cut: true`, never lost. Reserved keys are a mistake of the caller.
 */
export function draft(kind: RecordKind, fields: RecordFields, time: string): Draft {
  const members = membersOf(kind, Object.keys(fields))
  try {
    const whole = assemble(members, kind, fields, time)
    if (whole.bytes <= lineBytesMax) return whole
  } catch {
    // No canonical form: written cut.
  }
  const cut = cutDown(fields)
  return assemble(sorted(Object.keys(cut)), kind, cut, time)
}

export function render(line: Draft, index: number, prev: string): string {
  return line.head + String(index) + line.middle + prev + line.tail
}

/** A member of a record and how its name is written, behind a comma. */
type Member = { readonly key: string; readonly name: string }

/** For each kind the keys of the last record, as they were given, and its members in order: most records are alike. */
const seen = new Map<RecordKind, { readonly given: readonly string[]; readonly members: readonly Member[] }>()

function membersOf(kind: RecordKind, given: readonly string[]): readonly Member[] {
  const last = seen.get(kind)
  if (last?.given.length === given.length && last.given.every((key, at) => key === given[at])) return last.members
  const taken = given.find((key) => reserved.has(key))
  if (taken !== undefined)
    throw new Fault('internal', undefined, { cause: new Error(`audit field "${taken}" is reserved`) })
  const members = sorted(given)
  seen.set(kind, { given, members })
  return members
}

function sorted(keys: readonly string[]): Member[] {
  // A name with a lone surrogate has no canonical form; it fails where the record is put together.
  return [...keys, ...reserved]
    .sort()
    .map((key) => ({ key, name: key.isWellFormed() ? `,${canonicalString(key)}:` : '' }))
}

function assemble(members: readonly Member[], kind: RecordKind, fields: RecordFields, time: string): Draft {
  const parts = ['', '', ''] as [string, string, string]
  let part: 0 | 1 | 2 = 0
  for (const { key, name } of members) {
    if (key === 'i') {
      parts[part] += name
      part = 1
    } else if (key === 'prev') {
      parts[part] += `${name}"`
      part = 2
      parts[part] = '"'
    } else if (key === 'kind') parts[part] += `${name}"${kind}"`
    else if (key === 't') parts[part] += `${name}"${time}"`
    else {
      const value = fields[key]
      if (value === undefined) continue
      parts[part] += (name === '' ? `,${canonicalString(key)}:` : name) + canonicalise(value)
    }
  }
  // Whatever comes first has no comma before it.
  const [head, middle, tail] = [`{${parts[0].slice(1)}`, parts[1], `${parts[2]}}`]
  const bytes = Buffer.byteLength(head) + Buffer.byteLength(middle) + Buffer.byteLength(tail) + placeBytes
  return { head, middle, tail, bytes, time }
}

/** Keeps `request` and what is short, shortens strings, drops what is long and structured. */
function cutDown(fields: RecordFields): RecordFields {
  // Without a prototype, so that a field may have any name.
  const kept = Object.create(null) as Record<string, RecordValue>
  kept['cut'] = true
  let bytes = 0
  const keys = Object.keys(fields).sort((a, b) => Number(b === 'request') - Number(a === 'request'))
  for (const key of keys) {
    const value = shorten(fields[key])
    const name = key.toWellFormed().slice(0, memberBytesMax)
    if (value === undefined || reserved.has(name)) continue
    const memberBytes = Buffer.byteLength(canonicalString(name.toWellFormed()) + canonicalise(value)) + 2
    if (bytes + memberBytes > lineBytesMax / 2) continue
    bytes += memberBytes
    kept[name.toWellFormed()] = value
  }
  return kept
}

function shorten(value: unknown): RecordValue | undefined {
  if (typeof value === 'string') return value.slice(0, memberBytesMax).toWellFormed()
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === null || typeof value === 'boolean') return value
  if (typeof value !== 'object') return undefined
  try {
    return canonicalise(value).length <= memberBytesMax ? (value as RecordValue) : undefined
  } catch {
    return undefined
  }
}
