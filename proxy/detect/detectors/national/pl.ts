// Owns numbers of people in Poland.
import { digitAt, isDayOfYear, isOneDigit, valueAt, weightedSum } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** Ustawa o ewidencji ludności, art. 15: birth date with the century in the month, weights 1 3 7 9. */
const pesel = numberDetector({
  entity: 'pl-pesel',
  country: 'pl',
  forms: ['11', '6 5', '6-5'],
  sureness: 'always',
  words: 'pesel|ewidencyjn',
  valid: (digits) => {
    if (!isDayOfYear(Number(digits.slice(2, 4)) % 20, Number(digits.slice(4, 6)))) return false
    return weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
  },
})

/** Rozporządzenie w sprawie NIP: weights 6 5 7 2 3 4 5 6 7, modulus 11. */
const nip = numberDetector({
  entity: 'pl-nip',
  country: 'pl',
  forms: ['3-3-2-2', '3-2-2-3', '3 3 2 2', '3 2 2 3', '10'],
  sureness: 'grouped',
  words: 'nip|vat\\b|podatkow|podatnik',
  valid: (digits) =>
    weightedSum(digits, [6, 5, 7, 2, 3, 4, 5, 6, 7]) % 11 === digitAt(digits, 9) && !digits.startsWith('000'),
})

/** GUS, "REGON": nine digits, or fourteen for a part of a body; modulus 11, ten counts as nought. */
const regon = numberDetector({
  entity: 'pl-regon',
  country: 'pl',
  forms: ['3-3-3', '3 3 3', '9', '14'],
  sureness: 'word',
  words: 'regon|rejestr|statystyczn',
  valid: (digits) =>
    !isOneDigit(digits) &&
    (weightedSum(digits, [8, 9, 2, 3, 4, 5, 6, 7]) % 11) % 10 === digitAt(digits, 8) &&
    (digits.length === 9 ||
      (weightedSum(digits, [2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) % 11) % 10 === digitAt(digits, 13)),
})

/** Rozporządzenie w sprawie dowodu osobistego: three letters, a check digit, five digits; weights 7 3 1. */
const idCard = codeDetector({
  entity: 'pl-id-card',
  country: 'pl',
  letters: 3,
  spaced: true,
  pattern: /[A-Z]{3}[ -]?\d{6}/,
  sureness: 'always',
  words: 'dow[oó]d|id card|identity card',
  uncheckedByWord: true,
  valid: (text) => weighted(text, [7, 3, 1, 0, 7, 3, 1, 7, 3]) % 10 === digitAt(text, 3),
})

/** Rozporządzenie w sprawie dokumentów paszportowych: two letters, a check digit, six digits. */
const passport = codeDetector({
  entity: 'pl-passport',
  country: 'pl',
  letters: 2,
  spaced: true,
  pattern: /[A-Z]{2} ?\d[ -]?\d{6}/,
  sureness: 'word',
  words: 'paszport|passport',
  uncheckedByWord: true,
  valid: (text) => weighted(text, [7, 3, 0, 1, 7, 3, 1, 7, 3]) % 10 === digitAt(text, 2),
})

export const plIds = [...pesel, ...nip, ...regon, ...idCard, ...passport]

function weighted(text: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, i) => sum + weight * valueAt(text, i), 0)
}
