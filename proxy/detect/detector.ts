// Owns the shape of a detector: what wakes it and how it is asked. One detector finds one entity.
import type { CharacterClass } from './characters.ts'
import type { ContextWords } from './context-words.ts'
import type { EntityGroup } from './finding.ts'
import type { Probe } from './probe.ts'

/**
 * A detector is woken by a literal (`triggers`) or by the first digit of a run of digits, then verifies in a bounded
 * neighbourhood. Bounds that make streams exact: it looks at most `contextBefore` units left of its value, reads to the
 * right only through the probe, and reads no more than a fixed number of units.
 */
export type Detector = {
  readonly entity: string
  readonly group: EntityGroup
  /** The pack that it belongs to, as in `pii:de`: ISO 3166 alpha-2 in lower case, and `uk`. */
  readonly country?: string
  /** Only its pack asks for it, not `pii`: in texts of other countries it would cry wolf. */
  readonly isOptIn?: true
  /** ASCII literals, found regardless of case unless it counts. */
  readonly triggers?: readonly string[]
  readonly isCaseSensitive?: true
  /** Only triggers that begin a word wake it, as `startsWord` has it. */
  readonly isAtWordStart?: true
  /** Only triggers that begin a word wake it, or stand behind an underscore, as `startsValue` has it. */
  readonly isAtValueStart?: true
  /** Only triggers that begin a word, or a later word of an identifier, wake it, as `startsPart` has it. */
  readonly isAtPartStart?: true
  /** What must stand right after the trigger, or nothing can be found. */
  readonly next?: CharacterClass
  /** The unit that the trigger ends with must stand again so many units further, unless the text ends before. */
  readonly recursAfter?: number
  /**
   * `number`: digits that follow no letter, nor a digit with one of `-./` between; asked in the order of the
   * table until one accepts. `code`: digits that follow a letter. Whether they may be in an identifier, the detector says.
   */
  readonly digits?: 'number' | 'code'
  /** Of detectors of numbers: fewer digits are no number of theirs. Absent: `numberDigitsMin`. */
  readonly digitsMin?: number
  /** Of detectors of numbers: how many digits may stand together first. Absent: any number. */
  readonly firstLengths?: readonly number[]
  /** Of detectors of numbers: the digits that one may begin with. Absent: any. */
  readonly initials?: string
  /** Of detectors of codes: how many letters stand right before the digits at least. Absent: one. */
  readonly lettersMin?: number
  /** Words that are listened for on its behalf. */
  readonly contexts?: readonly ContextWords[]
  /** `start` and `end` are those of the trigger, or of the first digits. For numbers, `probe.number` has been read. */
  readonly find: (probe: Probe, start: number, end: number) => void
  /** Asked once for each text instead of being woken: it goes over `probe.text` from `from` on, in linear time. */
  sweep?(probe: Probe, from: number): void
  /** For values that start left of their trigger: where one may start whose trigger has not come yet. The text ends at `end`. */
  tailStart?(units: Uint16Array, end: number): number
}

export const numberDigitsMin = 7
