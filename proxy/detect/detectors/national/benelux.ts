// Owns numbers of people in Belgium, the Netherlands and Luxembourg.
import { digitAt, isDayOfYear, passesLuhn, passesVerhoeff, remainderOf, weightedSum } from '../../checksums.ts'
import { numberDetector } from '../../national-id.ts'

/** Arrêté royal of 3 April 1984: birth date, order, 97 less the remainder by 97 (with a 2 before it from 2000 on). */
const be = numberDetector({
  entity: 'be-national-number',
  country: 'be',
  forms: ['11', '2.2.2-3.2', '6-3-2', '6 3 2', '2 2 2 3 2'],
  sureness: 'always',
  valid: (digits) => {
    // Twenty or forty are added to the month of those who are in the other register.
    if (!isDayOfYear(Number(digits.slice(2, 4)) % 20, Number(digits.slice(4, 6)))) return false
    const check = Number(digits.slice(9))
    const body = digits.slice(0, 9)
    return 97 - remainderOf(body, 97) === check || 97 - remainderOf(`2${body}`, 97) === check
  },
})

/** Wet algemene bepalingen burgerservicenummer: the "elfproef", weights 9 to 2 and −1. */
const nl = numberDetector({
  entity: 'nl-bsn',
  country: 'nl',
  forms: ['4.2.3', '4 2 3', '3 3 3', '9'],
  sureness: 'word',
  words: 'bsn|burgerservice|sofi|persoonsnummer|citizen service',
  valid: (digits) =>
    weightedSum(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0 &&
    Number(digits) >= 10_000_000 &&
    digitAt(digits, 1) + digitAt(digits, 0) > 0,
})

/** CTIE, "matricule": birth date and order, then a Luhn digit and a Verhoeff digit over the first eleven. */
const lu = numberDetector({
  entity: 'lu-national-id',
  country: 'lu',
  forms: ['13', '4 2 2 5', '8 5'],
  sureness: 'always',
  valid: (digits) =>
    isDayOfYear(Number(digits.slice(4, 6)), Number(digits.slice(6, 8))) &&
    passesLuhn(digits.slice(0, 12)) &&
    passesVerhoeff(digits.slice(0, 11) + digits.slice(12)),
})

export const beneluxIds = [...be, ...nl, ...lu]
