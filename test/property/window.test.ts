// Whatever the pieces a text arrives in, a window gives the redaction of the whole, and releases nothing of a value early.
import t from 'tap'
import { array, assert, boolean, constantFrom, nat, property, tuple } from 'fast-check'
import type { Plan } from '../../proxy/detect/redaction.ts'
import { openVault } from '../../proxy/detect/vault.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { disguises, inLines } from '../support/disguises.ts'
import { cut, inPieces, steps, whole } from '../support/in-pieces.ts'
import { planOf } from '../support/plan-of.ts'
import { runsOf } from '../support/runs.ts'

const key = Buffer.alloc(32, 7)

const pem = `-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAy8Dbv8prpJ/0kKhlGeJY\nozo2t60EG8L0561g13R29LvMR5hy\n-----END RSA PRIVATE KEY-----`
const samples = [
  'write to ada@example.org, or ring +44 20 7946 0958.',
  'card 4111 1111 1111 1111 12/27, ssn 378-07-9520 ok',
  'pay GB82 WEST 1234 5698 7654 32 from 10.20.30.40 now',
  'mail a@b.co 555 123 4567@x.com (415) 555-0132 x12 end',
  'v 2001:db8::8a2e:370:7334 std::vector 12:34:56 1.2.3',
  `k ghp_${'a1B2c3D4e5F6'.repeat(3)} sk-ant-x AKIAQYLPMN5HHHFPZAM2!`,
  'aws_secret_access_key = "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" end',
  'h eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P. Next',
  'My mobile: 0341 8387176\nDesk: 1-234; 8450 0840 office\n',
  'from (10.20.30.40-write and (10.20.30.40- end',
  'to (415) 555-0132@b.storage_key or 555-0132@b.storage_x',
  `key ${pem.slice(0, 110)} and then prose {`,
  'an e\u0301 \u{1F469}\u200d\u{1F4BB}\ufe0f caf\u00e9 \u20ac1\u00a0234 4\ufe0f\u20e3 \u0430dm\u0456n@ex\u0430mple.org \u041a\u043e\u0434 5\u043a\u043c',
  '\\ud83d\\ude00 &amp &commat; 100% %C3%A9 %e2%82 \\x4g \\u{34}11 &#x; &#49 ada%40example.org?b=%3',
  'to ada@mail\u3002example\uff61org\u3002 or \uff41\uff20b\u3002cd and bob@example.org\u3002Next @a\u3002b',
  'hm deadbeefdeadbeef 3737382d30372d39353230 internationalisation/of/the/paths_and-names ==',
]

const values = ['ada@example.org', '4111 1111 1111 1111', '378-07-9520', '10.20.30.40', 'GB82WEST12345698765432']
const hidden = values.flatMap((value) =>
  [
    ...Object.entries(disguises),
    ['base64 in lines', (text: string) => inLines(text, '\n')] as const,
    ['base64 of MIME', (text: string) => inLines(text, '\r\n')] as const,
  ].map(([name, write]) => ({ name, value, written: write(value) })),
)

void t.test('every split in two, and every single unit, gives the whole', async (t) => {
  for (const action of ['mask', 'token', 'remove', 'hash', 'block'] as const) {
    const plan = planOf(action)
    for (const text of [...samples, pem]) {
      const vault = openVault(key, 'p')
      const expected = whole(text, plan, vault)
      for (let i = 0; i <= text.length; i++) {
        const actual = inPieces([text.slice(0, i), text.slice(i)], plan, vault)
        if (actual !== expected) t.equal(actual, expected, `${action} at ${i}`)
      }
      t.equal(inPieces(text.split(''), plan, vault), expected, text.slice(0, 30))
    }
  }
})

void t.test('every split in three gives the whole', async (t) => {
  const plan = planOf('mask')
  const vault = openVault(key, 'p')
  for (const text of samples) {
    const expected = whole(text, plan, vault)
    let failures = 0
    for (let i = 0; i <= text.length; i++) {
      for (let j = i; j <= text.length; j++) {
        if (inPieces([text.slice(0, i), text.slice(i, j), text.slice(j)], plan, vault) !== expected) failures++
      }
    }
    t.equal(failures, 0, text)
  }
})

void t.test('every split in two of a disguised value gives the whole', async (t) => {
  const plan = planOf('mask')
  const vault = openVault(key, 'p')
  for (const { name, value, written } of hidden) {
    const text = `see (${written}), then`
    const expected = whole(text, plan, vault)
    // Of encoded text what stands before the value may stay.
    t.match(expected, /^see \([\w+/]*\[[A-Z_]+\]\), then$/, `${name} of ${value}`)
    t.notMatch(expected, written.slice(-14), `${name} of ${value}`)
    let failures = 0
    for (let i = 0; i <= text.length; i++)
      if (inPieces([text.slice(0, i), text.slice(i)], plan, vault) !== expected) failures++
    if (inPieces(text.split(''), plan, vault) !== expected) failures++
    t.equal(failures, 0, `${name} of ${value}`)
  }
})

void t.test('nothing of a value is released before it is replaced', async (t) => {
  const plan = planOf('mask')
  const vault = openVault(key, 'p')
  for (const text of [...samples, pem]) {
    const expected = whole(text, plan, vault)
    const window = openWindow({ plan, vault })
    let released = ''
    for (const unit of text.split('')) {
      released += window.push(unit)
      if (!expected.startsWith(released)) t.equal(released, expected.slice(0, released.length))
    }
    t.equal(released + window.end(), expected)
  }
})

// prettier-ignore
const fragments = [
  '@', '.', '-', ':', '::', '+', '(', ')', ' ', '  ', '\n', '_', '/', '"', '=', ',', 'x', 'ext. 5', '1', '12',
  '555', '4111', '0', 'a', 'ab', 'GB82', 'PL', 'ssn', 'tel', 'fax', 'card', 'eyJ', 'sk-', 'SK', 'https://',
  '-----BEGIN ', 'é', '電', '😀', '\u00a0', '4111111111111111', '5105-1051-0510-5100', '378079520',
  '+48 510 070 904', '192.168.1.1', 'fe80::1', 'x@y.zz', '-----', pem,
  '\\n', '%0A', '-eyJ', '.glsoat-', 'sk-admin--', '-dp.scim.', 'q7Rk2Vw9Lz4Np8Xc3Tb6Ym1',
  'EMAIL_', 'PHONE_', 'EMAIL', 'E', 'EM', 'US_SSN_',
  '%', '%4', '%40', '%34%31', '&', '&#', '&#x3', '&#x34;', '&#52', '&commat;', '&nbsp;', '\\', '\\u', '\\u003', '\\u0034',
  '\\ud835\\udfd2', '\\x34', '\u200b', '\u00ad', '\u0660', '\uff14', '\ud835\udfd2', '\ud835', '\u0430', '\u041e', '\u2011', '\u3002', '\uff61',
  '0x', '0', 'NDEx'.repeat(15), 'NDEx'.repeat(19), '34', '3a', 'NDEx', 'MTEx', 'zzzz', '====', '4'.repeat(17), 'A'.repeat(30), 'aicg'.repeat(15),
]
const long = Buffer.from('mail ada@example.org, card 4111 1111 1111 1111; '.repeat(9))
/** More than is read as one. */
const short = long.subarray(0, 190)
const atoms = [
  ...fragments,
  ...samples.flatMap((text) => text.split(' ')),
  ...hidden.map(({ written }) => written),
  long.toString('base64'),
  long.toString('hex'),
  ...[60, 64, 76].map((width) => broken(short.toString('base64'), width, '\n')),
  broken(short.toString('base64'), 76, '\r\n  '),
  broken(short.toString('hex'), 60, '\n'),
  broken(Buffer.from(Array.from({ length: 120 }, (_, n) => n % 251)).toString('base64'), 64, '\n'),
]

function broken(encoded: string, width: number, lineEnd: string): string {
  return encoded.replaceAll(new RegExp(`.{${width}}(?=.)`, 'g'), (line) => line + lineEnd)
}

const separators = ['', ' ', ' ', '\n', '\r\n', '.', '-', ',', '@']
const texts = array(tuple(constantFrom(...atoms), constantFrom(...separators)), { minLength: 1, maxLength: 14 }).map(
  (parts) => parts.map(([atom, separator]) => atom + separator).join(''),
)

void t.test('random texts in random pieces', async () => {
  const plans = (['mask', 'token', 'remove'] as const).map((action) => planOf(action))
  plans.push(planOf('mask', ['phone']), planOf('mask', ['email', 'jwt']), planOf('token', ['secrets']))
  const runs = runsOf(1500)
  assert(
    property(texts, array(nat(5000), { maxLength: 30 }), nat(5), boolean(), (text, cuts, index, single) => {
      const plan = plans[index] as Plan
      const vault = openVault(key, 'p')
      const tokens = [vault.tokenFor('email', 'own@value.org'), vault.tokenFor('us-ssn', '378-07-9520')]
      const full = text.replaceAll('EMAIL_', tokens[0] ?? '').replaceAll('US_SSN_', tokens[1] ?? '')
      const actual = inPieces(single ? full.split('') : cut(full, cuts), plan, vault)
      return actual === whole(full, plan, vault)
    }),
    { numRuns: runs },
  )
})

void t.test(
  'what is read otherwise than it is written hides nothing of the end of the text as it is written',
  async (t) => {
    const plan = planOf('mask')
    const vault = openVault(key, 'p')
    for (let length = 16; length < 64; length++) {
      const text = `${'A'.repeat(length)}x@y.zz`
      if (inPieces(text.split(''), plan, vault) !== '[EMAIL]') t.fail(text)
    }
    t.equal(whole(`${'A'.repeat(30)}x@y.zz`, plan, vault), '[EMAIL]')
  },
)

void t.test('what is dropped from a window is never looked back on', async (t) => {
  const plan = planOf('mask')
  const vault = openVault(key, 'p')
  for (const text of [
    'the mobile number, as I have said: 0341 8387176 x',
    'and the social security number is given as 378079520 x',
    'my credit card, the one that was lost, is 4222222222222 x',
    'driver version number 1.2.3.4 x https://name.of.some.user:some.long.word.of.his@example.org x',
  ]) {
    let failures = 0
    // Released text is dropped when there is more than 1120 of it.
    for (let before = 1020; before < 1125; before++) {
      const full = 'w '.repeat(600).slice(0, before) + text
      const start = [full.slice(0, before - 10), ...full.slice(before - 10).split('')]
      if (inPieces(start, plan, vault) !== whole(full, plan, vault)) failures++
    }
    t.equal(failures, 0, text)
  }
})

// Windows drop what they released; detectors must not look further back than what is kept.
void t.test('random texts after and between long released ones', async () => {
  const plan = planOf('mask')
  const vault = openVault(key, 'p')
  const prose = 'call or fax the office, mobile card ssn version '.repeat(40)
  const runs = runsOf(4000, 40)
  assert(
    property(texts, texts, nat(47), nat(2000), (first, second, shift, size) => {
      const text = prose.slice(shift) + first + prose.slice(0, 1200 + shift) + second
      const step = size % 97 || 1500
      return inPieces(steps(text, step), plan, vault) === whole(text, plan, vault)
    }),
    { numRuns: runs },
  )
})
