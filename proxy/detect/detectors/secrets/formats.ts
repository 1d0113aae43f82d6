// Owns how a row of a table of formats becomes a detector, and the alphabets that rows are written with. One row is one
// format: its entity (vendor first, at most 21 characters: tokens carry it), what it is known by, its body and lengths, and
// the document that describes it.
import type { Detector } from '../../detector.ts'
import { anchoredKey, labelledKey, prefixedKey, type Form } from '../../key-shapes.ts'
import type { Counts } from '../../tally.ts'

export const digits = '0-9'
export const hex = '0-9a-f'
export const hexAnyCase = '0-9A-Fa-f'
export const lower = 'a-z0-9'
export const alnum = 'A-Za-z0-9'
export const word = 'A-Za-z0-9_'
/** A dash between two ranges is itself, so characters may be put before and after. */
export const url = 'A-Z-a-z0-9_'
export const dotted = `.${url}`
export const base64 = 'A-Za-z0-9+/='
export const uuidBody = '0-9A-Fa-f-'

/** Of uuids the whole, of other bodies what tells them from random text of the same length. */
export const uuid = /^[0-9A-Fa-f]{8}-(?:[0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$/
export const anything = /^/
/** What random text of letters and digits has. A form begins with `^`, or else it may be tried at every character. */
export const mixed = counted(
  /^(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)/,
  ({ digits, capitals, letters }) => digits > 0 && capitals > 0 && letters > capitals,
)
export const digitAndCapital = counted(
  /^(?=\D*\d)(?=[^A-Z]*[A-Z])/,
  ({ digits, capitals }) => digits > 0 && capitals > 0,
)

/** Not in the pattern itself, for patterns with members of their own are tried more slowly. */
function counted(pattern: RegExp, isMetBy: (counts: Counts) => boolean): Form {
  return { source: pattern.source, test: (value) => pattern.test(value), isMetBy }
}

/** Prefixes or labels have a space between; `~` stands for a space in a label. The form is that of the body. */
export type Row = readonly [
  entity: string,
  knownBy: string,
  body: string,
  lengths: readonly [min: number, max: number],
  source: string,
  form?: Form,
]

export function prefixed(rows: readonly Row[]): readonly Detector[] {
  return rows.map(([entity, prefixes, body, lengths, , form]) =>
    prefixedKey(entity, prefixes.split(' '), { body, lengths, form }),
  )
}

export function labelled(rows: readonly Row[]): readonly Detector[] {
  return rows.map(([entity, labels, body, lengths, , form]) =>
    labelledKey(entity, labels.split(' ').map(withSpaces), { body, lengths, form }),
  )
}

export type AnchoredRow = readonly [
  entity: string,
  anchor: string,
  before: readonly [body: string, min: number, max: number],
  after: readonly [body: string, min: number, max: number],
  source: string,
  form?: Form,
]

export function anchored(rows: readonly AnchoredRow[]): readonly Detector[] {
  return rows.map(([entity, anchor, [bodyBefore, beforeMin, beforeMax], [body, min, max], , form]) =>
    anchoredKey(entity, anchor, {
      before: { body: bodyBefore, lengths: [beforeMin, beforeMax] },
      after: { body, lengths: [min, max], form },
    }),
  )
}

function withSpaces(label: string): string {
  return label.replaceAll('~', ' ')
}
