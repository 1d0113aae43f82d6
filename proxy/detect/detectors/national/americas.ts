// Owns numbers of people in Canada, Mexico and South America.
import { digitAt, isDayOfYear, isOneDigit, passesLuhn, valueAt, weightedSum } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** Employment and Social Development Canada, "SIN Code of Practice": Luhn; none begins with 0 or 8. */
const sin = numberDetector({
  entity: 'ca-sin',
  country: 'ca',
  forms: ['3 3 3', '3-3-3', '9'],
  sureness: 'grouped',
  words: 'sin\\b|social insurance|nas\\b|assurance sociale',
  valid: (digits) => passesLuhn(digits) && !/^[08]/.test(digits),
})

/** Receita Federal, "CPF": two digits of modulus 11. */
const cpf = numberDetector({
  entity: 'br-cpf',
  country: 'br',
  forms: ['3.3.3-2', '11', '9-2'],
  sureness: 'always',
  valid: (digits) =>
    !isOneDigit(digits) &&
    check11(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) === digitAt(digits, 9) &&
    check11(digits, [11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) === digitAt(digits, 10),
})

/** Receita Federal, "CNPJ": two digits of modulus 11. */
const cnpj = numberDetector({
  entity: 'br-cnpj',
  country: 'br',
  forms: ['2.3.3/4-2', '14'],
  sureness: 'always',
  valid: (digits) =>
    !isOneDigit(digits) &&
    check11(digits, [5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) === digitAt(digits, 12) &&
    check11(digits, [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]) === digitAt(digits, 13),
})

/** Diario Oficial 18 October 2021, "Instructivo CURP": letters of names, birth date, sex, state, a check of modulus 10. */
const curp = codeDetector({
  entity: 'mx-curp',
  country: 'mx',
  letters: 4,
  pattern: /[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z\d]\d/,
  sureness: 'always',
  valid: (text) => {
    if (!isDayOfYear(Number(text.slice(6, 8)), Number(text.slice(8, 10)))) return false
    let sum = 0
    // Ñ stands between N and O.
    for (let i = 0; i < 17; i++) sum += (valueAt(text, i) + (text.charAt(i) > 'N' ? 1 : 0)) * (18 - i)
    return (10 - (sum % 10)) % 10 === digitAt(text, 17)
  },
})

/** Servicio de Registro Civil, "RUN": weights 2 to 7 from the right, modulus 11, ten is K. */
const rut = codeDetector({
  entity: 'cl-rut',
  country: 'cl',
  letters: 0,
  leading: [1, 2, 7, 8],
  pattern: /(?:\d{1,2}\.\d{3}\.\d{3}|\d{7,8})-[\dK]/,
  sureness: 'always',
  valid: (text) => {
    let sum = 0
    for (let i = 0; i < text.length - 1; i++) sum += digitAt(text, text.length - 2 - i) * (2 + (i % 6))
    return '0K987654321'.charAt(sum % 11) === text.at(-1)
  },
})

/** ARCA, "CUIT and CUIL": kind, document, weights 5 4 3 2 7 6 5 4 3 2, modulus 11. */
const cuit = numberDetector({
  entity: 'ar-cuit',
  country: 'ar',
  forms: ['2-8-1', '11'],
  sureness: 'grouped',
  words: 'cui[tl]',
  valid: (digits) =>
    /^(?:2[03-7]|3[034])/.test(digits) &&
    (11 - (weightedSum(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11)) % 11 === digitAt(digits, 10),
})

/** DIAN, "dígito de verificación del NIT": modulus 11. */
const nit = numberDetector({
  entity: 'co-nit',
  country: 'co',
  forms: ['3.3.3-1', '9-1', '10-1'],
  sureness: 'word',
  words: 'nit\\b|rut\\b',
  valid: (digits) => {
    const weights = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43]
    const body = digits.slice(0, -1)
    let sum = 0
    for (let i = 0; i < body.length; i++) sum += digitAt(body, body.length - 1 - i) * (weights[i] ?? 0)
    const remainder = sum % 11
    return (remainder > 1 ? 11 - remainder : remainder) === digitAt(digits, digits.length - 1)
  },
})

export const americasIds = [...sin, ...cpf, ...cnpj, ...curp, ...rut, ...cuit, ...nit]

function check11(digits: string, weights: readonly number[]): number {
  const remainder = weightedSum(digits, weights) % 11
  return remainder < 2 ? 0 : 11 - remainder
}
