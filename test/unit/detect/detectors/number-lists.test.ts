// Numbers of persons that stand in a list of plain text, under one name.
import t from 'tap'
import { array, assert, constantFrom, nat, property } from 'fast-check'
import { openVault } from '../../../../proxy/detect/vault.ts'
import { openWindow } from '../../../../proxy/detect/window.ts'
import { planOf } from '../../../support/plan-of.ts'
import { found } from './found.ts'

type Row = readonly [text: string, ...values: readonly string[]]

void t.test('every number of the list is known by the name before the first', async (t) => {
  const rows: readonly Row[] = [
    ['phones: 030 123456, 030 654321 and 030 999999.', '030 123456', '030 654321', '030 999999'],
    ['Telefon: 030 123456 oder 0171 2345678', '030 123456', '0171 2345678'],
    ['phone numbers:\n- 030 123456\n- 030 654321\n', '030 123456', '030 654321'],
    ['phones: ["030 123456", "030 654321"]', '030 123456', '030 654321'],
    ['phones: +49 30 123456; +49 30 654321, 030 999999', '+49 30 123456', '+49 30 654321', '030 999999'],
    ['call 07700 900123 / 07700 900456', '07700 900123', '07700 900456'],
    ['call 07700 900123/07700 900456/07700 900789', '07700 900123', '07700 900456', '07700 900789'],
    ['call 07700 900123 07700 900456 07700 900789', '07700 900123', '07700 900456', '07700 900789'],
    ['call 07700 900123 - 07700 900456', '07700 900123', '07700 900456'],
    ['Tel. 0211/1234567 / 0211/1234568', '0211/1234567', '0211/1234568'],
    ['fax 01 23 45 67 89 01 23 45 67 80', '01 23 45 67 89', '01 23 45 67 80'],
    ['tel 601 234 567 602 345 678', '601 234 567', '602 345 678'],
    ['phone: +49 30 123456 / 030 654321', '+49 30 123456', '030 654321'],
    ['account numbers: 12345678/23456789', '12345678', '23456789'],
    ['account numbers: 12345678, 23456789 and 34567890', '12345678', '23456789', '34567890'],
    ['bank accounts: 12345678, or\n87654321', '12345678', '87654321'],
    ['MRNs: 12345678, 23456789; 34567890', '12345678', '23456789', '34567890'],
    ['patient ids A1234567, A7654321 & A1111111', 'A1234567', 'A7654321', 'A1111111'],
    ['sort codes: 12-34-56, 65-43-21', '12-34-56', '65-43-21'],
    ['routing numbers 021000021, 011401533', '021000021', '011401533'],
  ]
  for (const [text, ...values] of rows) t.same(found(text, 'pii'), values, text)
})

void t.test('numbers that are known without a name are, on both sides of a slash', async (t) => {
  const rows: readonly Row[] = [
    ['+48 601 234 567/602 345 678', '+48 601 234 567', '602 345 678'],
    ['+49 30 123456/+49 30 654321', '+49 30 123456', '+49 30 654321'],
    ['0044 20 7946 0958 / 0044 20 7946 0959', '0044 20 7946 0958', '0044 20 7946 0959'],
    ['202-555-0143/202-555-0144', '202-555-0143', '202-555-0144'],
    ['4111-1111-1111-1111/5500-0000-0000-0004', '4111-1111-1111-1111', '5500-0000-0000-0004'],
    ['078-05-1120/219-09-9999', '078-05-1120', '219-09-9999'],
    ['000-05-1120/219-09-9999', '219-09-9999'],
  ]
  for (const [text, ...values] of rows) t.same(found(text, 'pii'), values, text)
})

void t.test('what follows and is another number is not of the list', async (t) => {
  const rows: readonly Row[] = [
    ['tel 030 123456, 12345 Berlin', '030 123456'],
    ['tel 030 123456, 100000 EUR', '030 123456'],
    ['call 5551234567, 2024-05-12', '5551234567'],
    ['call 5551234567, order 9999999', '5551234567'],
    ['call 5551234567/2024', '5551234567'],
    ['office 12345678 - 2024-05-12', '12345678'],
    ['phone: 0211 / 123 45 67', '0211 / 123 45 67'],
    ['phone: +49 39401 / 12345', '+49 39401 / 12345'],
    ['tel 030/1234567/89', '030/1234567/89'],
    ['account number 12345678, 1234567.89 EUR', '12345678'],
    ['account number 12345678, 90123456 %', '12345678', '90123456'],
    ['account number 12345678, 90123456%', '12345678'],
    ['account no 12345678, 2024-05-12', '12345678'],
    ['account numbers 12345678 and order 23456789', '12345678'],
    ['mrn 12345678, 30 mg', '12345678'],
    ['mrn 12345678 23456789', '12345678'],
    ['mrn 12345678, AB345678', '12345678'],
  ]
  for (const [text, ...values] of rows) t.same(found(text, 'pii'), values, text)
})

const plan = planOf('mask', ['pii'])
const open = (): ReturnType<typeof openWindow> => openWindow({ plan, vault: openVault(Buffer.alloc(32, 7), 'p') })

void t.test('however a list comes in a stream, it is treated as the whole', async () => {
  const pieces = constantFrom(
    'phones: ',
    'MRNs ',
    '030 123456',
    '030 654321',
    '12345678',
    ', ',
    ' and ',
    ' / ',
    '/',
    ' - ',
    ' ',
    '+49 30 123456',
    '4111-1111-1111-1111',
    '078-05-1120',
    '-',
    '.',
    '12',
    '\n- ',
    '", "',
    'x ',
  )
  assert(
    property(array(pieces, { maxLength: 60 }), array(nat(40), { maxLength: 60 }), (made, lengths) => {
      const text = made.join('')
      const whole = open()
      const expected = whole.push(text) + whole.end()
      const window = open()
      let given = ''
      let at = 0
      for (const length of lengths) given += window.push(text.slice(at, (at += length)))
      given += window.push(text.slice(at))
      return given + window.end() === expected
    }),
    { numRuns: 500 },
  )
})

void t.test('and no more of it is held back than of anything else', async (t) => {
  const lists = [
    `phones: ${'030 123456, '.repeat(60)}`,
    `phones: ${'030 123456 / '.repeat(60)}`,
    `phones: ${'030 123456 '.repeat(60)}`,
    `MRNs: ${'12345678 and '.repeat(60)}`,
  ]
  for (const text of lists) {
    const window = open()
    let most = 0
    for (const unit of text) {
      window.push(unit)
      most = Math.max(most, window.held)
    }
    t.ok(most > 350 && most <= 512, `${most}`)
  }
})
