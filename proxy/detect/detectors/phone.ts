// Owns telephone numbers: international ones (E.164, checked against numbering plans), North American ones by their
// form, national ones of anywhere only beside a word that says so.
import { endsWord, isInIdentifier, startsValue, startsWord } from '../boundary.ts'
import { characterClass, holds, isDigit, isLetter, wordCharacters } from '../characters.ts'
import type { Detector } from '../detector.ts'
import { acceptFollowing } from '../number-list.ts'
import { isSeparator, slash, type NumberRun } from '../number-run.ts'
import { isCallingCode, isInternationalNumber, startsCallingCode } from '../numbering-plan.ts'
import type { Probe } from '../probe.ts'
import { endOfFirst, nationalDigitsMax, plainDigitsMin } from './phone-list.ts'
import { hasPhoneWordBefore, hasPlainPhoneWordBefore, mayFollowPhoneWord, phoneWords } from './phone-words.ts'

const group = 'pii'
const entity = 'phone'
const digitsMin = 6
/** E.164 allows 15. */
const digitsMax = 15
const unplannedDigitsMin = 9
const contextAfterLength = 16

const plainWordAfter = /^ as a (?:callback|contact|phone)\b/i
const wordAfter =
  /^[\s-]{0,2}(?:\((?=\w))?(?:office|fax|mobile|home|cell|work|phone|tel|desk|direct|as a (?:callback|contact|phone))\b/i
const date = /^(?:(?:19|20)\d\d[-./]\d\d?[-./]\d\d?|\d\d?[-./]\d\d?[-./](?:19|20)\d\d)(?:\D|$)/
/** As abroad, with dashes throughout. */
const withCallingCode = /^\d{1,2}-[2-9]\d\d-[2-9]\d\d-\d{4}$/
const northAmerican = /^(?:1[ .-])?(?:\(?[2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]\d{4}$/

export const phone: Detector = {
  entity,
  group,
  digits: 'number',
  digitsMin,
  contexts: [phoneWords],
  find(probe, at) {
    const { number } = probe
    const previous = probe.before(at)
    if (!isSign(previous) && isTooLong(probe.units, number) && !isFirstOfSeveral(probe, at)) return
    const start = signStart(probe.units, at)
    probe.startsAt(start)
    if (number.digits < digitsMin || isInsideNumber(probe, start)) return
    const hasPlus = previous === 43 || probe.text.charCodeAt(start) === 43
    // In an identifier digits alone are a day, or count something.
    if (!hasPlus && number.groups < 2 && isInIdentifier(probe, start)) return
    const end =
      internationalEnd(probe, number, hasPlus) ??
      (hasPlus ? unplannedEnd(probe, number, start) : undefined) ??
      northAmericanEnd(probe, number) ??
      nationalEnd(probe, number, start)
    if (end === undefined) return
    const last = extensionEnd(probe, end)
    probe.accept(phone, start, last, hasPlus)
    const isFirst = hasPhoneWordBefore(probe, start) || (hasPlus && isBeforeSlash(probe, last))
    if (isFirst) acceptFollowing(probe, start, start, last, listed)
  },
  tailStart: signStart,
}

const listed = { of: phone, endOf: endOfNext, isBare: true } as const

/** Of a number in a list of telephones, without its word; -1 where none begins. */
function endOfNext(probe: Probe, start: number): number {
  let index = start
  while (index < start + 2 && isSign(probe.code(index))) index++
  const first = endOfFirst(probe, index)
  if (first !== -1) return first
  let digits = 0
  let end = index
  for (; index < start + listedLengthMax; index++) {
    const code = probe.code(index)
    if (isDigit(code)) {
      digits++
      end = index + 1
    } else if (!isSeparator(code) || index - end > separatorsMax) break
  }
  return digits < digitsMin || digits > digitsMax || isWordEnd(probe, end) ? -1 : end
}

const listedLengthMax = 32
const separatorsMax = 1

/** `415-555-0132` right after a word, where somebody left out the space. */
export const gluedPhone: Detector = {
  entity,
  group,
  digits: 'code',
  lettersMin: 2,
  find(probe, start) {
    let from = start
    while (from > start - gluedLettersMax && isLowerCase(probe.before(from))) from--
    if (from > start - 2 || probe.before(from) !== 32) return
    for (let i = 0; i < gluedForm.length; i++) {
      const code = probe.code(start + i)
      if (gluedForm[i] === '-' ? code !== 45 : !isDigit(code)) return
    }
    const end = start + gluedForm.length
    if (!isWordEnd(probe, end) && northAmerican.test(probe.text.slice(start, end)))
      probe.accept(gluedPhone, start, end, false)
  },
}

const gluedForm = '000-000-0000'
const gluedLettersMax = 12

/** Without a sign: for a national number, and it begins neither as a North American one nor with the zeros of one from abroad. */
function isTooLong(units: Uint16Array, number: NumberRun): boolean {
  if (number.digits <= nationalDigitsMax || hasTwoZeros(units, number.start)) return false
  return number.groups < 3 || number.lengthOf(1) !== 3
}

/** `+`, `(`, `+(`, `(+` before the first digit. */
function signStart(units: Uint16Array, at: number): number {
  let start = at
  while (start > 0 && start > at - 2 && isSign(units[start - 1] as number)) start--
  return start
}

function isSign(code: number): boolean {
  return code === 43 || code === 40
}

/** `12:34`, `1,234`, `$555`, `#555`, `x(5`. */
function isInsideNumber(probe: Probe, start: number): boolean {
  const previous = probe.before(start)
  if (previous === 36 || previous === 35 || !startsValue(probe, start)) return true
  return (previous === 58 || previous === 44) && isDigit(probe.before(start - 1))
}

/** The end of the most groups that a numbering plan knows, with `+` or `00` before the country's code. */
function internationalEnd(probe: Probe, number: NumberRun, hasPlus: boolean): number | undefined {
  const hasZeros = !hasPlus && hasTwoZeros(probe.units, number.start)
  if (!hasPlus && !hasZeros) return undefined
  if (
    hasZeros &&
    !isCallingCode(probe.text.slice(number.start + 2, number.end)) &&
    !hasPhoneWordBefore(probe, number.start)
  )
    return undefined
  const groups = hasZeros ? groupsBeforeSlash(probe, number) : number.groups
  let digits = ''
  for (let group = 0; group < groups; group++) {
    if (!isTrunkZero(probe, number, group)) digits += probe.text.slice(number.startOf(group), number.endOf(group))
  }
  if (hasZeros) digits = digits.slice(2)
  let end: number | undefined
  let left = 0
  for (let group = groups - 1; group >= 0 && digits.length >= plainDigitsMin; group--) {
    const isNumber = digits.length <= digitsMax && isInternationalNumber(digits)
    // Behind a slash another number begins where one ends before it and so many digits are left.
    const isFirst = end !== undefined && left >= plainDigitsMin && isBeforeSlash(probe, number.endOf(group))
    if (isNumber && (end === undefined || isFirst)) end = number.endOf(group)
    left += number.lengthOf(group)
    // Zeros may begin a part of any long number: all of it must be the one that they announce.
    if (hasZeros) return end
    if (!isTrunkZero(probe, number, group)) digits = digits.slice(0, -number.lengthOf(group))
  }
  return end
}

/** All of them, unless enough for a number stand before a slash. */
function groupsBeforeSlash(probe: Probe, number: NumberRun): number {
  let digits = 0
  for (let group = 0; group < number.groups; group++) {
    digits += number.lengthOf(group)
    if (digits >= unplannedDigitsMin && isBeforeSlash(probe, number.endOf(group))) return group + 1
  }
  return number.groups
}

function isBeforeSlash(probe: Probe, end: number): boolean {
  return probe.code(end) === slash || (probe.code(end) === 32 && probe.code(end + 1) === slash)
}

function hasTwoZeros(units: Uint16Array, start: number): boolean {
  return units[start] === 48 && units[start + 1] === 48 && units[start + 2] !== 48
}

/** Plans change: beside its word, or alone, a number with a country's code is one whatever the plan says. */
function unplannedEnd(probe: Probe, number: NumberRun, start: number): number | undefined {
  const end = number.endOf(number.groups - 1)
  if (number.digits < unplannedDigitsMin || number.digits > digitsMax || isWordEnd(probe, end)) return undefined
  if (!startsCallingCode(probe.text, number.start)) return undefined
  const isAlone = start === 0 && probe.code(end) === -1
  return isAlone || hasPhoneWordBefore(probe, start) ? end : undefined
}

/** `+44 (0)20 …`: not dialled from abroad. */
function isTrunkZero(probe: Probe, number: NumberRun, group: number): boolean {
  return group > 0 && probe.text.startsWith('(0)', number.startOf(group) - 1)
}

/** `(555) 234-5678`, `555-234-5678`, `1.555.234.5678`: area and exchange begin with 2–9. Spaces alone prove nothing. */
function northAmericanEnd(probe: Probe, number: NumberRun): number | undefined {
  const last = number.lengthOf(0) === 3 ? 2 : 3
  if (number.groups <= last || number.lengthOf(last) !== 4) return undefined
  if (number.lengthOf(last - 1) !== 3 || number.lengthOf(last - 2) !== 3 || number.lengthOf(0) > 3) return undefined
  const end = number.endOf(last)
  if (isWordEnd(probe, end)) return undefined
  const text = probe.text.slice(number.start, end)
  const isMarked = text.includes('-') || text.includes(')') || text.includes('.')
  if (isMarked && northAmerican.test(text)) return end
  const isForeign =
    number.lengthOf(0) < 3 && withCallingCode.test(text) && isCallingCode(text.slice(0, text.indexOf('-')))
  return isForeign ? end : undefined
}

/** Seven digits or more, however grouped, with a word before or after that makes them a telephone's. */
function nationalEnd(probe: Probe, number: NumberRun, start: number): number | undefined {
  if (number.digits > nationalDigitsMax) return firstOfSeveral(probe, number, start)
  const end = number.endOf(number.groups - 1)
  if (isWordEnd(probe, end)) return undefined
  const isBeside =
    number.digits < plainDigitsMin
      ? isPlainlyPhone(probe, start, end)
      : hasPhoneWordBefore(probe, start) || hasPhoneWordAfter(probe, end)
  const isPhone = isBeside || (isByItself(probe, start, end) && looksNational(probe.text.slice(start, end), number))
  return isPhone && !date.test(probe.text.slice(number.start, end)) ? end : undefined
}

/** The whole text, or what a signature has behind a letter: `T: 020 7946 0958`. */
function isByItself(probe: Probe, start: number, end: number): boolean {
  if (start === 0) return probe.code(end) === -1
  const sign = probe.before(start) === 32 ? start - 1 : start
  return holds(signs, probe.before(sign)) && holds(abbreviations, probe.before(sign - 1)) && startsWord(probe, sign - 2)
}

const signs = characterClass(':.')
/** Direct, fax, mobile, office, phone, telephone. */
const abbreviations = characterClass('dfmoptDFMOPT')

/** Behind a word, and more digits than a number has, because another one follows. What is asked takes longer each time. */
function isFirstOfSeveral(probe: Probe, start: number): boolean {
  return mayFollowPhoneWord(probe, start) && endOfFirst(probe, start) !== -1 && hasPhoneWordBefore(probe, start)
}

/** The end of that number. */
function firstOfSeveral(probe: Probe, number: NumberRun, start: number): number | undefined {
  if (!hasPhoneWordBefore(probe, start)) return undefined
  const end = endOfFirst(probe, number.start)
  return end === -1 || date.test(probe.text.slice(number.start, end)) ? undefined : end
}

function hasPhoneWordAfter(probe: Probe, end: number): boolean {
  let index = end
  while (index < end + 3 && holds(gap, probe.code(index))) index++
  // Most words are none of these by their first letters.
  return mayBeginWordAfter(probe, index) && wordAfter.test(textAfter(probe, end))
}

const gap = characterClass(' \t\n\v\f\r(-', (code) => code >= 0xa0)
const initials = characterClass('acdfhmoptwACDFHMOPTW')

/** By the lower five bits of each: the first three letters of the words after a number. */
const beginnings = new Uint8Array(1 << 15)
for (const [first = 0, second = 0, third = 0] of [
  'off',
  'fax',
  'mob',
  'hom',
  'cel',
  'wor',
  'pho',
  'tel',
  'des',
  'dir',
  'as ',
].map((word) => Array.from(word, (letter) => letter.charCodeAt(0) & 31)))
  beginnings[(first << 10) | (second << 5) | third] = 1

function mayBeginWordAfter(probe: Probe, index: number): boolean {
  if (!holds(initials, probe.code(index))) return false
  const { text } = probe
  if (index + 2 >= text.length) return true
  const packed = ((text.charCodeAt(index) & 31) << 10) | ((text.charCodeAt(index + 1) & 31) << 5)
  return beginnings[packed | (text.charCodeAt(index + 2) & 31)] === 1
}

/** Groups of digits as numbers are dialled in a country: a trunk zero, or an area in brackets. */
function looksNational(text: string, { digits, groups }: NumberRun): boolean {
  if (groups < 2 || digits < 9 || digits > 11 || /^\d{3}-\d\d-\d{4}$/.test(text)) return false
  return /^(?:0[1-9]|\()[\d ()-]+\d\d$/.test(text)
}

function isPlainlyPhone(probe: Probe, start: number, end: number): boolean {
  if (hasPlainPhoneWordBefore(probe, start)) return true
  return probe.code(end) === 32 && (probe.code(end + 1) | 32) === 97 && plainWordAfter.test(textAfter(probe, end))
}

function isLowerCase(code: number): boolean {
  return code >= 97 && code <= 122
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
  return !endsWord(probe, end) && (probe.code(end) | 32) !== 120
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
