// Owns numbers of people in the United States, but for Social Security numbers.
import { digitAt, isOneDigit, passesLuhn, weightedSum } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** IRS Internal Revenue Manual 3.21.263: 9xx, and the groups that are given out. */
const itin = numberDetector({
  entity: 'us-itin',
  country: 'us',
  isInPii: true,
  forms: ['3-2-4', '3 2 4', '9'],
  sureness: 'grouped',
  initials: '9',
  words: 'itin|individual taxpayer|tax(?:payer)? id',
  valid: (digits) => /^9..(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])/.test(digits) && !isOneDigit(digits),
})

/** DEA Diversion Control Division, registration number: two letters, seven digits, a check of two sums. */
const dea = codeDetector({
  entity: 'us-dea',
  country: 'us',
  letters: 2,
  pattern: /[ABCDEFGHJKLMPRSTUX][A-Z]\d{7}/,
  sureness: 'always',
  valid: (text) =>
    weightedSum(text.slice(2), [1, 2, 1, 2, 1, 2]) % 10 === digitAt(text, 8) && !isOneDigit(text.slice(2)),
})

/** CMS, "NPI check digit calculation": Luhn with 80840 before it. */
const npi = numberDetector({
  entity: 'us-npi',
  country: 'us',
  forms: ['4-3-3', '4 3 3', '10'],
  sureness: 'grouped',
  words: 'npi\\b|national provider|provider',
  valid: (digits) => /^[12]/.test(digits) && passesLuhn(`80840${digits}`) && !isOneDigit(digits.slice(0, 9)),
})

/** CMS, "Understanding the Medicare Beneficiary Identifier format": which places have letters, and which letters. */
const letter = '[AC-HJKMNP-RT-Y]'
const either = '[\\dAC-HJKMNP-RT-Y]'
const mbi = codeDetector({
  entity: 'us-mbi',
  country: 'us',
  letters: 0,
  leading: [1],
  pattern: new RegExp(`[1-9]${letter}${either}\\d-?${letter}${either}\\d-?${letter}{2}\\d{2}`),
  sureness: 'always',
  valid: () => true,
})

/** ABA, "Routing number policy": the Federal Reserve's prefixes, weights 3 7 1, modulus 10. */
const routing = numberDetector({
  entity: 'us-routing-number',
  country: 'us',
  forms: ['9', '4-4-1'],
  sureness: 'grouped',
  words: 'routing|aba\\b|rtn\\b|bank',
  valid: (digits) =>
    /^(?:0[1-9]|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)/.test(digits) &&
    weightedSum(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0,
})

export const usItin = itin
export const usIds = [...dea, ...npi, ...mbi, ...routing]
