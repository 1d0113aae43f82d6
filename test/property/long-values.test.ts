// Long values of every kind that a stream hides before it knows their end: whatever the pieces and the action, what comes
// out is what the whole text gives, and never are more than 512 units held back.
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { array, assert, constantFrom, integer, nat, property, tuple } from 'fast-check'
import type { Plan } from '../../proxy/detect/redaction.ts'
import { replace, type Counts } from '../../proxy/detect/replace.ts'
import { openVault, type Vault } from '../../proxy/detect/vault.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { whole } from '../support/in-pieces.ts'
import { planOfRules } from '../support/plan-of.ts'
import { Dice } from '../support/planted-values.ts'
import { runsOf } from '../support/runs.ts'

const detect = ['pii', 'secrets']
const plans = (['mask', 'remove', 'hash', 'token', 'block'] as const).map((action) => planOfRules({ detect, action }))
const mixed = [
  planOfRules({ detect: ['generic-secret', 'email'], action: 'mask' }, { detect: ['jwt'], action: 'tag' }),
  planOfRules(
    { detect: ['generic-secret'], action: 'tag' },
    { detect: ['jwt', 'authorization-header'], action: 'hash' },
  ),
  planOfRules({ detect: ['jwt'], action: 'mask' }),
  planOfRules({ detect, action: 'token', restoreTo: ['crm'] }),
]
const vault = openVault(Buffer.alloc(32, 7), 'p')
const heldMax = 512

type Make = (dice: Dice, length: number) => { readonly before: string; readonly value: string; readonly behind: string }

const random = (dice: Dice, length: number): string => dice.of('A-Za-z0-9', length)
const inBase64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const header = inBase64({ alg: 'RS256', typ: 'JWT' })

function jwtOf(dice: Dice, length: number): string {
  return `${header}.${inBase64({ sub: 'ada@example.org', data: random(dice, (length * 3) >> 2) })}.${random(dice, 86)}`
}

const lines = (text: string): string => text.replaceAll(/.{64}(?=.)/g, '$&\n')
const alone =
  (make: (dice: Dice, length: number) => string): Make =>
  (dice, length) => ({ before: '', value: make(dice, length), behind: '' })
const after =
  (before: string, make: (dice: Dice, length: number) => string, behind = ''): Make =>
  (dice, length) => ({ before, value: make(dice, length), behind })

const kinds: Readonly<Record<string, Make>> = {
  jwt: alone(jwtOf),
  'jwt with a long header': alone(
    (dice, length) =>
      `${inBase64({ alg: 'ES256', x5c: [`MI${random(dice, length)}`] })}.${inBase64({ sub: '1' })}.${random(dice, 86)}`,
  ),
  'encrypted jwt': alone(
    (dice, length) =>
      `${inBase64({ alg: 'dir', enc: 'A256GCM' })}..${random(dice, 16)}.${random(dice, length)}.${random(dice, 22)}`,
  ),
  'jwt after a name': after('"id_token": "', jwtOf, '"'),
  'jwt in a header': after('Authorization: Bearer ', jwtOf),
  'jwt in base64': alone((dice, length) => Buffer.from(jwtOf(dice, length)).toString('base64')),
  'key in base64': after('tls.key: ', (dice, length) =>
    Buffer.from(
      ['-----BEGIN PRIV', `ATE KEY-----\n${random(dice, length)}\n-----END PRIV`, 'ATE KEY-----'].join(''),
    ).toString('base64'),
  ),
  bearer: after('authorization: bearer ', random),
  basic: after('Basic ', (dice, length) => Buffer.from(`ada:${random(dice, length)}`).toString('base64')),
  'token in quotes': after('"session_token": "', random, '",'),
  'token with escaped quotes': after('{\\"api_token\\": \\"', random, '\\"}'),
  'token without': after('client-secret=', random),
  'putty key': after('Private-Lines: 14\n', (dice, length) => lines(random(dice, length)), '\nPrivate-MAC: 00\n'),
  pypi: after('', (dice, length) => `pypi-AgEIcHlwaS5vcmc${random(dice, length)}`),
  google: after('', (dice, length) => `ya29.${random(dice, length)}`),
  aws: after('aws_session_token = ', random),
}
const names = Object.keys(kinds)

type Streamed = {
  readonly output: string
  readonly held: number
  readonly counts: { readonly acted: Counts; readonly observed: Counts }
}

function inSizes(text: string, sizes: readonly number[], plan: Plan, vault: Vault): Streamed {
  const window = openWindow({ plan, vault })
  let held = 0
  let output = ''
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    output += window.push(text.slice(at, at + size))
    held = Math.max(held, window.held - size)
    at += size
  }
  output += window.end()
  return { output, held, counts: { acted: window.counts, observed: window.observed } }
}

const prose = ' and then it says that the second copy of each invoice may go, on Monday or later;'.repeat(12)

void t.test('a long value is gone, what follows it is not, and little is held', async (t) => {
  const dice = new Dice(1)
  for (const name of names) {
    for (const length of [300, 600, name === 'key in base64' ? 20_000 : 40_000]) {
      const { before, value, behind } = (kinds[name] as Make)(dice, length)
      const text = `see ${before}${value}${behind}${prose}`
      const plan = plans[dice.below(plans.length)] as Plan
      const expected = whole(text, plan, vault)
      if (plan !== plans.at(-1)) t.match(expected.slice(-prose.length), prose, `${name} of ${length} ends`)
      t.notMatch(expected, value.slice(-40), `${name} of ${length} is gone`)
      const { output, held, counts } = inSizes(text, [90], plan, vault)
      t.equal(output, expected, `${name} of ${length}`)
      t.ok(held <= heldMax, `${held} units of ${name} of ${length} are held`)
      t.same(counts.acted, replace(text, plan.scanner.scan(text), plan, vault).counts)
    }
  }
})

void t.test('what is longer than anything real is hidden with all that follows', async (t) => {
  const dice = new Dice(2)
  for (const name of ['jwt', 'bearer', 'token in quotes', 'putty key', 'pypi']) {
    const { before, value } = (kinds[name] as Make)(dice, 90_000)
    const text = `see ${before}${value} and so on`
    const [plan] = plans as [Plan]
    t.notMatch(whole(text, plan, vault), 'and so on', name)
    t.equal(inSizes(text, [3000], plan, vault).output, whole(text, plan, vault), name)
  }
})

// prettier-ignore
const fragments = [
  ' ', '\n', '.', '..', '"', "'", '\\"', '=', '==', ',', '(', ':', '/', '-', '+', '@', '{', 'é', '%2E', '\u200b', '&#46;',
  'token: ', 'secret = "', '"api_key":"', 'auth_token=', 'Authorization: ', 'Bearer ', 'x-api-key: ', 'Basic ',
  'session_token="', 'private-lines: 8\n', 'password', 'token-4111111111111111 = "', 'token ada@example.org: ',
  'ada@example.org', ' 378-07-9520 ', 'eyJ', header, `${header}.`, inBase64({ kid: 'x'.repeat(190), alg: 'ES256' }),
  inBase64({ version: 1, state: 'x'.repeat(300) }), 'pypi-Ag', 'ya29.', 'ZXlK', 'x'.repeat(300), 'the words ',
]
const longOnes = names.flatMap((name, seed) =>
  [200, 270, 340, 700].map((length) => {
    const { before, value, behind } = (kinds[name] as Make)(new Dice(seed + length), length)
    return `${before}${value}${behind}`
  }),
)
const pieces = [
  ...fragments,
  ...longOnes,
  ...[100, 250, 290, 330, 400].map((length) => random(new Dice(length), length)),
]
const glued = array(tuple(constantFrom(...pieces), constantFrom('', '', ' ', '\n', '.')), { maxLength: 9 })
/** Beside the first line of such a key nothing but a key is one. */
const others = pieces.filter((piece) => piece !== 'private-lines: 8\n')
const apart = array(tuple(constantFrom(...others), constantFrom(' ', '\n', ', ')), { maxLength: 9 })
const sizes = array(integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 8 })
const all = [...plans, ...mixed]

void t.test('random texts with long values in random pieces', async () => {
  assert(
    property(glued, sizes, nat(all.length - 1), (parts, sizes, index) => {
      const text = parts.flat().join('')
      const plan = all[index] as Plan
      const vault = openVault(Buffer.alloc(32, 7), 'p')
      const { output, counts } = inSizes(text, sizes, plan, vault)
      const { counts: acted, observed } = replace(text, plan.scanner.scan(text), plan, vault)
      return output === whole(text, plan, vault) && isDeepStrictEqual(counts, { acted, observed })
    }),
    { numRuns: runsOf(300) },
  )
})

void t.test('little is held of random texts where each stands by itself', async () => {
  assert(
    property(apart, sizes, nat(all.length - 1), (parts, sizes, index) => {
      const text = parts.flat().join('')
      const { held } = inSizes(text, sizes, all[index] as Plan, vault)
      if (held > heldMax) throw new Error(`${held} held`)
    }),
    { numRuns: runsOf(200) },
  )
})
