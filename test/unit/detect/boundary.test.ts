// Values right after an escape that nobody decoded, as in JSON that stands in a text: the letter of `\n` is no part of them.
import t from 'tap'
import { scanText } from '../../../proxy/detect/scan-text.ts'

/** Put together here, so that nothing takes them for real ones. */
const values: Readonly<Record<string, string>> = {
  iban: 'DE89 3704 0044 0532 0130 00',
  email: 'ada@example.org',
  'us-ssn': '378-07-9520',
  'payment-card': '4111 1111 1111 1111',
  phone: '+44 20 7946 0123',
  'crypto-address': ['1A1zP1eP5QGefi2D', 'MPTfTL5SLmv7DivfNa'].join(''),
  'ip-address': '10.1.2.3',
  'mac-address': '00:1b:44:11:3a:b7',
  'github-token': ['ghp', 'Ab3dE5fG7h'.repeat(3) + 'kLmNoP'].join('_'),
}
const escapes = ['\\n', '\\t', '\\r\\n', '\\b', '\\f', '\\\\n', '\\\\\\\\n', '\\"', '\\/']

void t.test('an escaped line end before a value, however often it is escaped', async (t) => {
  for (const escape of escapes) {
    for (const [entity, value] of Object.entries(values)) {
      const text = `to:${escape}${value}${escape}.`
      const found = scanText(text, ['pii', 'secrets']).map((one) => [one.entity, text.slice(one.start, one.end)])
      t.same(found, [[entity, value]], `${entity} after ${escape}`)
    }
  }
})

void t.test('a backslash by itself escapes nothing, and letters are letters', async (t) => {
  const said = (text: string): string[] =>
    scanText(text, ['pii', 'secrets']).map(({ start, end }) => text.slice(start, end))
  t.same(said('CORP\\ada@example.org'), ['ada@example.org'])
  t.same(said('nada@example.org'), ['nada@example.org'])
  t.same(said('xDE89370400440532013000'), [])
  t.same(said('\\u000aDE89370400440532013000'), ['DE89370400440532013000'])
})
