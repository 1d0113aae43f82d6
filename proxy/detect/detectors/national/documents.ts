// Owns numbers of documents that have no check digit: by their form, beside the word that names the document.
import { digitAt, weightedSum } from '../../checksums.ts'
import { codeDetector, numberDetector } from '../../national-id.ts'

/** Passports: HM Passport Office, Ministerio del Interior, Ministry of External Affairs, 외교부, Department of State. */
const passports = (
  [
    ['uk', 2, /[A-Z]{2}\d{7}/, 'passport'],
    ['es', 3, /[A-Z]{3}\d{6}/, 'pasaporte|passport'],
    ['in', 1, /[A-PR-WY][1-9]\d ?\d{4}[1-9]/, 'passport'],
    ['kr', 1, /[MSROD]\d{3}(?:[A-Z]\d{4}|\d{5})/, '여권|passport'],
    ['us', 1, /[A-Z]\d{8}/, 'passport|travel document'],
  ] as const
).flatMap(([country, letters, pattern, words]) =>
  codeDetector({
    entity: `${country}-passport`,
    country,
    letters,
    pattern,
    sureness: 'word',
    words,
    valid: () => true,
  }),
)

/** Ministero dell'Interno, "carta d'identità": of paper, and electronic (CIE 2.0 and 3.0). */
const italianIdCard = codeDetector({
  entity: 'it-id-card',
  country: 'it',
  letters: 2,
  spaced: true,
  pattern: /[A-Z]{2} ?\d{7}|[A-Z]{2}\d{5}[A-Z]{2}/,
  sureness: 'word',
  words: 'carta d|identit[aà]|documento|cie\\b|id card|identity card',
  valid: () => true,
})

/** Ministero delle Infrastrutture, "patente di guida": U1 and eight, or two letters, seven digits and a letter. */
const italianDrivingLicence = codeDetector({
  entity: 'it-driving-licence',
  country: 'it',
  letters: 2,
  pattern: /U1[\dB-HJ-NPR-TV-Z]{7}[A-Z]|[A-Z]{2}\d{7}[A-Z]/,
  sureness: 'word',
  words: 'patente|driving|licen[cs]e',
  valid: () => true,
})

/** 도로교통법 시행규칙: region 11–28, year, six digits, two. */
const koreanDrivingLicence = numberDetector({
  entity: 'kr-driving-licence',
  country: 'kr',
  forms: ['2-2-6-2'],
  sureness: 'grouped',
  words: '운전면허|licen[cs]e',
  valid: (digits) => /^(?:1[1-9]|2[0-68])/.test(digits),
})

/** BIR, "Taxpayer Identification Number": weights 9 to 2, modulus 11; three or five digits more name a branch. */
const philippineTin = numberDetector({
  entity: 'ph-tin',
  country: 'ph',
  forms: ['3-3-3', '3-3-3-3', '3-3-3-5', '9', '12'],
  sureness: 'grouped',
  words: 'tin\\b|taxpayer|tax id',
  valid: (digits) => weightedSum(digits, [9, 8, 7, 6, 5, 4, 3, 2]) % 11 === digitAt(digits, 8) && Number(digits) > 0,
})

/** Finanzverwaltung, "Steuernummer": as the states write it, before it is brought to thirteen digits. */
const germanTaxNumber = numberDetector({
  entity: 'de-tax-number',
  country: 'de',
  forms: ['3/3/5', '2/3/5', '3/4/4', '2/3/4', '5/5'],
  sureness: 'word',
  words: 'steuernummer|steuer-nr|st\\.?-?nr|finanzamt',
  valid: () => true,
})

export const documentIds = [
  ...passports,
  ...italianIdCard,
  ...italianDrivingLicence,
  ...koreanDrivingLicence,
  ...philippineTin,
  ...germanTaxNumber,
]
