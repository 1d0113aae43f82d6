// Owns tokens that are numbers, for cards, accounts and telephone numbers that must stay digits. It does not know which
// were issued: a number is a token only because it was, so whoever asks brings the table.
import { passesLuhn } from './checksums.ts'

const digitsMin = 9
/** The longest card number (ISO/IEC 7812-1). */
const digitsMax = 19
const numberForm = /^\+?\(?[0-9][0-9 ./()-]*[0-9]$/
/** Between digits of one number at most: `) `. */
const separatorsMax = 2

/** Digits and what people put between them, few enough and enough of them to be told from other numbers. */
export function hasNumberForm(value: string): boolean {
  if (value.length > 2 * digitsMax || !numberForm.test(value)) return false
  const count = digitsOf(value).length
  return count >= digitsMin && count <= digitsMax
}

/** A loop, because every number of a text may have to be asked for. */
export function digitsOf(text: string): string {
  let digits = ''
  for (let at = 0; at < text.length; at++) if (isDigit(text.charCodeAt(at))) digits += text.charAt(at)
  return digits
}

/** Digits of any whole number are exact in a double up to here (2^53 has 16), and in 15 of them whatever zeros follow. */
const safeDigits = Number.MAX_SAFE_INTEGER.toString().length
const significantDigits = safeDigits - 1

/**
 * As many digits as the value has, from `random`, which is asked for as many. An agent that reads them as a JSON number
 * has the same digits: no zero in front, no whole number that a double rounds. Never a valid card number, nor a social
 * security number that anybody has: area 666 is not assigned (20 CFR 422.103).
 */
export function numberToken(entity: string, value: string, random: (count: number) => string): string {
  const { length } = digitsOf(value)
  const drawn = random(length)
  if (entity === 'us-ssn') return `666${drawn.slice(3)}`
  const zeros = length > safeDigits ? '0'.repeat(length - significantDigits) : ''
  const digits = firstDigit(drawn, length) + drawn.slice(1, length - zeros.length)
  if (!passesLuhn(digits + zeros)) return digits + zeros
  return digits.slice(0, -1) + String((Number(digits.at(-1)) + 1) % 10) + zeros
}

/** All of 16 digits that begin with 8 at most are below 2^53. */
function firstDigit(drawn: string, length: number): string {
  if (length === safeDigits) return String(1 + (Number(drawn.charAt(0)) % 8))
  return drawn.startsWith('0') ? '9' : drawn.charAt(0)
}

/** The value with other digits in the same places. */
export function withDigits(value: string, digits: string): string {
  let next = 0
  return value.replaceAll(/[0-9]/g, () => digits.charAt(next++))
}

export type FoundNumber<Known> = { readonly end: number; readonly known: Known; readonly isPlain: boolean }

/**
 * The number that begins with the digit at `start`, if the table has it: with any separators, or plain. Only numbers of
 * `lengths` (bit n: n digits) are looked up.
 */
export function numberAt<Known>(
  text: string,
  start: number,
  lengths: number,
  lookUp: (digits: string) => Known | undefined,
): FoundNumber<Known> | undefined {
  if (isDigit(text.charCodeAt(start - 1))) return undefined
  let count = 0
  let separators = 0
  for (let at = start; at < text.length && count < digitsMax; at++) {
    if (!isDigit(text.charCodeAt(at))) {
      separators += 1
      if (separators > separatorsMax || !isSeparator(text.charCodeAt(at))) return undefined
      continue
    }
    separators = 0
    count += 1
    if ((lengths & (1 << count)) === 0 || isDigit(text.charCodeAt(at + 1))) continue
    const known = lookUp(digitsOf(text.slice(start, at + 1)))
    if (known !== undefined) return { end: at + 1, known, isPlain: at + 1 - start === count }
  }
  return undefined
}

/** What stands for the digits of a token: plain where they stood plain. Signs before the first digit stay in the text. */
export function restoredNumber(value: string, isPlain: boolean): string {
  return isPlain ? digitsOf(value) : value.slice(value.search(/[0-9]/))
}

/** Where the number starts that the text ends in, if it may yet become a token. Its separators count: they may go on. */
export function unfinishedNumberFrom(text: string): number {
  let start = text.length
  let digits = 0
  let separators = 0
  for (let at = text.length - 1; at >= 0 && digits <= digitsMax; at--) {
    if (isDigit(text.charCodeAt(at))) {
      separators = 0
      digits += 1
      if (digits <= digitsMax && !isDigit(text.charCodeAt(at - 1))) start = at
    } else if (++separators > separatorsMax || !isSeparator(text.charCodeAt(at))) break
  }
  return start
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Space, and all of `()./-`. */
function isSeparator(code: number): boolean {
  return code === 32 || code === 40 || code === 41 || (code >= 45 && code <= 47)
}
