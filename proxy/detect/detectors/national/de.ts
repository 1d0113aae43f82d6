// Owns numbers of people in Germany.
import { digitAt, documentCheck, isDayOfYear, passesMod11And10, valueAt } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** BZSt, "Aufbau der steuerlichen Identifikationsnummer": ISO 7064 mod 11,10, and no digit more than three times. */
const taxId = numberDetector({
  entity: 'de-tax-id',
  country: 'de',
  forms: ['11', '2 3 3 3'],
  sureness: 'grouped',
  words: 'steuer|idnr|id-nr|tin\\b|tax id|identifikationsnummer',
  valid: (digits) =>
    !digits.startsWith('0') && passesMod11And10(digits) && !/(\d)(?:\d*\1){3}/.test(digits.slice(0, 10)),
})

/** BMI, "Der Personalausweis" and "Der Reisepass": nine characters without vowels, and ICAO's check digit after them. */
const serial = '[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\\d]{8}'
const idCard = codeDetector({
  entity: 'de-id-card',
  country: 'de',
  letters: 1,
  pattern: new RegExp(`[LMNPRTVWXY]${serial.slice(serial.indexOf(']') + 1)}\\d?`),
  sureness: 'word',
  words: 'personalausweis|ausweis|id card|identity card',
  valid: passesDocumentCheck,
})
const passport = codeDetector({
  entity: 'de-passport',
  country: 'de',
  letters: 2,
  pattern: new RegExp(`[CFGHJK]${serial.slice(serial.indexOf(']') + 1)}\\d?`),
  sureness: 'word',
  words: 'reisepass|passnummer|pass-nr|passport|pass\\b',
  valid: passesDocumentCheck,
})

/** Deutsche Rentenversicherung, "Versicherungsnummer": area, birth date, initial, serial, check by cross sums. */
const socialSecurity = codeDetector({
  entity: 'de-social-security',
  country: 'de',
  letters: 0,
  leading: [2, 8],
  pattern: /\d{2} ?\d{6} ?[A-Z] ?\d{2} ?\d/,
  spaced: true,
  sureness: 'always',
  valid: (text) => {
    if (!isDayOfYear(Number(text.slice(4, 6)), Number(text.slice(2, 4)) % 50)) return false
    return crossSum(withNumber(text, 8), [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 === digitAt(text, 11)
  },
})

/** GKV-Spitzenverband, "Krankenversichertennummer": a letter, eight digits, a check by cross sums. */
const healthInsurance = codeDetector({
  entity: 'de-health-insurance',
  country: 'de',
  letters: 1,
  pattern: /[A-Z]\d{9}/,
  sureness: 'word',
  words: 'kvnr|krankenver|versicherten|egk|health insurance|gesundheitskarte',
  valid: (text) => crossSum(withNumber(text, 0), [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 === digitAt(text, 9),
})

/** KBV, "Arztnummern": six digits, their check by 4 and 9, and two for the field. */
const doctor = numberDetector({
  entity: 'de-doctor',
  country: 'de',
  forms: ['9'],
  sureness: 'word',
  words: 'lanr|arztnummer|arzt-nr|doctor',
  valid: (digits) => {
    const sum = [4, 9, 4, 9, 4, 9].reduce((total, weight, i) => total + weight * digitAt(digits, i), 0)
    return (10 - (sum % 10)) % 10 === digitAt(digits, 6)
  },
})

/** BZSt, "Aufbau der Umsatzsteuer-Identifikationsnummer": a sole trader's is a person's. */
const vat = codeDetector({
  entity: 'de-vat-id',
  country: 'de',
  letters: 2,
  spaced: true,
  pattern: /DE[ .-]?\d{3}[ .-]?\d{3}[ .-]?\d{3}/,
  sureness: 'always',
  valid: (text) => passesMod11And10(text.slice(2)),
})

export const deIds = [...taxId, ...idCard, ...passport, ...socialSecurity, ...healthInsurance, ...doctor, ...vat]

/** The tenth checks nine; documents with eight and their check are seen, too. */
function passesDocumentCheck(text: string): boolean {
  const last = text.length - 1
  return /\d$/.test(text) && /\d.*\d/.test(text) && documentCheck(text.slice(0, last)) === digitAt(text, last)
}

/** The letter at `index` as its two-digit number in the alphabet. */
function withNumber(text: string, index: number): string {
  const number = String(valueAt(text, index) - 9).padStart(2, '0')
  return text.slice(0, index) + number + text.slice(index + 1, -1)
}

function crossSum(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < weights.length; i++) {
    const product = digitAt(digits, i) * (weights[i] ?? 0)
    sum += Math.floor(product / 10) + (product % 10)
  }
  return sum
}
