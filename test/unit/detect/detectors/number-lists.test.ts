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
    ['account numbers: 12345678, 23456789 and 34567890', '12345678', '23456789', '34567890'],
    ['bank accounts: 12345678, or\n87654321', '12345678', '87654321'],
    ['MRNs: 12345678, 23456789; 34567890', '12345678', '23456789', '34567890'],
    ['patient ids A1234567, A7654321 & A1111111', 'A1234567', 'A7654321', 'A1111111'],
    ['sort codes: 12-34-56, 65-43-21', '12-34-56', '65-43-21'],
    ['routing numbers 021000021, 011401533', '021000021', '011401533'],
  ]
  for (const [text, ...values] of rows) t.same(found(text, 'pii'), values, text)
})

void t.test('what follows and is another number is not of the list', async (t) => {
  const rows: readonly Row[] = [
    ['tel 030 123456, 12345 Berlin', '030 123456'],
    ['tel 030 123456, 100000 EUR', '030 123456'],
    ['call 5551234567, 2024-05-12', '5551234567'],
    ['call 5551234567, order 9999999', '5551234567'],
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
  for (const text of [`phones: ${'030 123456, '.repeat(60)}`, `MRNs: ${'12345678 and '.repeat(60)}`]) {
    const window = open()
    let most = 0
    for (const unit of text) {
      window.push(unit)
      most = Math.max(most, window.held)
    }
    t.ok(most > 350 && most <= 512, `${most}`)
  }
})
