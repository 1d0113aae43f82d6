// Owns numbers of passports, licences, patients and accounts that have no check: only after the words that name them.
import { isDigit } from '../characters.ts'
import { weightedSum } from '../checksums.ts'
import { labelledDetector } from '../labelled.ts'
import { letters, wordEndOrDigit } from '../word-places.ts'

/** ICAO Doc 9303 part 4: up to nine letters and digits; every state's has five digits at least. */
const documentNumber =
  '[A-Z]{0,3}[ -]?\\d[A-Z\\d]?[ -]?\\d{4,8}[A-Z]?|[A-Z]\\d{2,3}[A-Z]\\d{4,5}|[CFGHJK][CFGHJ-NPRTV-Z\\d]{8}'

export const passport = labelledDetector({
  entity: 'passport',
  labels: [
    'passport',
    'travel document',
    'reisepass',
    'passeport',
    'pasaporte',
    'passaporto',
    'passaporte',
    'paszport',
    'paspoort',
  ],
  rest: '(?:s|u|em)?',
  value: documentNumber,
  valid: hasDigits(5),
})

/** AAMVA DL/ID Card Design Standard: jurisdictions have from five digits on, many with letters before. */
const licenceNumber = '[A-Z]{0,5}[ -]?\\d[A-Z\\d]*(?:[ -/][A-Z\\d]+){0,4}'

export const drivingLicence = [
  labelledDetector({
    entity: 'driving-licence',
    labels: ['driver', 'driving'],
    rest: "(?:['’]?s['’]?)?[ _-]?(?:licen[cs]e|permit)",
    value: licenceNumber,
    valid: hasDigits(5),
  }),
  labelledDetector({
    entity: 'driving-licence',
    labels: [
      'prawo jazdy',
      'prawa jazdy',
      'permis de conduire',
      'licencia de conducir',
      'patente di guida',
      'rijbewijs',
      'fuehrerschein',
      'carta de condu',
    ],
    rest: `(?-i:[${letters}]{0,12})`,
    value: licenceNumber,
    valid: hasDigits(5),
  }),
]

export const medicalRecord = labelledDetector({
  entity: 'medical-record',
  labels: ['mrn', 'medical record', 'patient id', 'patient number', 'patient no', 'health record', 'chart number'],
  value: '[A-Z]{0,4}[ -]?\\d[\\d-]{4,14}',
  valid: hasDigits(5),
})

export const medicalLicence = labelledDetector({
  entity: 'medical-licence',
  labels: ['dea', 'npi', 'medical licen', 'physician licen', 'nursing licen'],
  rest: '(?:[cs]e)?(?: (?:registration|certificate))?',
  value: '[A-Z]{1,3}[ .-]?\\d{4,8}|\\d{10}',
})

/** Bank accounts have up to 17 digits in the United States (Nacha), 8 in the United Kingdom. */
export const bankAccount = labelledDetector({
  entity: 'bank-account',
  labels: [
    'account n',
    'account #',
    'acct',
    'bank account',
    'checking account',
    'savings account',
    'kontonummer',
    'kontonr',
    'numer konta',
    'numer rachunku',
    'nr konta',
    'nr rachunku',
    'numero de cuenta',
    'rekeningnummer',
  ],
  rest: `(?:(?:umbers?|um|os?|rs?|s)${wordEndOrDigit}\\.?)?`,
  value: '\\d[\\d-]{4,20}\\d|\\d{2,5}(?: \\d{2,6}){1,5}',
  valid: (value) => hasDigits(6)(value) && !/^(?:19|20)\d\d-\d\d-\d\d$/.test(value),
})

/** ABA, "Routing number policy"; UK Payments, sort codes; AusPayNet, BSB; RBI, IFSC; Bundesbank, Bankleitzahl. */
export const bankRouting = [
  labelledDetector({
    entity: 'bank-routing',
    labels: ['routing', 'aba', 'rtn', 'transit n'],
    rest: '(?:umber|o\\b)?(?: (?:transit|routing))?',
    value: '\\d{4}-\\d{4}-\\d|\\d{9}',
    valid: (value) => weightedSum(value.replaceAll('-', ''), [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0,
  }),
  labelledDetector({
    entity: 'bank-routing',
    labels: ['sort code'],
    value: '\\d\\d(?<between>[- ]?)\\d\\d\\k<between>\\d\\d',
  }),
  labelledDetector({ entity: 'bank-routing', labels: ['bsb'], value: '\\d{3}[- ]?\\d{3}' }),
  labelledDetector({ entity: 'bank-routing', labels: ['ifsc'], value: '[A-Z]{4}0[A-Z\\d]{6}' }),
  labelledDetector({ entity: 'bank-routing', labels: ['blz', 'bankleitzahl'], value: '\\d{3} ?\\d{3} ?\\d{2}' }),
]

function hasDigits(least: number): (value: string) => boolean {
  return (value) => {
    let digits = 0
    for (let i = 0; i < value.length; i++) if (isDigit(value.charCodeAt(i))) digits++
    return digits >= least
  }
}
