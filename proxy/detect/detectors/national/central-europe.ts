// Owns numbers of people in Switzerland, Austria, Czechia, Slovakia, Hungary, Slovenia and Croatia.
import { digitAt, isDayOfYear, passesMod11And10, remainderOf, weightedSum } from '../../checksums.ts'
import { numberDetector } from '../../national-id.ts'

/** ZAS, "AHV-Nummer": 756 for Switzerland, nine digits, the check of EAN-13. */
const ahv = numberDetector({
  entity: 'ch-ahv',
  country: 'ch',
  forms: ['3.4.4.2', '13', '3 4 4 2'],
  sureness: 'always',
  valid: (digits) =>
    digits.startsWith('756') && weightedSum(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]) % 10 === 0,
})

/** Dachverband der Sozialversicherungsträger, "Versicherungsnummer": order, check (fourth digit), birth date. */
const svnr = numberDetector({
  entity: 'at-svnr',
  country: 'at',
  forms: ['4 6', '4-6', '4/6', '10', '4 2 2 2'],
  sureness: 'always',
  valid: (digits) =>
    !digits.startsWith('0') &&
    isAustrianDate(Number(digits.slice(6, 8)), Number(digits.slice(4, 6))) &&
    weightedSum(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6]) % 11 === digitAt(digits, 3),
})

/** Zákon 133/2000 Sb., "rodné číslo": birth date (50, 20 or 70 added to the month), divisible by eleven. */
const birthNumber = {
  forms: ['6/4', '10'],
  sureness: 'grouped',
  words: 'rodn[eé]|r\\.? ?[cč]\\.|birth number',
  valid: (digits: string) =>
    isDayOfYear((Number(digits.slice(2, 4)) % 50) % 20, Number(digits.slice(4, 6))) &&
    (remainderOf(digits, 11) === 0 || (remainderOf(digits.slice(0, 9), 11) === 10 && digits.endsWith('0'))),
} as const
const czech = numberDetector({ entity: 'cz-birth-number', country: 'cz', ...birthNumber })
const slovak = numberDetector({ entity: 'sk-birth-number', country: 'sk', ...birthNumber })

/** 1996. évi XX. törvény, "adóazonosító jel": 8, days since 1867, order, weights 1 to 9, modulus 11. */
const taxNumberHu = numberDetector({
  entity: 'hu-tax-id',
  country: 'hu',
  forms: ['10'],
  sureness: 'word',
  words: 'ad[oó]azonos|tax id',
  valid: (digits) =>
    digits.startsWith('8') && weightedSum(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9]) % 11 === digitAt(digits, 9),
})

/** 1996. évi XX. törvény, "TAJ-szám": weights 3 and 7 in turn, modulus 10. */
const socialNumberHu = numberDetector({
  entity: 'hu-taj',
  country: 'hu',
  forms: ['3 3 3', '3-3-3', '9'],
  sureness: 'word',
  words: 'taj\\b|taj sz[aá]m|t[aá]rsadalombiztos',
  valid: (digits) => weightedSum(digits, [3, 7, 3, 7, 3, 7, 3, 7]) % 10 === digitAt(digits, 8),
})

/** Zakon o centralnem registru prebivalstva, "EMŠO": birth date, region 50–59, weights 7 to 2 twice, modulus 11. */
const emso = numberDetector({
  entity: 'si-emso',
  country: 'si',
  forms: ['13'],
  sureness: 'always',
  valid: (digits) =>
    isDayOfYear(Number(digits.slice(2, 4)), Number(digits.slice(0, 2))) &&
    (11 - (weightedSum(digits, [7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === digitAt(digits, 12),
})

/** Zakon o osobnom identifikacijskom broju: ISO 7064 mod 11,10. */
const oib = numberDetector({
  entity: 'hr-oib',
  country: 'hr',
  forms: ['11'],
  sureness: 'word',
  words: 'oib\\b|osobni',
  valid: passesMod11And10,
})

export const centralEuropeIds = [
  ...ahv,
  ...svnr,
  ...czech,
  ...slovak,
  ...taxNumberHu,
  ...socialNumberHu,
  ...emso,
  ...oib,
]

/** Months 13 to 15 are of those whose birth dates have no numbers left. */
function isAustrianDate(month: number, day: number): boolean {
  return isDayOfYear(month > 12 ? 12 : month, day) && month <= 15
}
