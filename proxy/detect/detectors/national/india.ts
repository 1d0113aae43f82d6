// Owns numbers of people in India.
import { isOneDigit, passesVerhoeff } from '../../checksums.ts'
import { codeDetector } from '../../national-id.ts'

/** UIDAI, "Aadhaar": twelve digits, the first two or more, Verhoeff, no palindrome. */
const aadhaar = codeDetector({
  entity: 'in-aadhaar',
  country: 'in',
  letters: 0,
  leading: [4, 12],
  spaced: true,
  pattern: /\d{4}([ :-]?)\d{4}\1\d{4}/,
  sureness: 'always',
  valid: isAadhaar,
})

/** Income Tax Department, "Structure of PAN": the fourth letter says what kind of holder. */
const pan = codeDetector({
  entity: 'in-pan',
  country: 'in',
  letters: 5,
  pattern: /[A-Z]{5}\d{4}[A-Z]/,
  sureness: 'always',
  words: 'pan\\b|permanent account',
  uncheckedByWord: true,
  valid: (text) => 'ABCFGHLJPT'.includes(text.charAt(3)),
})

/** GSTN, "Structure of GSTIN": the state's number, a PAN, the registration, Z, a check character. */
const gstin = codeDetector({
  entity: 'in-gstin',
  country: 'in',
  letters: 0,
  leading: [2],
  pattern: /(?:0[1-9]|[12]\d|3[0-7]|97|99)[A-Z]{5}\d{4}[A-Z][1-9A-Z]Z[\dA-Z]/,
  sureness: 'always',
  valid: () => true,
})

/** Election Commission of India, "EPIC number": three letters and seven digits. */
const voter = codeDetector({
  entity: 'in-voter',
  country: 'in',
  letters: 3,
  pattern: /[A-Z]{3}\d{7}/,
  sureness: 'word',
  words: 'voter|epic|election|elector',
  valid: (text) => !isOneDigit(text.slice(3)),
})

export const indiaIds = [...aadhaar, ...pan, ...gstin, ...voter]

function isAadhaar(digits: string): boolean {
  return digits >= '2' && passesVerhoeff(digits) && digits !== digits.split('').reverse().join('')
}
