// Owns numbers of people in Italy.
import { passesLuhn, valueAt } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** D.M. 23 December 1976: what characters at odd places count; at even places they count their own. */
const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]

/** Where a digit makes two people alike, a letter stands for it. */
const digit = '[\\dLMNP-V]'
const fiscalCode = codeDetector({
  entity: 'it-fiscal-code',
  country: 'it',
  letters: 6,
  spaced: true,
  pattern: new RegExp(`[A-Z]{3} ?[A-Z]{3} ?${digit}{2}[A-EHLMPRST]${digit}{2} ?[A-Z]${digit}{3} ?[A-Z]`),
  sureness: 'always',
  words: 'codice fiscale|cod\\.? ?fisc|c\\.? ?f\\b|fiscal code|tax code',
  uncheckedByWord: true,
  valid: (text) => {
    let sum = 0
    for (let i = 0; i < 15; i++) {
      const value = valueAt(text, i)
      const index = value < 10 ? value : value - 10
      sum += i % 2 === 0 ? (oddValues[index] ?? 0) : index
    }
    return String.fromCharCode(65 + (sum % 26)) === text.at(-1)
  },
})

/** Agenzia delle Entrate, "Partita IVA": eleven digits, Luhn; a sole trader's is a person's. */
const vat = numberDetector({
  entity: 'it-vat',
  country: 'it',
  forms: ['11'],
  sureness: 'word',
  words: 'p\\.? ?iva|partita|piva|vat\\b|codice fiscale',
  valid: (digits) => passesLuhn(digits) && Number(digits.slice(0, 7)) > 0,
})

export const itIds = [...fiscalCode, ...vat]
