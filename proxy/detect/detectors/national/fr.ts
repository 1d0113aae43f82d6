// Owns numbers of people in France.
import { remainderOf } from '../../checksums.ts'
import { codeDetector } from '../../national-id.ts'

/** INSEE, "Numéro d'inscription au répertoire (NIR)": sex, year, month, place, order; 97 less the remainder by 97. */
const nir = codeDetector({
  entity: 'fr-nir',
  country: 'fr',
  letters: 0,
  leading: [1, 3, 5, 6, 7, 10, 13, 15],
  spaced: true,
  pattern: /[1-478][ .-]?\d{2}[ .-]?\d{2}[ .-]?\d[\dAB][ .-]?\d{3}[ .-]?\d{3}[ .-]?\d{2}/,
  sureness: 'always',
  valid: (text) => {
    const month = Number(text.slice(3, 5))
    if (month === 0 || (month > 12 && month < 20) || (month > 42 && month < 50)) return false
    // Corsica counts as 19 and 18.
    const number = text.slice(0, 13).replace('A', '0').replace('B', '0')
    const shift = text[6] === 'A' ? 1_000_000 : text[6] === 'B' ? 2_000_000 : 0
    const remainder = (remainderOf(number, 97) + 97 - (shift % 97)) % 97
    return 97 - remainder === Number(text.slice(13))
  },
})

/** DGFiP, "numéro fiscal (SPI)": thirteen digits, the last three the remainder by 511. */
const spi = codeDetector({
  entity: 'fr-tax-id',
  country: 'fr',
  letters: 0,
  leading: [2, 4, 7, 10, 13],
  spaced: true,
  pattern: /[0-3]\d ?\d{2} ?\d{3} ?\d{3} ?\d{3}/,
  sureness: 'word',
  words: 'fiscal|spi\\b|imp[oô]t|tax',
  valid: (text) => remainderOf(text.slice(0, 10), 511) === Number(text.slice(10)),
})

export const frIds = [...nir, ...spi]
