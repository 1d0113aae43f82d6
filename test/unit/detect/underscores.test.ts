// Values between underscores, as Markdown writes emphasis, and behind the names that identifiers join to them: an underscore
// hides nothing whose own form tells it. Names, indexes and versions in identifiers stay what they are.
import t from 'tap'
import type { Plan } from '../../../proxy/detect/redaction.ts'
import { openVault } from '../../../proxy/detect/vault.ts'
import { inPieces, whole } from '../../support/in-pieces.ts'
import { planOf } from '../../support/plan-of.ts'
import { found } from './detectors/found.ts'

const groups = ['pii', 'secrets', 'pii:pl', 'pii:uk']
const random = ['x7Kp2LmQ9vRt4Wy', 'Z8bNc1DfGh3JkS5TaUe6V'].join('')
/** Put together here, so that nothing takes them for real ones. */
const keys = {
  github: ['ghp', random].join('_'),
  aws: ['AKIA', 'Z5GMHYJKLMNOPQR2'].join(''),
  google: ['AIza', random.slice(0, 35)].join(''),
  anthropic: ['sk-ant-', 'api03-', random, random].join(''),
  stripe: ['sk', 'live', random.slice(0, 24)].join('_'),
  jwt: [
    'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9',
    'eyJzdWIiOiIxMjM0NTY3ODkwIn0',
    'SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJVadQssw5c8',
  ].join('.'),
}
/** Their form, check digits or prefix suffice, also in an identifier. */
// prettier-ignore
const telling = [
  '4111 1111 1111 1111', '4111-1111-1111-1111', '536-90-4399', 'GB82 WEST 1234 5698 7654 32', 'GB82WEST12345698765432',
  '203.0.113.77', '2001:db8:85a3::8a2e:370:7334', '+1 202 555 0143', '+12025550143', '(202) 555-0143', '202-555-0143',
  '00:1B:44:11:3A:B7', '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', 'ada@example.org',
  '943 476 5919', keys.github, keys.aws, keys.google, keys.anthropic, keys.stripe, keys.jwt,
]
const emphasised = [...telling, '4111111111111111', '10.0.0.5', '44051401359', 'AB123456C']

const isHidden = (text: string, value: string): boolean => found(text, ...groups).some((one) => one.includes(value))

void t.test('emphasis hides nothing', async (t) => {
  for (const value of emphasised) {
    for (const signs of ['_', '__', '___', '**_', '\\_', '________'])
      for (const around of [`is ${signs}${value}${signs}.`, `${signs}${value}`, `\\n${signs}${value}${signs}\\n`])
        t.ok(isHidden(around, value), around)
    t.ok(isHidden(`_all of it is ${value}_`, value), `${value} at the end of the emphasis`)
  }
})

void t.test('the signs of the emphasis are no part of a key', async (t) => {
  for (const key of Object.values(keys).filter((one) => one !== keys.jwt)) {
    t.same(found(`__${key}__`, 'secrets'), [key])
    t.same(found(`_${key}_`, 'secrets'), [key])
  }
  const endsSo = `${keys.anthropic}_`
  t.same(found(endsSo, 'secrets'), [endsSo], 'but one may end so')
})

void t.test('nor does an identifier before it', async (t) => {
  for (const value of telling)
    for (const name of ['host_', 'MY_KEY_', 'x__']) t.ok(isHidden(`${name}${value} ok`, value), name + value)
  t.same(found('card_number_4111111111111111 SSN_536904399', 'pii'), ['4111111111111111', '536904399'])
  t.same(found('pesel_44051401359, dowod_ABA300000', 'pii:pl'), ['44051401359', 'ABA300000'])
  t.same(found('host_10.0.0.5 lan_192.168.0.7', 'pii'), ['10.0.0.5', '192.168.0.7'])
})

void t.test('what identifiers and names of files have is left alone', async (t) => {
  for (const text of [
    'evt_4111111111111111 id_44051401359 id_AB123456C',
    'IMG_20240115_123456.jpg phone_20240115.log fax_1700000000 tel_00441234567890',
    'backup_24-01-15-10-20-30 nginx_1.18.0.1_amd64.deb 1.18.0.1_amd64 lib_1.2.3.4 release_10.2.3.4',
    'row_123 45 6789 const n = 4111_1111_1111_1111',
    `some_re_${random} my_ak_${random.slice(0, 22)} blob_${'a'.repeat(40)}`,
  ])
    t.same(found(text, ...groups), [], text)
})

void t.test('labels and what they name may be emphasised, too', async (t) => {
  for (const text of ['Passport: _X1234567_', '**Passport number:** X1234567', '__Passport__: __X1234567__'])
    t.same(found(text, 'pii'), ['X1234567'], text)
  t.same(found('Date of birth: _1980-02-03_', 'pii'), ['1980-02-03'])
  t.same(found('bank account: 12345678_x', 'pii'), [])
})

void t.test('the same in a stream, wherever it is cut', async (t) => {
  const plan: Plan = planOf('mask', groups)
  const vault = openVault(Buffer.alloc(32, 1), 'p')
  for (const value of emphasised) {
    for (const text of [`is __${value}__ ok`, `x_${value}_y`, `_it is ${value}_`]) {
      const expected = whole(text, plan, vault)
      for (let at = 0; at <= text.length; at++) {
        const actual = inPieces([text.slice(0, at), text.slice(at)], plan, vault)
        if (actual !== expected) t.equal(actual, expected, `${text} at ${at}`)
      }
      t.equal(inPieces(text.split(''), plan, vault), expected, text)
    }
  }
})

void t.test('and in text that is read as something else than it is written', async (t) => {
  t.ok(isHidden('%5F536-90-4399%5F', '536-90-4399'))
  t.ok(isHidden('&#95;4111 1111 1111 1111&#95;', '4111 1111 1111 1111'))
  t.same(found(Buffer.from('see _536-90-4399_ and so').toString('base64'), 'pii').length, 1)
  t.same(found('_５３６-９０-４３９９_', 'pii'), ['５３６-９０-４３９９'])
})
