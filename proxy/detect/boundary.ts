// Owns where a word may begin: text arrives escaped and encoded, so an escape's letters are not part of the word.
import { characterClass, holds, wordCharacters, type CharacterClass } from './characters.ts'
import { contextBefore, type Probe } from './probe.ts'

const hexadecimals = characterClass('0-9A-Fa-f')

/** No letter, digit or underscore stands before `start`, but for an escaped line end or a percent-encoded byte. */
export function startsWord(probe: Probe, start: number): boolean {
  const previous = probe.before(start)
  if (!holds(wordCharacters, previous)) return true
  const beforePrevious = probe.before(start - 1)
  if (beforePrevious === 92) return previous === 110 || previous === 114 || previous === 116
  return holds(hexadecimals, previous) && holds(hexadecimals, beforePrevious) && probe.before(start - 2) === 37
}

/**
 * The run of `characters` that ends before `start`, at most `contextBefore` long. It depends on the text alone, not on
 * what was tried before, so that a stream decides as the whole text does.
 */
export function runBefore(probe: Probe, start: number, characters: CharacterClass): string {
  const least = Math.max(0, start - contextBefore)
  let from = start
  while (from > least && holds(characters, probe.before(from))) from--
  return probe.text.slice(from, start)
}
