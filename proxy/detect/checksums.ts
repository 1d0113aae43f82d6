// Owns the check digit systems that numbers of cards, banks and states share. Each is named after its standard; what a
// number looks like, and which digits it checks, is its detector's.

/** ISO/IEC 7812-1 annex B: from the right, every other digit doubled. What is no digit is passed over. */
export function passesLuhn(text: string): boolean {
  let sum = 0
  let row = 0
  for (let i = text.length - 1; i >= 0; i--) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) continue
    sum += luhnValues[row + digit] as number
    row = 10 - row
  }
  return sum % 10 === 0
}

/** The same, of units. */
export function passesLuhnIn(units: Uint16Array, from: number, to: number): boolean {
  let sum = 0
  let row = 0
  for (let i = to - 1; i >= from; i--) {
    const digit = (units[i] as number) - 48
    if (digit < 0 || digit > 9) continue
    sum += luhnValues[row + digit] as number
    row = 10 - row
  }
  return sum % 10 === 0
}

/** The digits, then twice each, less 9 where that has two: half of all would else be guessed wrongly which. */
const luhnValues = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

/** The digits, each times its weight, summed. Weights without a digit, and digits without a weight, count nothing. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < weights.length && i < digits.length; i++) sum += digitAt(digits, i) * (weights[i] ?? 0)
  return sum
}

/** The remainder of a number of any length. */
export function remainderOf(digits: string, modulus: number): number {
  let remainder = 0
  for (let i = 0; i < digits.length; i++) remainder = (remainder * 10 + digitAt(digits, i)) % modulus
  return remainder
}

/** ISO 7064 mod 11,10: the last digit checks those before it. */
export function passesMod11And10(digits: string): boolean {
  let product = 10
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (digitAt(digits, i) + product) % 10
    product = ((sum === 0 ? 10 : sum) * 2) % 11
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1)
}

/** ISO 7064 mod 11-2: the last is a digit or X. */
export function passesMod11And2(text: string): boolean {
  let product = 0
  for (let i = 0; i < text.length - 1; i++) product = ((product + digitAt(text, i)) * 2) % 11
  const check = (12 - product) % 11
  return (check === 10 ? 'X' : String(check)) === text.at(-1)
}

/** J. Verhoeff, "Error detecting decimal codes" (1969): the dihedral group of order ten. */
export function passesVerhoeff(digits: string): boolean {
  let check = 0
  for (let i = 0; i < digits.length; i++) {
    const permuted = permute(digitAt(digits, digits.length - 1 - i), i % 8)
    check = combine(check, permuted)
  }
  return check === 0
}

const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

function permute(digit: number, times: number): number {
  let permuted = digit
  for (let i = 0; i < times; i++) permuted = permutation[permuted] ?? 0
  return permuted
}

/** Rotations are 0–4, reflections 5–9. */
function combine(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : ((a + b) % 5) + 5
  return b < 5 ? ((a - b) % 5) + 5 : (a - b + 5) % 5
}

/** ICAO Doc 9303 part 3: digits and letters (A = 10) by 7, 3, 1; the remainder by ten. */
export function documentCheck(text: string): number {
  let sum = 0
  for (let i = 0; i < text.length; i++) sum += valueAt(text, i) * ([7, 3, 1][i % 3] ?? 0)
  return sum % 10
}

/** 0–9, and letters from A = 10, of either case. */
export function valueAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code < 58 ? code - 48 : (code | 32) - 87
}

export function digitAt(digits: string, index: number): number {
  return digits.charCodeAt(index) - 48
}

/** `1111111`: passes many checks, and is what people write where there is no number. */
export function isOneDigit(digits: string): boolean {
  return digits === digits.charAt(0).repeat(digits.length)
}

/** Two digits of a year say nothing of its century, so 29 February is always possible. */
export function isDayOfYear(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= (daysOfMonth[month - 1] ?? 0)
}

const daysOfMonth = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
