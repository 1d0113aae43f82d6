// Owns numbers of people in Ireland, Portugal, Greece, Romania, Bulgaria and the Baltic states.
import { digitAt, isDayOfYear, passesLuhn, weightedSum } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** Department of Social Protection, "PPS number": weights 8 to 2, a second letter counts nine times, modulus 23. */
const pps = codeDetector({
  entity: 'ie-pps',
  country: 'ie',
  letters: 0,
  leading: [7],
  pattern: /\d{7}[A-W][ABHTWX]?/,
  sureness: 'always',
  valid: (text) => {
    const second = text.length === 9 ? 'WABCDEFGHI'.indexOf(text.charAt(8)) : 0
    const sum = weightedSum(text, [8, 7, 6, 5, 4, 3, 2]) + Math.max(0, second) * 9
    return 'WABCDEFGHIJKLMNOPQRSTUV'[sum % 23] === text.charAt(7)
  },
})

/** Decreto-Lei 14/2013, "NIF": weights 9 to 2, modulus 11. */
const nif = numberDetector({
  entity: 'pt-nif',
  country: 'pt',
  forms: ['3 3 3', '9'],
  sureness: 'word',
  words: 'nif\\b|contribuinte|nipc|tax',
  valid: (digits) => {
    const check = 11 - (weightedSum(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11)
    return /^(?:[1-35689]|45|7[0-2457-9])/.test(digits) && (check > 9 ? 0 : check) === digitAt(digits, 8)
  },
})

/** ΗΔΙΚΑ, "ΑΜΚΑ": birth date, five digits, Luhn. */
const amka = numberDetector({
  entity: 'gr-amka',
  country: 'gr',
  forms: ['11'],
  sureness: 'always',
  valid: (digits) => isDayOfYear(Number(digits.slice(2, 4)), Number(digits.slice(0, 2))) && passesLuhn(digits),
})

/** ΑΑΔΕ, "ΑΦΜ": powers of two, modulus 11. */
const afm = numberDetector({
  entity: 'gr-afm',
  country: 'gr',
  forms: ['9'],
  sureness: 'word',
  words: 'afm\\b|αφμ|vat\\b|tax',
  valid: (digits) =>
    Number(digits) > 0 && (weightedSum(digits, [256, 128, 64, 32, 16, 8, 4, 2]) % 11) % 10 === digitAt(digits, 8),
})

/** Legea 105/1996, "CNP": sex and century, birth date, county, weights 279146358279, modulus 11. */
const cnp = numberDetector({
  entity: 'ro-cnp',
  country: 'ro',
  forms: ['13'],
  sureness: 'always',
  valid: (digits) => {
    if (digits.startsWith('0') || !isDayOfYear(Number(digits.slice(3, 5)), Number(digits.slice(5, 7)))) return false
    const remainder = weightedSum(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11
    return (remainder === 10 ? 1 : remainder) === digitAt(digits, 12)
  },
})

/** ГРАО, "ЕГН": birth date (20 or 40 added to the month), weights 2 4 8 5 10 9 7 3 6, modulus 11. */
const egn = numberDetector({
  entity: 'bg-egn',
  country: 'bg',
  forms: ['10'],
  sureness: 'always',
  valid: (digits) =>
    isDayOfYear(Number(digits.slice(2, 4)) % 20, Number(digits.slice(4, 6))) &&
    (weightedSum(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6]) % 11) % 10 === digitAt(digits, 9),
})

/** EVS 585:2007 and Lithuania's law I-1524: sex and century, birth date, order, two rows of weights, modulus 11. */
const baltic = {
  forms: ['11'],
  sureness: 'always',
  valid: (digits: string) => {
    if (!/^[1-8]/.test(digits) || !isDayOfYear(Number(digits.slice(3, 5)), Number(digits.slice(5, 7)))) return false
    let check = weightedSum(digits, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11
    if (check === 10) check = (weightedSum(digits, [3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11) % 10
    return check === digitAt(digits, 10)
  },
} as const
const estonian = numberDetector({ entity: 'ee-isikukood', country: 'ee', ...baltic })
const lithuanian = numberDetector({ entity: 'lt-asmens-kodas', country: 'lt', ...baltic })

/** MK noteikumi, "personas kods": birth date and five digits, or 32 and ten since 2017; weights, modulus 11. */
const latvian = numberDetector({
  entity: 'lv-personas-kods',
  country: 'lv',
  forms: ['6-5', '11'],
  sureness: 'grouped',
  words: 'personas kod|pk\\b|identity',
  valid: (digits) => {
    if (digits.startsWith('32')) return true
    if (!isDayOfYear(Number(digits.slice(2, 4)), Number(digits.slice(0, 2)))) return false
    return ((1101 - weightedSum(digits, [1, 6, 3, 7, 9, 10, 5, 8, 4, 2])) % 11) % 10 === digitAt(digits, 10)
  },
})

export const europeIds = [...pps, ...nif, ...amka, ...afm, ...cnp, ...egn, ...estonian, ...lithuanian, ...latvian]
