// The entities of `pii` and of the packs in streams: whatever the pieces, what comes out is what the whole text gives.
import t from 'tap'
import { array, assert, boolean, constantFrom, nat, property, tuple } from 'fast-check'
import { packNames } from '../../proxy/detect/entities.ts'
import type { Plan } from '../../proxy/detect/redaction.ts'
import { openVault } from '../../proxy/detect/vault.ts'
import { cut, inPieces, steps, whole } from '../support/in-pieces.ts'
import { planOf } from '../support/plan-of.ts'
import { runsOf } from '../support/runs.ts'

const key = Buffer.alloc(32, 7)

const plans = [
  planOf('mask', ['pii']),
  planOf('mask', ['pii', ...packNames]),
  planOf('mask', packNames),
  planOf('token', ['pii:pl', 'pii:se', 'pii:uk', 'pii:de']),
  planOf('mask', ['crypto-address']),
  planOf('token', ['mac-address', 'date-of-birth', 'passport']),
]

const samples = [
  'wallet 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2 and bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4.',
  'to 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed or wallet 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed',
  'solana 7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV, bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a',
  'mac 0012.3456.789a and 00:1A:2B:3C:4D:5E aa-bb-cc-dd-ee-ff',
  'born in London on 12 May 1990, dob: 1985-03-08',
  'passport number: X1234567 driver’s license no. D123-4567-8901',
  'account number 12345678 routing 021000021 sort code 12-34-56 mrn 1234567 patient id: A-12345',
  'itin 912-70-1234 at 912701234; nino AB 12 34 56 C, nhs 943 476 5919',
  'Steuer-ID: 86095742719. DE 136 695 976 nir 2 69 05 49 588 157 80',
  'X1234567L en mi NIE 12345678Z, RSSMRA85T10A562S x',
  'PESEL 44051401458 NIP 526-025-02-74 dowod ABA300000 nip 5 2 6 0 2 5 0 2 7 4',
  '131052-308T. 811218-9876 is198112189876, 811218-9876 personnummer',
  '2345 6789 0124 ABCPE1234F S1234567D 1EG4-TE5-MK73 tfn 123 456 782',
  'my US number is 09-7625400 one is415-555-0132 91-415-555-0132 tel: 20.12.34',
  '26 cyfr 61 1090 1014 0000 0712 1981 2874 x 61109010140000071219812874.',
  'src=:: dst=::1 192.168.1.1.1 ::/128',
  '{"userPhoneNumber": "0341 8387176", "customerDOB": "1985-03-08", "taxId": "912701234", phone2: 0341 8387176}',
  'bankAccountNo=12345678, US_PassportNumber: X1234567 userSSN: 378079520 patientId "1234567" workOrderId: 0341 838717',
  '_378-07-9520_ __4111 1111 1111 1111__ host_203.0.113.77_ _+1 202 555 0143_ x_00:1A:2B:3C:4D:5E pesel_44051401458_',
  'ip:2001:db8::1 a:2001:db8:85a3::8a2e:370:7334 mailto:fe80::1%eth0_ _fd00::1_ 12:2001:db8::2',
]

// prettier-ignore
const extra = [
  'x', '1', '12', '-', '.', ':', ' ', '\n', 'a', 'ab', 'AB', 'DE', '0x', 'mac', 'dob', 'passport', 'account number',
  'Phone', 'userTel', 'No', 'Number', 'SSN', 'DOB', 'Account', '_', '": "', 'bc1', 'nie', 'my', 'is', '12/27', '1990', '/', '+', '(', '1a', 'z9', '192.168.', '::',
]
const atoms = [...extra, ...samples.flatMap((sample) => sample.split(' '))]
const texts = array(tuple(constantFrom(...atoms), constantFrom('', ' ', ' ', '\n', '.', '-', ',')), {
  minLength: 1,
  maxLength: 14,
}).map((parts) => parts.map(([atom, separator]) => atom + separator).join(''))

void t.test('every split in two, and every single unit, gives the whole', async (t) => {
  for (const plan of plans.slice(0, 2)) {
    for (const text of samples) {
      const vault = openVault(key, 'p')
      const expected = whole(text, plan, vault)
      for (let i = 0; i <= text.length; i++) {
        const actual = inPieces([text.slice(0, i), text.slice(i)], plan, vault)
        if (actual !== expected) t.equal(actual, expected, `at ${i}`)
      }
      t.equal(inPieces(text.split(''), plan, vault), expected, text.slice(0, 30))
    }
  }
})

void t.test('something is found in every sample', async (t) => {
  const plan = plans[1] as Plan
  for (const text of samples) t.not(whole(text, plan, openVault(key, 'p')), text)
})

void t.test('random texts in random pieces', async () => {
  const runs = runsOf(1500)
  assert(
    property(texts, array(nat(5000), { maxLength: 30 }), nat(5), boolean(), (text, cuts, index, single) => {
      const plan = plans[index] as Plan
      const vault = openVault(key, 'p')
      return inPieces(single ? text.split('') : cut(text, cuts), plan, vault) === whole(text, plan, vault)
    }),
    { numRuns: runs, endOnFailure: true },
  )
})

// Windows drop what they released; detectors must not look further back than what is kept.
void t.test('random texts after and between long released ones', async () => {
  const prose = 'the account of a passport born mobile wallet version '.repeat(40)
  const runs = runsOf(1500, 30)
  assert(
    property(texts, texts, nat(47), nat(2000), (first, second, shift, size) => {
      const text = prose.slice(shift) + first + prose.slice(0, 1200 + shift) + second
      const step = size % 97 || 1500
      const plan = plans[size % plans.length] as Plan
      const vault = openVault(key, 'p')
      return inPieces(steps(text, step), plan, vault) === whole(text, plan, vault)
    }),
    { numRuns: runs, endOnFailure: true },
  )
})
