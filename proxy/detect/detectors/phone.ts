// Owns telephone numbers: international ones (E.164, checked against numbering plans), North American ones by their
// form, national ones of anywhere only beside a word that says so.
import { holds, isDigit, isForeignLetter, isLetter, wordCharacters } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { NumberRun } from '../number-run.ts'
import { isCallingCode, isInternationalNumber } from '../numbering-plan.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'phone'
const digitsMin = 7
/** E.164 allows 15. */
const digitsMax = 15
const nationalDigitsMax = 12
const contextLength = 48
const contextAfterLength = 16

const words = [
  'phone|telephone|telefon\\w*|tel[eé]fono|tel|mobile?|m[oó]vil|cell(?:ular|phone)?|fax|whatsapp|sms|gsm|handy|ph',
  'desk|office|home|work|hotline|helpline|dial|call(?:ing|ed|back)?|text(?:ed)?(?: me)?|reach(?: me| us)?|ring',
  'contact(?: number)?|answering|kom[oó]rk\\w*|zadzwo\\w*|dzwo[nń]\\w*',
].join('|')
const wordBefore = new RegExp(`(?<![\\p{L}\\d])(?:${words})(?![\\p{L}\\d])\\D{0,24}$`, 'iu')
const wordAfter =
  /^[\s-]{0,2}(?:\((?=\w))?(?:office|fax|mobile|home|cell|work|phone|tel|desk|direct|as a (?:callback|contact|phone))\b/i
const date = /^(?:(?:19|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./](?:19|20)\d\d)(?:\D|$)/
const northAmerican = /^(?:1[ .-])?(?:\(?[2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}$/

export const phone: Detector = {
  entity,
  group,
  digits: 'number',
  find(probe, at) {
    const { number } = probe
    const start = signStart(probe.text, at)
    probe.startsAt(start)
    if (number.digits < digitsMin || isInsideNumber(probe, start)) return
    const hasPlus = probe.text[at - 1] === '+' || probe.text[start] === '+'
    const end =
      internationalEnd(probe, number, hasPlus) ?? northAmericanEnd(probe, number) ?? nationalEnd(probe, number, start)
    if (end !== undefined) probe.accept(phone, start, extensionEnd(probe, end), hasPlus)
  },
  tailStart: (text) => signStart(text, text.length),
}

/** `+`, `(`, `+(`, `(+` before the first digit. */
function signStart(text: string, at: number): number {
  let start = at
  while (start > 0 && start > at - 2 && (text[start - 1] === '+' || text[start - 1] === '(')) start--
  return start
}

/** `12:34`, `1,234`, `$555`, `#555`, `x(5`. */
function isInsideNumber(probe: Probe, start: number): boolean {
  const previous = probe.before(start)
  if (previous === 36 || previous === 35 || holds(wordCharacters, previous)) return true
  return (previous === 58 || previous === 44) && isDigit(probe.before(start - 1))
}

/** The end of the most groups that a numbering plan knows, with `+` or `00` before the country's code. */
function internationalEnd(probe: Probe, number: NumberRun, hasPlus: boolean): number | undefined {
  const hasZeros = !hasPlus && probe.text.startsWith('00', number.start) && probe.text[number.start + 2] !== '0'
  if (!hasPlus && !hasZeros) return undefined
  let digits = ''
  for (let group = 0; group < number.groups; group++) {
    if (!isTrunkZero(probe, number, group)) digits += probe.text.slice(number.startOf(group), number.endOf(group))
  }
  if (hasZeros) digits = digits.slice(2)
  if (hasZeros && !isCallingCode(probe.text.slice(number.start + 2, number.end)) && !hasWordBefore(probe, number.start))
    return undefined
  for (let group = number.groups - 1; group >= 0 && digits.length >= digitsMin; group--) {
    if (digits.length <= digitsMax && isInternationalNumber(digits)) return number.endOf(group)
    if (!isTrunkZero(probe, number, group)) digits = digits.slice(0, -number.lengthOf(group))
  }
  return undefined
}

/** `+44 (0)20 …`: not dialled from abroad. */
function isTrunkZero(probe: Probe, number: NumberRun, group: number): boolean {
  return group > 0 && probe.text.startsWith('(0)', number.startOf(group) - 1)
}

/** `(555) 234-5678`, `555-234-5678`, `1.555.234.5678`: area and exchange begin with 2–9. Spaces alone prove nothing. */
function northAmericanEnd(probe: Probe, number: NumberRun): number | undefined {
  const last = number.lengthOf(0) === 1 ? 3 : 2
  if (number.groups <= last || number.lengthOf(last) !== 4) return undefined
  const end = number.endOf(last)
  if (isWordEnd(probe, end)) return undefined
  const text = probe.text.slice(number.start, end)
  const isMarked = text.includes('-') || text.includes(')') || text.includes('.')
  return isMarked && northAmerican.test(text) ? end : undefined
}

/** Seven digits or more, however grouped, with a word before or after that makes them a telephone's. */
function nationalEnd(probe: Probe, number: NumberRun, start: number): number | undefined {
  if (number.digits > nationalDigitsMax) return undefined
  const end = number.endOf(number.groups - 1)
  if (isWordEnd(probe, end) || date.test(probe.text.slice(number.start, end))) return undefined
  return hasWordBefore(probe, start) || wordAfter.test(textAfter(probe, end)) ? end : undefined
}

/** The word and the number have no other number between, so in tables of numbers there is nothing to match. */
function hasWordBefore(probe: Probe, start: number): boolean {
  const limit = Math.max(0, start - contextLength)
  let from = start
  let letters = 0
  for (; from > limit && !isDigit(probe.text.charCodeAt(from - 1)); from--) {
    const code = probe.text.charCodeAt(from - 1)
    if (isLetter(code) || isForeignLetter(code)) letters++
  }
  return letters > 1 && wordBefore.test(probe.text.slice(from, start))
}

function textAfter(probe: Probe, end: number): string {
  let index = end
  // Words after a number begin at once, or after one or two separators.
  while (index < end + contextAfterLength) {
    const code = probe.code(index)
    if (code < 0 || (index > end + 1 && !isLetter(code) && code !== 32 && code !== 40)) break
    index++
  }
  return probe.text.slice(end, index)
}

/** More digits or a word go on there; an `x` may begin an extension. */
function isWordEnd(probe: Probe, end: number): boolean {
  const next = probe.code(end)
  return holds(wordCharacters, next) && (next | 32) !== 120
}

/** `x1234`, ` ext. 12`. */
function extensionEnd(probe: Probe, from: number): number {
  let index = from
  if (probe.code(index) === 32) index++
  const isX = (probe.code(index) | 32) === 120
  const isExt = !isX && [101, 120, 116].every((letter, i) => (probe.code(index + i) | 32) === letter)
  if (!isX && !isExt) return from
  index += isX ? 1 : 3
  if (isExt && probe.code(index) === 46) index++
  if (isExt && probe.code(index) === 32) index++
  const digitsStart = index
  while (index < digitsStart + 6 && isDigit(probe.code(index))) index++
  return index === digitsStart || holds(wordCharacters, probe.code(index)) ? from : index
}
