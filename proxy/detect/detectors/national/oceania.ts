// Owns numbers of people in Australia and New Zealand.
import { digitAt, isOneDigit, remainderOf, weightedSum } from '../../checksums.ts'
import { numberDetector } from '../../national-id.ts'

/** ATO, "Tax file number": weights 1 4 3 7 5 8 6 9 10, modulus 11. */
const tfn = numberDetector({
  entity: 'au-tfn',
  country: 'au',
  forms: ['3 3 3', '3-3-3', '9'],
  sureness: 'grouped',
  words: 'tfn|tax file',
  valid: (digits) => weightedSum(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0 && !isOneDigit(digits),
})

/** Australian Business Register, "Format of the ABN": one less in front, modulus 89. */
const abn = numberDetector({
  entity: 'au-abn',
  country: 'au',
  forms: ['2 3 3 3', '11'],
  sureness: 'grouped',
  words: 'abn|business number',
  valid: (digits) =>
    !digits.startsWith('0') &&
    weightedSum(`${digitAt(digits, 0) - 1}${digits.slice(1)}`, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) % 89 === 0,
})

/** ASIC, "Australian Company Number digit check": weights 8 to 1, complement to ten. */
const acn = numberDetector({
  entity: 'au-acn',
  country: 'au',
  forms: ['3 3 3', '9'],
  sureness: 'grouped',
  words: 'acn|company number|arbn',
  valid: (digits) =>
    (10 - (weightedSum(digits, [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === digitAt(digits, 8) && !isOneDigit(digits),
})

/** Services Australia, "Medicare number": first digit 2 to 6, weights 1 3 7 9, then the issue and one's place on the card. */
const medicare = numberDetector({
  entity: 'au-medicare',
  country: 'au',
  forms: ['4 5 1', '4-5-1', '10', '11'],
  sureness: 'grouped',
  words: 'medicare|health card',
  valid: (digits) =>
    digits >= '2' &&
    digits < '7' &&
    weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digitAt(digits, 8) &&
    !digits.endsWith('00'),
})

/** Inland Revenue, "Resident withholding tax specification": eight or nine digits, two rows of weights, modulus 11. */
const ird = numberDetector({
  entity: 'nz-ird',
  country: 'nz',
  forms: ['2-3-3', '3-3-3', '3 3 3', '8', '9'],
  sureness: 'word',
  words: 'ird|inland revenue|tax number',
  valid: (digits) => {
    const padded = digits.padStart(9, '0')
    if (remainderOf(padded, 1_000_000_000) < 10_000_000) return false
    let check = (11 - (weightedSum(padded, [3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11
    if (check === 10) check = (11 - (weightedSum(padded, [7, 4, 3, 2, 5, 2, 7, 6]) % 11)) % 11
    return check === digitAt(padded, 8)
  },
})

export const oceaniaIds = [...tfn, ...abn, ...acn, ...medicare, ...ird]
