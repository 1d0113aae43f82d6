// Owns remembering what names in a text say, where they stand again: thousands of values may have the same few names, and
// comparing units is quicker than making a text of each. It does not know what a name says.
import type { Probe } from '../../probe.ts'
import { isPlural, type SecretKind, type secretKind } from './secret-name.ts'

/** Of the name, with all that is around its word. */
export type Name = {
  readonly kind: SecretKind | undefined
  readonly isPlural: boolean
  /** `PASSWORD`, whatever stands before. */
  readonly isCapital: boolean
  /** `--password` */
  readonly isFlag: boolean
}

/** Where a name stands: what comes before its word, the word, and what comes after, as `secretKind` has them. */
export type NamePlace = {
  from: number
  labelStart: number
  labelEnd: number
  to: number
  /** What comes before is a word of its own. */
  isSpaced: boolean
}

type Met = NamePlace & { text: number; kindOf: typeof secretKind | undefined; name: Name }

const none: Name = { kind: undefined, isPlural: false, isCapital: false, isFlag: false }
const slotBits = 4
/** One for each of what `slotOf` tells apart. */
const slots: readonly Met[] = Array.from({ length: 1 << slotBits }, () => ({
  from: 0,
  labelStart: 0,
  labelEnd: 0,
  to: 0,
  isSpaced: false,
  text: 0,
  kindOf: undefined,
  name: none,
}))

export function nameAt(probe: Probe, place: NamePlace, kindOf: typeof secretKind): Name {
  const { from, labelStart, labelEnd, to, isSpaced } = place
  const met = slots[slotOf(place, probe.units[from] as number)] as Met
  if (met.kindOf === kindOf && met.text === probe.textNumber && isSame(probe.units, met, place)) return met.name
  const { text } = probe
  const before = text.slice(from, isSpaced ? labelStart - 1 : labelStart)
  const label = text.slice(labelStart, labelEnd)
  const after = text.slice(labelEnd, to)
  met.name = {
    kind: isSpaced ? kindOf('', label, after, before) : kindOf(before, label, after, ''),
    isPlural: isPlural(label + after),
    isCapital: label === label.toUpperCase(),
    isFlag: !isSpaced && before.startsWith('--'),
  }
  met.from = from
  met.labelStart = labelStart
  met.labelEnd = labelEnd
  met.to = to
  met.isSpaced = isSpaced
  met.text = probe.textNumber
  met.kindOf = kindOf
  return met.name
}

/** Some words begin like others (`pw`, `pwd`), so one name may be asked about by both. */
function slotOf({ from, labelStart, labelEnd, to }: NamePlace, first: number): number {
  return (to - from + 3 * (labelStart - from) + 5 * (labelEnd - labelStart) + first) & ((1 << slotBits) - 1)
}

function isSame(units: Uint16Array, met: Met, place: NamePlace): boolean {
  const by = place.from - met.from
  if (met.to + by !== place.to || met.labelStart + by !== place.labelStart || met.labelEnd + by !== place.labelEnd)
    return false
  if (met.isSpaced !== place.isSpaced) return false
  for (let at = met.from; at < met.to; at++) if (units[at] !== units[at + by]) return false
  return true
}
