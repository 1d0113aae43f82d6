// Owns numbers of people in Spain.
import { digitAt } from '../../checksums.ts'
import { codeDetector } from '../../national-id.ts'

/** Real Decreto 1553/2005 and Orden INT/2058/2008: the letter is the number's remainder by 23. */
const checkLetters = 'TRWAGMYFPDXBNJZSQVHLCKE'

const dni = codeDetector({
  entity: 'es-nif',
  country: 'es',
  letters: 0,
  leading: [1, 2, 7, 8],
  spaced: true,
  pattern: /(?:\d{7,8}|\d{1,2}\.\d{3}\.\d{3})[ -]?[A-Z]/,
  sureness: 'always',
  valid: (text) => checkLetters[Number(text.slice(0, -1)) % 23] === text.at(-1),
})

const nie = codeDetector({
  entity: 'es-nie',
  country: 'es',
  letters: 1,
  spaced: true,
  pattern: /[XYZ][ -]?\d{7}[ -]?[A-Z]/,
  sureness: 'always',
  valid: (text) => checkLetters[Number('XYZ'.indexOf(text.charAt(0)) + text.slice(1, -1)) % 23] === text.at(-1),
})

/** Real Decreto 1065/2007 and Orden EHA/451/2008: K, L and M are people, the others bodies. */
const cif = codeDetector({
  entity: 'es-cif',
  country: 'es',
  letters: 1,
  pattern: /[A-HJ-NP-SUVW]-?\d{7}-?[\dA-J]/,
  sureness: 'always',
  valid: (text) => {
    let sum = 0
    for (let i = 1; i < 8; i++) {
      const digit = digitAt(text, i)
      sum += i % 2 === 0 ? digit : digit < 5 ? digit * 2 : digit * 2 - 9
    }
    const check = (10 - (sum % 10)) % 10
    return text.at(-1) === String(check) || text.at(-1) === 'JABCDEFGHI'[check]
  },
})

export const esIds = [...dni, ...nie, ...cif]
