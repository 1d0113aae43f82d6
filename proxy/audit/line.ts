// Owns the bytes of one record: canonical JSON with the log's own members, its time among them, within the length limit. It
// does not know where lines are kept; an index and the hash of the line before are given to it.
import { canonicalise, canonicalString } from '../lib/canonical.ts'
import { Fault } from '../errors.ts'
import type { RecordFields, RecordKind, RecordValue } from './record.ts'

/** Without the LF: the length of a C2SP tlog-tiles entry is a uint16. */
export const lineBytesMax = 65_535

/** `prev` of the very first line: 32 zero bytes, where every other line has the leaf hash of the line before. */
export const firstPrev = Buffer.alloc(32).toString('base64')

/** A record that waits for its place: what stands before `i`, between `i` and `prev`, and behind, each as an object. */
export type Draft = {
  readonly head: string
  readonly middle: string
  readonly tail: string
  /** The most that the line can have. */
  readonly bytes: number
  readonly time: string
}

// What render() adds for an index of 16 digits and a `prev` of 44 characters, less the braces that it drops.
const placeBytes = '"i":,,"prev":"",'.length + 16 + 44 - 4
const memberBytesMax = 512
/** Names of the log's own members. */
const own = ['i', 'kind', 'prev', 't'] as const
const reserved = new Set<string>(own)

/**
 * The record as it is now: later changes to `fields` do not reach the log. What cannot be written as it is (too long,
 * lone surrogates, not JSON) is cut down and marked `cut: true`, never lost. Reserved keys are a mistake of the caller.
 */
export function draft(kind: RecordKind, fields: RecordFields, time: string): Draft {
  const layout = layoutOf(kind, Object.keys(fields))
  try {
    const whole = assemble(layout, kind, fields, time)
    if (whole.bytes <= lineBytesMax) return whole
  } catch {
    // No canonical form: written cut.
  }
  const cut = cutDown(fields)
  return assemble(layOut(Object.keys(cut)), kind, cut, time)
}

export function render(line: Draft, index: number, prev: string): string {
  const { head, middle, tail } = line
  // `kind` always stands before `prev`, and `t` behind it.
  return `${head.slice(0, -1)}${comma(head)}"i":${index},${middle.slice(1, -1)},"prev":"${prev}",${tail.slice(1)}`
}

/** Before `i` there may be nothing. */
function comma(head: string): string {
  return head === '{}' ? '' : ','
}

/** The names of a record in order: before `i`, between `i` and `prev`, after `prev`. */
type Layout = { readonly head: readonly string[]; readonly middle: readonly string[]; readonly tail: readonly string[] }

/** For each kind the names of the last record, as they were given, and its layout: most records are alike. */
const seen = new Map<RecordKind, { readonly given: readonly string[]; readonly layout: Layout }>()

function layoutOf(kind: RecordKind, given: readonly string[]): Layout {
  const last = seen.get(kind)
  if (last?.given.length === given.length && last.given.every((key, at) => key === given[at])) return last.layout
  const taken = given.find((key) => reserved.has(key))
  if (taken !== undefined)
    throw new Fault('internal', undefined, { cause: new Error(`audit field "${taken}" is reserved`) })
  const layout = layOut(given)
  seen.set(kind, { given, layout })
  return layout
}

function layOut(given: readonly string[]): Layout {
  const names = [...given, ...own].sort()
  const [index, prev] = [names.indexOf('i'), names.indexOf('prev')]
  return { head: names.slice(0, index), middle: names.slice(index + 1, prev), tail: names.slice(prev + 1) }
}

/** Three objects, each written in one piece: a member at a time takes twice as long and leaves a string for each. */
function assemble(layout: Layout, kind: RecordKind, fields: RecordFields, time: string): Draft {
  const head = canonicalise(part(layout.head, kind, fields, time))
  const middle = canonicalise(part(layout.middle, kind, fields, time))
  const tail = canonicalise(part(layout.tail, kind, fields, time))
  const bytes =
    Buffer.byteLength(head) + Buffer.byteLength(middle) + Buffer.byteLength(tail) + placeBytes + comma(head).length
  return { head, middle, tail, bytes, time }
}

function part(names: readonly string[], kind: RecordKind, fields: RecordFields, time: string): RecordFields {
  const members: Record<string, RecordValue> = {}
  for (const name of names) {
    const value = name === 'kind' ? kind : name === 't' ? time : fields[name]
    if (value === undefined) continue
    // Assigned, it would be no member.
    if (name === '__proto__') Object.defineProperty(members, name, { value, enumerable: true })
    else members[name] = value
  }
  return members
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

let second = 0
let secondText = ''

/** RFC 3339 in UTC with milliseconds; thousands of records share the second. */
export function isoTime(nowMs: number): string {
  const ms = nowMs % 1000
  if (nowMs - ms !== second) {
    second = nowMs - ms
    secondText = new Date(second).toISOString().slice(0, -'000Z'.length)
  }
  return `${secondText}${String(ms).padStart(3, '0')}Z`
}
