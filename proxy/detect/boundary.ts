// Owns where a word may begin: text arrives escaped and encoded, so an escape's letters are not part of the word.
import {
  characterClass,
  holds,
  isCapital,
  isLetter,
  isWordUnit,
  wordCharacters,
  type CharacterClass,
} from './characters.ts'
import { contextBefore } from './candidate.ts'
import type { Probe } from './probe.ts'

const hexadecimals = characterClass('0-9A-Fa-f')

/** No letter, digit or underscore stands before `start`, but for an escape's, which stands for something else. */
export function startsWord(probe: Probe, start: number): boolean {
  if (start === 0 || !isWordUnit(probe.units[start - 1] as number)) return true
  const previous = probe.before(start)
  const beforePrevious = probe.before(start - 1)
  if (beforePrevious === 92) return isEscapeLetter(previous)
  if (!holds(hexadecimals, previous) || !holds(hexadecimals, beforePrevious)) return false
  return probe.before(start - 2) === 37 || endsEscapedSign(probe, start)
}

/** The same, or a later word of an identifier begins there: `userPassport`, `user_passport`, `USPassport`. */
export function startsPart(probe: Probe, start: number): boolean {
  const previous = probe.before(start)
  if (previous === 95) return true
  if (!isCapital(probe.text.charCodeAt(start))) return startsWord(probe, start)
  return !isCapital(previous) || isSmall(probe.text.charCodeAt(start + 1)) || startsWord(probe, start)
}

function isSmall(code: number): boolean {
  return isLetter(code) && !isCapital(code)
}

/** After a backslash it is no letter, however many backslashes there are: `\n` and its kin (RFC 8259 section 7). */
export function isEscapeLetter(code: number): boolean {
  return code === 110 || code === 116 || code === 114 || code === 98 || code === 102
}

/** `\u000a`, `\u0022`: the escape of a unit of ASCII that is in no word. */
function endsEscapedSign(probe: Probe, end: number): boolean {
  if (probe.before(end - 4) !== 117 || probe.before(end - 5) !== 92) return false
  const code = Number.parseInt(probe.text.slice(end - 4, end), 16)
  return code < 128 && !holds(wordCharacters, code)
}

/**
 * Where the run of `characters` begins that ends before `start`, at most `contextBefore` back. It depends on the text alone, not
 * on what was tried before, so that a stream decides as the whole does.
 */
export function startOfRun(probe: Probe, start: number, characters: CharacterClass): number {
  return probe.runStart(start, characters, contextBefore)
}
