// Owns numbers of people in Sweden, Finland, Norway, Denmark and Iceland.
import { digitAt, isDayOfYear, passesLuhn, weightedSum } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** Skatteverket, SKV 704: birth date (60 added to the day where it is a coordination number), three digits, Luhn. */
const personnummer = codeDetector({
  entity: 'se-personnummer',
  country: 'se',
  letters: 0,
  leading: [6, 8, 10, 12],
  pattern: /(?:\d{8}-?|\d{6}[+-]?)\d{4}/,
  glued: true,
  sureness: 'always',
  valid: (text) => {
    const digits = text.slice(-10)
    if (text.length === 12 && !/^(?:18|19|20)/.test(text)) return false
    const day = Number(digits.slice(4, 6))
    return isDayOfYear(Number(digits.slice(2, 4)), day > 60 ? day - 60 : day) && passesLuhn(digits)
  },
})

/** Skatteverket, SKV 709: the third digit is two at least, which no month's is. */
const organisationsnummer = codeDetector({
  entity: 'se-org-number',
  country: 'se',
  letters: 0,
  leading: [6, 8, 10, 12],
  pattern: /(?:16)?\d{2}[2-9]\d{3}-?\d{4}/,
  sureness: 'grouped',
  words: 'org|f[oö]retag|company',
  valid: (text) => passesLuhn(text.slice(-10)),
})

/** Digital and Population Data Services Agency, "The personal identity code": signs of centuries, remainder by 31. */
const hetu = codeDetector({
  entity: 'fi-hetu',
  country: 'fi',
  letters: 0,
  leading: [6],
  pattern: /\d{6}[-+A-FU-Y]\d{3}[\dA-FHJ-NPR-Y]/,
  sureness: 'always',
  valid: (text) => {
    const digits = text.slice(0, 6) + text.slice(-4, -1)
    if (!isDayOfYear(Number(digits.slice(2, 4)), Number(digits.slice(0, 2))) || Number(digits.slice(6)) < 2)
      return false
    return '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(digits) % 31] === text.at(-1)
  },
})

/** Skatteetaten, "fødselsnummer": birth date, three digits, two checks of modulus 11. */
const fodselsnummer = numberDetector({
  entity: 'no-national-id',
  country: 'no',
  forms: ['11', '6 5'],
  sureness: 'always',
  valid: (digits) => {
    const day = Number(digits.slice(0, 2))
    const month = Number(digits.slice(2, 4))
    if (!isDayOfYear(month > 40 ? month - 40 : month, day > 40 ? day - 40 : day)) return false
    return (
      weightedSum(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2, 1]) % 11 === 0 &&
      weightedSum(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0
    )
  },
})

/** CPR-kontoret, "Personnummeret i CPR": a birth date and four digits, whose check is no longer kept. */
const cpr = numberDetector({
  entity: 'dk-cpr',
  country: 'dk',
  forms: ['6-4', '6 4', '10'],
  sureness: 'word',
  words: 'cpr|personnummer|civil registration',
  valid: (digits) => isDayOfYear(Number(digits.slice(2, 4)), Number(digits.slice(0, 2))),
})

/** Registers Iceland, "kennitala": birth date, two digits, a check of modulus 11, the century. */
const kennitala = numberDetector({
  entity: 'is-kennitala',
  country: 'is',
  forms: ['6-4', '6 4', '10'],
  sureness: 'grouped',
  words: 'kennit|kt\\b|id number',
  valid: (digits) => {
    const day = Number(digits.slice(0, 2))
    if (!isDayOfYear(Number(digits.slice(2, 4)), day > 40 ? day - 40 : day) || !/[890]$/.test(digits)) return false
    return (11 - (weightedSum(digits, [3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === digitAt(digits, 8)
  },
})

export const nordicIds = [...personnummer, ...organisationsnummer, ...hetu, ...fodselsnummer, ...cpr, ...kennitala]
