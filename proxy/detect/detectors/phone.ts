// Owns telephone numbers: international ones (E.164, validated by numbering plan), North American ones by their form,
// national ones of anywhere only beside a word that says so.
import { parsePhoneNumberFromString } from 'libphonenumber-js/min'
import { holds, isDigit, wordCharacters } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'phone'
/** E.164 allows 15; two more for a `00` in front. */
const digitsMax = 17
const groupsMax = 9
const contextLength = 48
const contextAfterLength = 10

const words =
  'phone|telephone|telefon\\w*|tel[eé]fono|tel|mobile?|m[oó]vil|cell(?:ular|phone)?|fax|whatsapp|sms|desk|office|home|work|hotline|helpline|dial|call(?:ing|ed|back)?|text(?:ed)?(?: me)?|reach(?: me| us)?|ring|contact(?: number)?|answering|kom[oó]rk\\w*|zadzwo\\w*|dzwo[nń]\\w*|gsm|handy|ph'
const wordBefore = new RegExp(`(?<![\\p{L}\\d])(?:${words})(?![\\p{L}\\d])[^\\d]{0,24}$`, 'iu')
const wordAfter = /^[\s-]{0,2}(?:\((?=\w))?(?:office|fax|mobile|home|cell|work|phone|tel|desk|direct)\b/i

type PhoneText = {
  /** Where the number starts, with its plus sign or parenthesis. */
  readonly start: number
  readonly hasPlus: boolean
  /** After each group: where it ends and how many digits there are so far. */
  readonly ends: readonly number[]
  readonly counts: readonly number[]
  readonly digits: string
}

export const phone: Detector = {
  entity,
  group,
  digits: 'number',
  find(probe, at) {
    const start = signStart(probe.text, at)
    const previous = probe.before(start)
    if (holds(wordCharacters, previous) || isInsideNumber(probe, start, previous)) return
    probe.startsAt(start)
    const number = readNumber(probe, start, at)
    if (number.digits.length < 6) return
    const end = internationalEnd(number) ?? northAmericanEnd(probe, number) ?? nationalEnd(probe, number)
    if (end !== undefined) probe.accept(phone, start, extensionEnd(probe, end), number.hasPlus)
  },
  tailStart: (text) => signStart(text, text.length),
}

/** `+`, `(`, `+(`, `(+` before the first digit. */
function signStart(text: string, at: number): number {
  let start = at
  while (start > 0 && start > at - 2 && (text[start - 1] === '+' || text[start - 1] === '(')) start--
  return start
}

/** `12:34`, `1,234`, `$555`, `#555`. */
function isInsideNumber(probe: Probe, start: number, previous: number): boolean {
  if (previous === 36 || previous === 35) return true
  return (previous === 58 || previous === 44) && isDigit(probe.before(start - 1))
}

function readNumber(probe: Probe, start: number, at: number): PhoneText {
  const ends: number[] = []
  const counts: number[] = []
  let digits = ''
  let index = at
  while (ends.length < groupsMax) {
    const from = index
    while (index < from + digitsMax + 1 && isDigit(probe.code(index))) index++
    // A trunk zero in parentheses is not dialled from abroad.
    const isTrunk = index === from + 1 && probe.text[from] === '0' && probe.text[from - 1] === '(' && digits !== ''
    if (!isTrunk) digits += probe.text.slice(from, index)
    if (digits.length > digitsMax) break
    ends.push(index)
    counts.push(digits.length)
    const next = separatorEnd(probe, index)
    if (next === index || !isDigit(probe.code(next))) break
    index = next
  }
  return { start, hasPlus: probe.text.slice(start, at).includes('+'), ends, counts, digits }
}

/** At most three of space, dash, dot, slash and parentheses. */
function separatorEnd(probe: Probe, from: number): number {
  let index = from
  while (index < from + 3 && isSeparator(probe.code(index))) index++
  return index
}

function isSeparator(code: number): boolean {
  return (
    code === 32 ||
    (code >= 40 && code <= 41) ||
    (code >= 45 && code <= 47) ||
    code === 0xa0 ||
    code === 0x2011 ||
    code === 0x2013
  )
}

/** The longest part up to the end of a group that a numbering plan knows. */
function internationalEnd(number: PhoneText): number | undefined {
  const hasZeros = !number.hasPlus && /^00[1-9]/.test(number.digits)
  if (!number.hasPlus && !hasZeros) return undefined
  const prefix = hasZeros ? 2 : 0
  for (let i = number.ends.length - 1; i >= 0; i--) {
    const digits = number.digits.slice(prefix, number.counts[i])
    if (digits.length < 7 || digits.length > 15) continue
    if (parsePhoneNumberFromString(`+${digits}`)?.isValid()) return number.ends[i]
  }
  return undefined
}

/** `(555) 234-5678`, `555-234-5678`, `1.555.234.5678`: area and exchange begin with 2–9. */
function northAmericanEnd(probe: Probe, number: PhoneText): number | undefined {
  const countryDigits = number.digits.startsWith('1') ? 1 : 0
  const last = number.counts.indexOf(10 + countryDigits)
  const end = number.ends[last]
  if (end === undefined || (holds(wordCharacters, probe.code(end)) && probe.code(end) !== 120)) return undefined
  const text = probe.text.slice(number.start, end)
  if (!/^(?:\+?1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}$/.test(text)) return undefined
  return text.includes(' ') && !text.includes('-') && !text.includes('(') ? undefined : end
}

/** Seven digits or more, however grouped, with a word before or after that makes them a telephone's. */
function nationalEnd(probe: Probe, number: PhoneText): number | undefined {
  const lastGroup = number.counts.findLastIndex((count) => count >= 7 && count <= (number.hasPlus ? 15 : 12))
  const end = number.ends[lastGroup]
  if (end === undefined || lastGroup !== number.ends.length - 1) return undefined
  const next = probe.code(end)
  if (isDigit(next) || (holds(wordCharacters, next) && next !== 120)) return undefined
  const text = probe.text.slice(number.start, end)
  if (isDate(text)) return undefined
  const before = probe.text.slice(Math.max(0, number.start - contextLength), number.start)
  if (wordBefore.test(before)) return end
  let after = ''
  for (let i = end; i < end + contextAfterLength && probe.code(i) > 0; i++) after += probe.text.charAt(i)
  return number.digits.length >= 7 && wordAfter.test(after) ? end : undefined
}

function isDate(text: string): boolean {
  return /^(?:(?:19|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./](?:19|20)\d\d)(?:\D|$)/.test(text)
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
