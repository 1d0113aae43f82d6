// Owns bank accounts: IBAN (ISO 13616, length by country, mod 97) however it is spaced.
import { endsWord, startsValue } from '../boundary.ts'
import { remainderOf, weightedSum } from '../checksums.ts'
import { alphanumerics, holds, isDigit, isLetter } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'iban'

/** SWIFT IBAN registry: characters in all. */
const lengths: Readonly<Record<string, number>> = Object.fromEntries(
  [
    '15 NO',
    '16 BE',
    '18 DK FI FK FO GL NL SD',
    '19 MK SI',
    '20 AT BA EE KZ LT LU MN XK',
    '21 CH HR LI LV',
    '22 BG BH CR DE GB GE IE ME RS VA',
    '23 AE GI IL IQ OM SO TL',
    '24 AD CZ ES MD PK RO SA SE SK TN VG',
    '25 LY PT ST',
    '26 IS TR',
    '27 BI DJ FR GR IT MC MR SM',
    '28 AL AZ BY CY DO GT HN HU LB NI PL SV',
    '29 BR EG PS QA UA',
    '30 JO KW MU YE',
    '31 MT SC',
    '32 LC',
    '33 RU',
  ].flatMap((row) =>
    row
      .split(' ')
      .slice(1)
      .map((country) => [country, Number.parseInt(row, 10)]),
  ),
)

/** By the lower five bits of both letters. */
const lengthsByLetters = new Uint8Array(1 << 10)
for (const [country, length] of Object.entries(lengths))
  lengthsByLetters[packed(country.charCodeAt(0), country.charCodeAt(1))] = length

function packed(first: number, second: number): number {
  return ((first & 31) << 5) | (second & 31)
}

/** Costa Rica had one digit less until 2017. */
const formerLengthCR = 21
const costaRica = packed(67, 82)

export const iban: Detector = {
  entity,
  group,
  digits: 'code',
  lettersMin: 2,
  find(probe, at) {
    const { text } = probe
    const start = at - 2
    if (start < 0 || !isLetter(text.charCodeAt(start))) return
    const letters = packed(text.charCodeAt(start), text.charCodeAt(start + 1))
    const length = lengthsByLetters[letters]
    if (length === undefined || length === 0 || !startsValue(probe, start)) return
    probe.startsAt(start)
    const end =
      readSpaced(probe, start, length) ?? (letters === costaRica ? readSpaced(probe, start, formerLengthCR) : undefined)
    if (end !== undefined) probe.accept(iban, start, end, true)
  },
  tailStart: lettersAtEnd,
}

/**
 * Poland's accounts without the country: 26 digits, which are an IBAN when PL is put before them. The bank's eight
 * digits have a check of their own (NBP, "Numer rachunku bankowego", weights 3 9 7 1).
 */
export const domesticAccount: Detector = {
  entity,
  group,
  digits: 'number',
  digitsMin: 20,
  // In groups, or as many as are read.
  firstLengths: [2, 20],
  find(probe, start) {
    if (probe.number.digits < 20) return
    const end = readDigits(probe, start)
    if (end !== undefined) probe.accept(domesticAccount, start, end, true)
  },
}

/** The end of 26 digits in one run, or in two and then fours, that pass both checks. */
function readDigits(probe: Probe, start: number): number | undefined {
  const separator = probe.code(start + 2)
  const isGrouped = separator === 32 || separator === 45 || separator === 46 || separator === 0xa0
  let digits = ''
  let index = start
  while (digits.length < polishDigits) {
    if (isGrouped && digits.length % 4 === 2 && probe.code(index++) !== separator) return undefined
    const code = probe.code(index++)
    if (!isDigit(code)) return undefined
    digits += String.fromCharCode(code)
  }
  if (!endsWord(probe, index)) return undefined
  const isBank = weightedSum(digits.slice(2), [3, 9, 7, 1, 3, 9, 7, 1]) % 10 === 0
  return isBank && remainderOf(`${digits.slice(2)}2521${digits.slice(0, 2)}`, 97) === 1 ? index : undefined
}

const polishDigits = 26

/** The end of `length` letters and digits with at most one separator between any two, when they pass the check. */
function readSpaced(probe: Probe, start: number, length: number): number | undefined {
  const { units } = probe
  let index = start
  let seen = 0
  for (let count = 0; count < length; count++) {
    // Behind the text there are zeros, which are of no kind.
    let code = units[index] as number
    let kind = kindOf(code)
    if (kind === separator && count > 0) {
      code = units[++index] as number
      kind = kindOf(code)
    }
    if (kind <= separator || (count > 1 && count < 4 && kind !== digit)) {
      probe.code(index)
      return undefined
    }
    // The country's letters are what they are.
    seen |= count > 3 ? kind : kind & ~repairable
    read[count] = code
    index++
  }
  const next = probe.code(index)
  const isMixedCase = (seen & (lower | upper)) === (lower | upper)
  if (isMixedCase || holds(alphanumerics, next)) return undefined
  return passesCheck(length, asWritten) || ((seen & repairable) !== 0 && passesCheck(length, repair))
    ? index
    : undefined
}

/** Of units; those that are repairable stand in either case. Everything else is 0. */
const separator = 1
const digit = 2
const lower = 4
const upper = 8
const repairable = 16
const kinds = new Uint8Array(256).fill(digit, 48, 58).fill(upper, 65, 91).fill(lower, 97, 123)
for (const code of [32, 45, 46, 10, 0xa0]) kinds[code] = separator
for (const code of [108, 73, 79, 111]) kinds[code] = repairable

function kindOf(code: number): number {
  return code < 256 ? (kinds[code] as number) : 0
}

const caseBit = 32
/** The longest has 33. */
const read = new Uint16Array(40)

/** The first four come last. They are never taken for others. */
function passesCheck(length: number, meaning: (code: number) => number): boolean {
  let remainder = 0
  for (let i = 4; i < length; i++) remainder = mod97(remainder, meaning(read[i] ?? 0))
  for (let i = 0; i < 4; i++) remainder = mod97(remainder, read[i] ?? 0)
  return remainder === 1
}

function asWritten(code: number): number {
  return code
}

/** As it was before somebody read 1 for l and 0 for O. */
function repair(code: number): number {
  if (code === 108 || code === 73) return 49
  return code === 79 || code === 111 ? 48 : code
}

/** ISO 7064 mod 97-10, one character further; the first four of an IBAN come last. Letters count from A = 10. */
function mod97(remainder: number, code: number): number {
  return isDigit(code) ? (remainder * 10 + code - 48) % 97 : (remainder * 100 + (code & ~caseBit) - 55) % 97
}

/** The country's two letters come before the digits that wake this detector. */
function lettersAtEnd(units: Uint16Array, end: number): number {
  let start = end
  while (start > 0 && start > end - 2 && isLetter(units[start - 1] as number)) start--
  return start
}
