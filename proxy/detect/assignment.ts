// Owns what stands between a name and the value it is given, in source code, JSON, YAML, XML, environment files, command
// lines and sentences. It knows neither names nor values.
import { characterClass, holds, isLetter } from './characters.ts'
import { startOfRun } from './boundary.ts'
import type { Probe } from './probe.ts'

const restLengthMax = 32
const gapLengthMax = 24
const hopsMax = 3
const hopLengthMax = 10

const doubleQuote = 34
const singleQuote = 39
const equals = 61
const backslash = 92
const bracket = 93
const blank = characterClass(' ')
export const identifierCharacters = characterClass('A-Za-z0-9_.-')
const letters = characterClass('A-Za-z')
/** Operators, quotes, brackets, white space, and escapes of quotes. */
const gap = characterClass(' \t\r\n"\'`=:>,|\\({[?+$@.')
const signs = characterClass('"\'`=:>,|({')
/** Words that stand between and assign: `is x`, in several languages. */
const verbs = ['is', 'params', 'args', 'est', 'es', 'ist', 'lautet', 'jest']
/** And types of variables, or what only goes before the sign: `value="x"`, `key string = "x"`, `Bearer x`. */
const hops = ['value', 'default', 'string', 'str', 'are', 'bearer', ...verbs]
/** By the lower five bits of both: what hops begin with. */
const hopBeginnings = new Uint8Array(1 << 10)
/** By the same: these hops. */
const hopsBy = Array.from({ length: hopBeginnings.length }, (): string[] => [])
for (const hop of hops) {
  const beginning = packed(hop.charCodeAt(0), hop.charCodeAt(1))
  hopBeginnings[beginning] = 1
  hopsBy[beginning]?.push(hop)
}

function packed(first: number, second: number): number {
  return ((first & 31) << 5) | (second & 31)
}

/**
 * Where the value begins that is given to the identifier which `labelEnd` stands in or behind. -1 when nothing assigns:
 * prose, or the end of the text.
 */
export function readAssignment(probe: Probe, labelStart: number, labelEnd: number): number {
  const known = probe.assignment
  // Several detectors ask about the same label.
  if (known.labelEnd === labelEnd && known.labelStart === labelStart) return known.start
  const start = read(probe, labelStart, labelEnd)
  if (probe.hasTouchedEnd) return start
  known.labelStart = labelStart
  known.labelEnd = labelEnd
  known.start = start
  return start
}

function read(probe: Probe, labelStart: number, labelEnd: number): number {
  let index = afterIndex(probe, probe.runEnd(labelEnd, identifierCharacters, restLengthMax))
  if (index === -1) return -1
  if (isBeforeWord(probe.text, index) && probe.sees(index + 2)) return isFlag(probe, labelStart) ? index + 1 : -1
  let isAssigned = false
  for (let hop = 0; hop < hopsMax; hop++) {
    const start = probe.runEnd(index, gap, gapLengthMax)
    if (start === index) return -1
    isAssigned ||= hasSign(probe.text, index, start)
    const hopEnd = hopAfter(probe, start)
    if (hopEnd === start) return isAssigned || isFlag(probe, labelStart) ? start : -1
    isAssigned ||= verbs.includes(hopIn(probe.units, start, hopEnd))
    index = hopEnd
  }
  return -1
}

/** Behind `environ['NAME']`, to which something must be assigned; where the identifier ends if it is no such index. */
function afterIndex(probe: Probe, end: number): number {
  const at = probe.code(end) === backslash ? end + 1 : end
  const quote = probe.code(at)
  if ((quote !== doubleQuote && quote !== singleQuote) || probe.code(at + 1) !== bracket) return end
  const sign = probe.runEnd(at + 2, blank, 2)
  return probe.code(sign) === equals ? sign : -1
}

/** A space, and a word that is no hop: so it is in prose. */
function isBeforeWord(text: string, index: number): boolean {
  if (index + 2 >= text.length || text.charCodeAt(index) !== 32) return false
  const first = text.charCodeAt(index + 1)
  return isLetter(first) && hopBeginnings[packed(first, text.charCodeAt(index + 2))] === 0
}

function hasSign(text: string, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (holds(signs, text.charCodeAt(i))) return true
  return false
}

/** `start` when what stands there is the value itself. */
function hopAfter(probe: Probe, start: number): number {
  const first = probe.code(start)
  if (!holds(letters, first) || hopBeginnings[packed(first, probe.code(start + 1))] === 0) return start
  const end = probe.runEnd(start, letters, hopLengthMax)
  if (end === start || !holds(gap, probe.code(end))) return start
  return hopIn(probe.units, start, end) === '' ? start : end
}

/** The hop that these letters are, whatever their case, or nothing. */
function hopIn(units: Uint16Array, start: number, end: number): string {
  const some = hopsBy[packed(units[start] as number, units[start + 1] as number)] ?? []
  for (const hop of some) if (hop.length === end - start && isAt(units, start, hop)) return hop
  return ''
}

function isAt(units: Uint16Array, start: number, word: string): boolean {
  for (let at = 0; at < word.length; at++)
    if (((units[start + at] as number) | 32) !== word.charCodeAt(at)) return false
  return true
}

/** `--token x`, `-token x` */
function isFlag(probe: Probe, labelStart: number): boolean {
  if (probe.before(labelStart) === 32) return false
  return probe.text.charCodeAt(startOfRun(probe, labelStart, identifierCharacters)) === 45
}
