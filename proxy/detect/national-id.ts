// Owns how the numbers that states give to people are found: forms, a check, and the words beside those whose check
// alone proves little. One call makes the detectors of one kind of number; what its forms and check are, the country's
// file says.
import { alphanumerics, characterClass, holds, isDigit, isLetter } from './characters.ts'
import { endsWord, isInIdentifier, startsValue } from './boundary.ts'
import type { Detector } from './detector.ts'
import type { NumberRun } from './number-run.ts'
import type { Probe } from './probe.ts'
import { contextPattern } from './word-places.ts'

/**
 * When the form and the check suffice. `always`: they prove it. `grouped`: written in groups they do, in one run a word
 * must say so. `word`: a word must always say so. A text that is nothing but the number needs no word.
 */
export type Sureness = 'always' | 'grouped' | 'word'

type Kind = {
  readonly entity: string
  readonly country: string
  /** Absent: only the pack has it. */
  readonly isInPii?: true
  readonly sureness: Sureness
  /** Alternatives as `contextPattern` has them, before or shortly after the number. */
  readonly words?: string
}

export type NumberKind = Kind & {
  /** The digits that it may begin with; absent: any. */
  readonly initials?: string
  /** How many digits stand together, and what between: `3 3 3`, `6-4`, `11`. A space is any kind of space. */
  readonly forms: readonly string[]
  readonly valid: (digits: string) => boolean
}

export type CodeKind = Kind & {
  /** Matches at the start of the value, regardless of case. */
  readonly pattern: RegExp
  /** How many letters the value begins with at most, and whether a space, dash or dot may follow them. */
  readonly letters: 0 | 1 | 2 | 3 | 4 | 5 | 6
  readonly spaced?: true
  /** Of values that begin with digits: how many there are before anything else. */
  readonly leading?: readonly number[]
  /** Beside its word, or alone, the form suffices: what is written there is the number, even when it was copied wrong. */
  readonly uncheckedByWord?: true
  /** People write it without a space after the word before it. */
  readonly glued?: true
  /** `compact` has only letters and digits, in upper case. */
  readonly valid: (compact: string) => boolean
}

/** A number of digits alone. Beside its word it is seen however its digits are grouped. */
export function numberDetector(kind: NumberKind): Detector[] {
  const forms = kind.forms.map(parseForm)
  const firstLengths = bitsOf(forms.map(({ lengths }) => lengths[0] ?? 0))
  const totals = [...new Set(forms.map(({ lengths }) => lengths.reduce((sum, length) => sum + length, 0)))]
  const words = wordsOf(kind)
  const isValid = (probe: Probe, end: number): boolean =>
    kind.valid(probe.text.slice(probe.number.start, end).replaceAll(/\D/g, ''))
  const detector: Detector = {
    ...namesOf(kind),
    ...(kind.initials === undefined ? {} : { initials: kind.initials }),
    digits: 'number',
    find(probe, start) {
      const isLikely = (firstLengths >> probe.number.lengthOf(0)) & 1
      for (const form of isLikely ? forms : []) {
        const end = endOfForm(probe, form)
        if (end === undefined || !isValid(probe, end)) continue
        const isGrouped = form.lengths.length > 1
        const isSure = kind.sureness === 'always' || (kind.sureness === 'grouped' && isGrouped)
        const isEnough = isSure && (isGrouped || !isInIdentifier(probe, start))
        if (isEnough || isAlone(probe, start, end) || isBesideWord(probe, start, end, words)) {
          probe.accept(detector, start, end, true)
          return
        }
      }
      if (words === undefined || probe.number.groups < 2 || isAfterDigit(probe, start)) return
      for (const total of totals) {
        const end = endOfDigits(probe, probe.number, total)
        if (end === undefined || !isValid(probe, end) || !isAfterWord(probe, start, words)) continue
        probe.accept(detector, start, end, true)
        return
      }
    },
  }
  return [detector]
}

/** A value of letters and digits. */
export function codeDetector(kind: CodeKind): Detector[] {
  const words = wordsOf(kind)
  const leading = bitsOf(kind.leading ?? [])
  const pattern = new RegExp(`^(?:${kind.pattern.source})`, 'i')
  const characters = kind.spaced === true ? spacedCharacters : compactCharacters
  const findFrom = (detector: Detector, probe: Probe, start: number): void => {
    probe.startsAt(start)
    const limit = probe.runEnd(start, characters, codeLengthMax)
    const match = pattern.exec(probe.text.slice(start, limit))
    if (match === null) return
    const end = start + match[0].length
    if (!endsWord(probe, end)) return
    const isValid = kind.valid(match[0].replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase())
    if (!isValid && kind.uncheckedByWord === undefined) return
    const isGrouped = kind.sureness === 'grouped' && /[^A-Za-z0-9]/.test(match[0])
    const isEnough = isValid && (kind.sureness === 'always' || isGrouped) && !isInIdentifier(probe, start)
    if (isEnough || isAlone(probe, start, end) || isBesideWord(probe, start, end, words))
      probe.accept(detector, start, end, true)
  }
  const names = { ...namesOf(kind), digitsMin: 1 }
  const tail =
    kind.letters === 0 ? {} : { tailStart: (units: Uint16Array, end: number) => lettersAtEnd(units, end, kind) }
  const detectorOf = (digits: 'number' | 'code', startOf: StartOf): Detector => {
    const detector: Detector = {
      ...names,
      ...tail,
      digits,
      find(probe, at) {
        if (leading !== 0 && digits === 'number' && ((leading >> probe.number.lengthOf(0)) & 1) === 0) return
        const start = startOf(probe, at, kind)
        if (start !== undefined) findFrom(detector, probe, start)
      },
    }
    return detector
  }
  const detectors: Detector[] = []
  if (kind.letters > 0) detectors.push(detectorOf('code', valueStart))
  if (kind.letters === 0 || kind.spaced === true) detectors.push(detectorOf('number', valueStart))
  if (kind.glued === true) detectors.push(detectorOf('code', gluedStart))
  return detectors
}

type StartOf = (probe: Probe, at: number, kind: CodeKind) => number | undefined

const codeLengthMax = 28
const gluedLettersMax = 12
const wordsBefore = 72
const wordsAfter = 40
const joints = characterClass(' .-')
const compactCharacters = characterClass('A-Za-z0-9+/.-')
const spacedCharacters = characterClass('A-Za-z0-9+/.: -')

function namesOf({ entity, country, isInPii }: Kind): Pick<Detector, 'entity' | 'group' | 'country' | 'isOptIn'> {
  return isInPii ? { entity, group: 'pii', country } : { entity, group: 'pii', country, isOptIn: true }
}

function wordsOf({ words }: Kind): RegExp | undefined {
  return words === undefined ? undefined : contextPattern(words)
}

type Form = { readonly lengths: readonly number[]; readonly separators: string }

function parseForm(form: string): Form {
  return { lengths: form.split(/\D/).map(Number), separators: form.replaceAll(/\d/g, '') }
}

/** The end of the first groups of the number when they are written so, and nothing of theirs goes on. */
function endOfForm(probe: Probe, { lengths, separators }: Form): number | undefined {
  const { number } = probe
  if (number.groups < lengths.length) return undefined
  for (let group = 0; group < lengths.length; group++) {
    if (number.lengthOf(group) !== lengths[group]) return undefined
    if (group > 0 && !isSeparator(number.separatorAfter(probe, group - 1), separators.charCodeAt(group - 1)))
      return undefined
  }
  const last = lengths.length - 1
  const end = number.endOf(last)
  const next = probe.code(end)
  if (!endsWord(probe, end)) return undefined
  const isGlue = next === 45 || next === 46 || next === 47
  if (isGlue && holds(alphanumerics, probe.code(end + 1))) return undefined
  const isRow = lengths.length > 1 && isSeparator(number.separatorAfter(probe, last), separators.charCodeAt(last - 1))
  return isRow ? undefined : end
}

function bitsOf(lengths: readonly number[]): number {
  return lengths.reduce((bits, length) => bits | (1 << length), 0)
}

/** In a row of numbers each would be the start of all those after it. */
function isAfterDigit(probe: Probe, start: number): boolean {
  return isDigit(probe.before(start - 1)) && probe.before(start) === 32
}

/** The end of the group that completes so many digits, with nothing but spaces, dashes and dots between. */
function endOfDigits(probe: Probe, number: NumberRun, total: number): number | undefined {
  let digits = 0
  for (let group = 0; group < number.groups; group++) {
    digits += number.lengthOf(group)
    if (digits > total) return undefined
    if (digits === total) return endsWord(probe, number.endOf(group)) ? number.endOf(group) : undefined
    const separator = number.separatorAfter(probe, group)
    if (separator !== 32 && separator !== 45 && separator !== 46) return undefined
  }
  return undefined
}

function isSeparator(code: number, wanted: number): boolean {
  return code === wanted || (wanted === 32 && code === 0xa0) || (wanted === 45 && (code === 0x2011 || code === 0x2013))
}

/** Undefined: the digits at `at` are not the first of a value, or too many letters stand before them. */
function valueStart(probe: Probe, at: number, { letters, spaced }: CodeKind): number | undefined {
  if (letters === 0) return at
  let end = at
  const previous = probe.before(end)
  if (spaced === true && (previous === 32 || previous === 45 || previous === 46)) end--
  let start = end
  while (start > end - letters && isLetter(probe.before(start))) start--
  return start === end || !startsValue(probe, start) ? undefined : start
}

/** Digits right after a word in lower case that begins after a space. */
function gluedStart(probe: Probe, at: number): number | undefined {
  let start = at
  while (start > at - gluedLettersMax && isLetter(probe.before(start)) && probe.before(start) >= 97) start--
  return start < at - 1 && probe.before(start) === 32 ? at : undefined
}

/** Where the letters at the end begin, which the digits that wake a detector may follow. */
function lettersAtEnd(units: Uint16Array, textEnd: number, { letters, spaced }: CodeKind): number {
  let end = textEnd
  if (spaced === true && end > 0 && holds(joints, units[end - 1] as number)) end--
  let start = end
  while (start > 0 && start > end - letters && isLetter(units[start - 1] as number)) start--
  return start === end ? textEnd : start
}

function isAlone(probe: Probe, start: number, end: number): boolean {
  return start === 0 && probe.code(end) === -1
}

function isBesideWord(probe: Probe, start: number, end: number, words: RegExp | undefined): boolean {
  if (words === undefined) return false
  if (isAfterWord(probe, start, words)) return true
  let limit = end
  while (limit < end + wordsAfter && !endsPhrase(probe.code(limit))) limit++
  return words.test(probe.text.slice(end, limit))
}

function isAfterWord(probe: Probe, start: number, words: RegExp): boolean {
  return words.test(probe.text.slice(Math.max(0, start - wordsBefore), start))
}

/** A word after another number is that number's. */
function endsPhrase(code: number): boolean {
  return code < 0 || code === 10 || isDigit(code)
}
