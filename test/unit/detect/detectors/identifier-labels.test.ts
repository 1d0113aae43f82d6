// Labels as code, JSON, CSV and headers write them: the words of an identifier count at its seams, and nowhere else.
import t from 'tap'
import { found } from './found.ts'

type Words = readonly string[]

const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
const writings: Readonly<Record<string, (words: Words) => string>> = {
  'camel case': (words) => words.map((word, at) => (at === 0 ? word : capitalised(word))).join(''),
  'Pascal case': (words) => words.map(capitalised).join(''),
  'snake case': (words) => words.join('_'),
  'kebab case': (words) => words.join('-'),
  constants: (words) => words.join('_').toUpperCase(),
  words: (words) => words.join(' '),
}

const rows: readonly (readonly [entity: string, value: string, ...names: readonly string[]])[] = [
  ['phone', '0341 8387176', 'phone', 'phone number', 'mobile phone', 'tel no', 'fax number', 'home phone number'],
  ['phone', '0341 8387176', 'contact number', 'work phone', 'phone work', 'telefon nummer', 'phone number value'],
  ['date-of-birth', '1985-02-03', 'date of birth', 'birth date', 'dob', 'fecha de nacimiento', 'geburts datum'],
  ['bank-account', '12345678', 'account number', 'account no', 'bank account', 'bank account number', 'acct no'],
  ['passport', 'X1234567', 'passport', 'passport no', 'passport number', 'travel document number'],
  ['driving-licence', 'D1234567', 'driver licence', 'driving license no', 'drivers license number'],
  ['medical-record', '12345678', 'mrn', 'patient id', 'medical record number'],
  ['bank-routing', '12-34-56', 'sort code'],
  ['us-ssn', '378079520', 'ssn', 'social security number', 'ssn value', 'ss number'],
  ['us-itin', '912781234', 'tax id', 'taxpayer id', 'itin'],
  ['payment-card', '4222222222222', 'card number', 'cc number', 'pan'],
]

void t.test('the words of a label are known however they are joined, and behind other words', async (t) => {
  for (const [entity, value, ...names] of rows) {
    for (const name of names) {
      for (const [writing, write] of Object.entries(writings)) {
        for (const words of [name.split(' '), ['customer', ...name.split(' ')]]) {
          const label = write(words)
          for (const text of [`"${label}": "${value}"`, `${label}=${value}`])
            t.same(found(text, entity), [value], `${writing}: ${text}`)
        }
      }
    }
  }
})

void t.test('acronyms end and begin where other words do', async (t) => {
  t.same(found('userSSN: 378079520, SSNNumber = 378079520', 'us-ssn'), ['378079520', '378079520'])
  t.same(found('userDOB: 1985-02-03, DOBText: x, USPassport: X1234567', 'pii'), ['1985-02-03', 'X1234567'])
  t.same(found('phone2: 0341 8387176, phone_3: 0341 8387177', 'phone'), ['0341 8387176', '0341 8387177'])
})

void t.test('the letters of a label within other words say nothing', async (t) => {
  for (const [entity, ...texts] of [
    [
      'phone',
      'telemetryId: 03418387176',
      'microphoneGain: 0341 838717',
      'hotelNo: 0341 8387176',
      'cellPadding=03418387176',
    ],
    ['phone', 'workOrderId: 03418387176', 'officeCode: 03418387176', 'smsTemplateId: 03418387176'],
    ['date-of-birth', 'Dobson, 12/03/2024', 'adobe: 2024-03-12', 'bornholm 12.03.2024', 'rebornAt: 2024-03-12'],
    [
      'bank-account',
      'accountName: 12345678',
      'accountNote: 12345678',
      'accountNodeId: 12345678',
      'subaccountn=12345678',
    ],
    ['passport', 'passportOffice: 12345678', 'compassportNo: X1234567', 'passportNoOfPages: X1234567'],
    ['medical-record', 'impatientId: 12345678', 'outpatientIds: 12345678'],
    ['us-ssn', 'classnumber: 378079520', 'sessionNumber: 378079520', 'lessNo: 378079520', 'assnId: 378079520'],
    ['us-itin', 'syntaxId: 912781234', 'TaxiDriver: 912781234x'],
    ['payment-card', 'panelNumber: 4222222222222', 'account: 4222222222222', 'gccNumber: 4222222222222'],
  ] as const) {
    for (const text of texts) t.same(found(text, entity), [], text)
  }
})
