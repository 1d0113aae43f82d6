// Owns where a word may begin: text arrives escaped and encoded, so an escape's letters are not part of the word.
import { characterClass, holds, wordCharacters } from './characters.ts'
import type { Probe } from './probe.ts'

const hexadecimals = characterClass('0-9A-Fa-f')

/** No letter, digit or underscore stands before `start`, but for an escaped line end or a percent-encoded byte. */
export function startsWord(probe: Probe, start: number): boolean {
  const previous = probe.before(start)
  if (!holds(wordCharacters, previous)) return true
  const beforePrevious = probe.before(start - 1)
  if (beforePrevious === 92) return previous === 110 || previous === 114 || previous === 116
  return holds(hexadecimals, previous) && holds(hexadecimals, beforePrevious) && probe.before(start - 2) === 37
}
