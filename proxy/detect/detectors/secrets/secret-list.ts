// Owns how the values of a list are told apart, as JSON, YAML and programs write one: `["a", "b"]`, `- a`, `a,b`. It knows
// neither names nor which values are secret.
import { characterClass } from '../../characters.ts'
import type { Probe } from '../../probe.ts'

/** From the label on: a stream holds back as much, and later values are not looked at. */
export const listLengthMax = 448

/** `joined`: with commas and nothing else between. */
export type ListStyle = 'brackets' | 'items' | 'joined'

/** The one end of a value that begins there, or -1. `quote` is -1 where it has none. */
export type ReadEnd = (start: number, quote: number) => number

const blank = characterClass(' \t')
const white = characterClass(' \t\r\n')
const indentMax = 32
const comma = 44
const dash = 45
const bracket = 91
const backslash = 92

/** Which list it is whose first value stands at `start`, as an assignment is read; `joined` only shows behind that value. */
export function listStyle(probe: Probe, start: number, labelEnd: number): ListStyle | undefined {
  if (probe.text.charCodeAt(start) === dash)
    return probe.code(start + 1) === 32 && /\n[ \t]*$/.test(probe.text.slice(labelEnd, start)) ? 'items' : undefined
  for (let at = start - 1; at >= labelEnd; at--) {
    const code = probe.text.charCodeAt(at)
    if (code === bracket) return 'brackets'
    if (!isBetween(code)) break
  }
  return undefined
}

/**
 * Calls `each` for the values of the list, as far as they end before `limit`. Where it stopped: what stands before has been
 * read as one.
 */
export function readList(
  probe: Probe,
  first: number,
  limit: number,
  style: ListStyle,
  readEnd: ReadEnd,
  each: (start: number, end: number, quote: number) => void,
): number {
  let index = style === 'items' ? first : startOfFirst(probe, first)
  for (;;) {
    const start = style === 'items' ? afterDash(probe, index) : afterOpening(probe, index)
    if (start === -1 || start >= limit) return index
    const quote = quoteBefore(probe, start)
    const end = readEnd(start, quote)
    if (end === -1 || end > limit) return index
    each(start, end, quote)
    index = end
    if (quote !== -1) index += probe.text.charCodeAt(end) === backslash ? 2 : 1
    const next = style === 'items' ? nextItem(probe, index) : afterComma(probe, index, style)
    if (next === -1) return index
    index = next
  }
}

/** Of brackets the quote belongs to the value. */
function startOfFirst(probe: Probe, first: number): number {
  const isQuoted = isQuote(probe.before(first))
  return isQuoted ? first - (probe.before(first - 1) === backslash ? 2 : 1) : first
}

function afterOpening(probe: Probe, index: number): number {
  const start = probe.code(index) === backslash ? index + 1 : index
  return isQuote(probe.code(start)) ? start + 1 : start === index ? index : -1
}

function afterDash(probe: Probe, index: number): number {
  if (probe.code(index) !== dash || probe.code(index + 1) !== 32) return -1
  return afterOpening(probe, probe.runEnd(index + 2, blank, indentMax))
}

function afterComma(probe: Probe, index: number, style: ListStyle): number {
  if (style === 'joined') return probe.code(index) === comma ? index + 1 : -1
  const at = probe.runEnd(index, white, indentMax)
  return probe.code(at) === comma ? probe.runEnd(at + 1, white, indentMax) : -1
}

function nextItem(probe: Probe, index: number): number {
  const lineEnd = probe.runEnd(index, blank, indentMax)
  const next = probe.runEnd(lineEnd, white, indentMax)
  return next > lineEnd ? next : -1
}

function quoteBefore(probe: Probe, start: number): number {
  const before = probe.before(start)
  return isQuote(before) ? before : -1
}

function isQuote(code: number): boolean {
  return code === 34 || code === 39 || code === 96
}

function isBetween(code: number): boolean {
  return isQuote(code) || code === backslash || code === 32 || code === 9 || code === 10 || code === 13
}
