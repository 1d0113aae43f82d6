// Owns numbers of people in Turkey, Israel, South Africa, Nigeria and Egypt.
import { digitAt, isDayOfYear, isOneDigit, passesLuhn, passesVerhoeff, weightedSum } from '../../checksums.ts'
import { numberDetector } from '../../national-id.ts'

/** Nüfus ve Vatandaşlık İşleri, "T.C. kimlik numarası": two digits of modulus 10. */
const tckn = numberDetector({
  entity: 'tr-national-id',
  country: 'tr',
  forms: ['11'],
  sureness: 'always',
  valid: (digits) => {
    if (digits.startsWith('0')) return false
    const odd = weightedSum(digits, [1, 0, 1, 0, 1, 0, 1, 0, 1])
    const even = weightedSum(digits, [0, 1, 0, 1, 0, 1, 0, 1])
    const tenth = (odd * 7 - even + 100) % 10
    return tenth === digitAt(digits, 9) && (odd + even + tenth) % 10 === digitAt(digits, 10)
  },
})

/** Population and Immigration Authority, "mispar zehut": nine digits, Luhn. */
const zehut = numberDetector({
  entity: 'il-id',
  country: 'il',
  forms: ['9', '8-1', '1-7-1'],
  sureness: 'word',
  words: 'teudat|zehut|ת["״]?ז|זהות|israeli id|id number',
  valid: (digits) => passesLuhn(digits) && !isOneDigit(digits),
})

/** Department of Home Affairs, Identification Act 68 of 1997: birth date, order, citizenship, Luhn. */
const za = numberDetector({
  entity: 'za-id',
  country: 'za',
  forms: ['13', '6 4 3', '6 4 2 1'],
  sureness: 'always',
  valid: (digits) =>
    isDayOfYear(Number(digits.slice(2, 4)), Number(digits.slice(4, 6))) &&
    /[012]..$/.test(digits) &&
    passesLuhn(digits),
})

/** NIMC, "National Identification Number": eleven digits; the last is a Verhoeff digit. */
const nin = numberDetector({
  entity: 'ng-nin',
  country: 'ng',
  forms: ['11', '4 3 4', '4-3-4'],
  sureness: 'word',
  words: 'nin\\b|national identi',
  valid: passesVerhoeff,
})

/** Civil Status Organization, "الرقم القومي": century, birth date, governorate, order. */
const egyptian = numberDetector({
  entity: 'eg-national-id',
  country: 'eg',
  forms: ['14'],
  sureness: 'word',
  words: 'الرقم القومي|national id|egyptian id',
  valid: (digits) =>
    /^[23]/.test(digits) &&
    isDayOfYear(Number(digits.slice(3, 5)), Number(digits.slice(5, 7))) &&
    Number(digits.slice(7, 9)) > 0,
})

export const westAsiaAndAfricaIds = [...tckn, ...zehut, ...za, ...nin, ...egyptian]
