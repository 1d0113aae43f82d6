// Owns numbers of people in the United Kingdom.
import { digitAt, isDayOfYear, isOneDigit, weightedSum } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** NHS Data Dictionary, "NHS number": 3 3 4, modulus 11. One in eleven numbers passes, so a bare run proves nothing. */
const nhs = numberDetector({
  entity: 'uk-nhs',
  country: 'uk',
  forms: ['3 3 4', '3-3-4', '10'],
  sureness: 'grouped',
  words: 'nhs|national health|patient|medical record',
  valid: (digits) => {
    const check = (11 - (weightedSum(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11
    return check === digitAt(digits, 9) && !isOneDigit(digits)
  },
})

/** HMRC National Insurance Manual NIM39110: the letters that are not used, and the suffix. */
const nino = codeDetector({
  entity: 'uk-nino',
  country: 'uk',
  letters: 2,
  spaced: true,
  pattern: /[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]/,
  sureness: 'always',
  valid: (text) => !/^(?:BG|GB|KN|NK|NT|TN|ZZ)/.test(text),
})

/** DVLA INF45P: surname, decade, month (5 added for women), day, year, initials, three characters that tell apart. */
const drivingLicence = codeDetector({
  entity: 'uk-driving-licence',
  country: 'uk',
  letters: 5,
  pattern: /[A-Z]{1,5}9{0,4}\d{6}[A-Z9]{2}[A-Z0-9][A-Z]{2}/,
  sureness: 'always',
  valid: (text) =>
    text.length === 16 &&
    isDayOfYear(Number(text.slice(6, 8)) % 50, Number(text.slice(8, 10))) &&
    text.slice(0, 5) !== '99999',
})

/** HMRC, "Unique Taxpayer Reference": the first digit checks the others. */
const utr = numberDetector({
  entity: 'uk-utr',
  country: 'uk',
  forms: ['10', '5 5'],
  sureness: 'word',
  words: 'utr\\b|unique taxpayer|tax(?:payer)? reference|self assessment',
  valid: (digits) => {
    const remainder = weightedSum(digits.slice(1), [6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11
    return '21987654321'.charAt(remainder) === digits.charAt(0)
  },
})

export const ukIds = [...nhs, ...nino, ...drivingLicence, ...utr]
