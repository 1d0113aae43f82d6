// Owns where a word may begin and end: text arrives escaped and encoded, so an escape's letters are not part of the word, and
// models write it in Markdown, so underscores around a word are emphasis and only those within an identifier are part of it.
import {
  alphanumerics,
  characterClass,
  holds,
  isAlphanumeric,
  isCapital,
  isLetter,
  isWordUnit,
  wordCharacters,
  type CharacterClass,
} from './characters.ts'
import { contextBefore } from './candidate.ts'
import type { Probe } from './probe.ts'

const hexadecimals = characterClass('0-9A-Fa-f')

const underscore = 95
/** Markdown needs three at most; more are a line to write on. */
const underscoresMax = 8

/**
 * No letter or digit stands before `start`, but for an escape's, which stands for something else; nor does one before the
 * underscores there, which would be those of an identifier.
 */
export function startsWord(probe: Probe, start: number): boolean {
  if (start === 0 || !isWordUnit(probe.units[start - 1] as number)) return true
  if (probe.units[start - 1] !== underscore) return isAfterEscape(probe, start)
  const at = beforeUnderscores(probe, start)
  return at === 0 || at === start - underscoresMax || !isWordUnit(probe.before(at)) || isAfterEscape(probe, at)
}

/** The same of a value whose own form tells it from the words of an identifier: `host_203.0.113.77`, `KEY_AKIA…`. */
export function startsValue(probe: Probe, start: number): boolean {
  return start === 0 || !isAlphanumeric(probe.units[start - 1] as number) || startsWord(probe, start)
}

/** What stands before it is an identifier that an underscore joins it to. */
export function isInIdentifier(probe: Probe, start: number): boolean {
  return probe.before(start) === underscore && !startsWord(probe, start)
}

/** No letter or digit goes on at `end`, nor one behind the underscores there. */
export function endsWord(probe: Probe, end: number): boolean {
  let at = end
  while (at < end + underscoresMax && probe.code(at) === underscore) at++
  return !holds(alphanumerics, probe.code(at))
}

/** In Markdown. */
export const emphasisMax = 3

/** How many underscores stand right before `start`, as many as may be emphasis. */
export function emphasisBefore(probe: Probe, start: number): number {
  return Math.min(start - beforeUnderscores(probe, start), emphasisMax)
}

function beforeUnderscores(probe: Probe, start: number): number {
  let at = start
  while (at > start - underscoresMax && probe.before(at) === underscore) at--
  return at
}

function isAfterEscape(probe: Probe, start: number): boolean {
  const previous = probe.before(start)
  const beforePrevious = probe.before(start - 1)
  if (beforePrevious === 92) return isEscapeLetter(previous)
  if (!holds(hexadecimals, previous) || !holds(hexadecimals, beforePrevious)) return false
  return probe.before(start - 2) === 37 || endsEscapedSign(probe, start)
}

/** The same, or a later word of an identifier begins there: `userPassport`, `user_passport`, `USPassport`. */
export function startsPart(probe: Probe, start: number): boolean {
  const previous = probe.before(start)
  if (previous === underscore) return true
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
