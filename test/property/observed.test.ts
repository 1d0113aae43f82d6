// What rules only observe changes nothing of what others hide, and no text waits for it; what is counted of it in a stream
// is what the whole text gives.
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { assert, integer, property } from 'fast-check'
import { replace } from '../../proxy/detect/replace.ts'
import { openVault } from '../../proxy/detect/vault.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { planOf, planOfRules } from '../support/plan-of.ts'
import { Dice } from '../support/planted-values.ts'
import { runsOf } from '../support/runs.ts'

const vault = openVault(Buffer.alloc(32, 7), 'p')
// prettier-ignore
const entities = [
  'phone', 'us-ssn', 'us-itin', 'payment-card', 'iban', 'ip-address', 'date-of-birth', 'email', 'mac-address', 'jwt',
  'private-key', 'generic-secret', 'authorization-header', 'url-credentials',
]
const key = [
  `-----BEGIN PRIV`,
  `ATE KEY-----\n${'MIIEowIBAAKCAQEAy8Dbv8prpJ'.repeat(30)}\n-----END PRIV`,
  'ATE KEY-----',
].join('')
const names = [
  'phone ',
  'call ',
  'ssn ',
  'account ',
  'card ',
  'born ',
  'token=',
  'password: ',
  'from ',
  'MRN ',
  'Bearer ',
]
const values: readonly ((dice: Dice) => string)[] = [
  (dice) =>
    Array.from({ length: 1 + dice.below(5) }, () => dice.of('0-9', 1 + dice.below(5))).join(dice.pick(['-', ' ', ''])),
  () => '378-07-9520',
  () => '4111 1111 1111 1111',
  () => 'DE89 3704 0044 0532 0130 00',
  () => '10.1.2.3',
  () => '+44 20 7946 0958',
  () => 'ada@example.org',
  (dice) => `x${dice.of('A-Za-z0-9', 30 + dice.below(400))}`,
  (dice) => `https://ada:${dice.of('A-Za-z0-9', 20)}@example.org/`,
  () => key,
]
const gaps = ['; ', ', ', ' and ', '\n', ' ', '']

function textOf(dice: Dice): string {
  const parts = Array.from({ length: 2 + dice.below(9) }, () =>
    [dice.pick(['', ...names]), dice.pick(values)(dice), dice.pick(gaps)].join(''),
  )
  return parts.join('')
}

void t.test('what is hidden does not depend on what is observed', async () => {
  assert(
    property(integer({ min: 1 }), (seed) => {
      const dice = new Dice(seed)
      const text = textOf(dice)
      const hidden = entities.filter(() => dice.below(2) === 0)
      const seen = entities.filter((one) => !hidden.includes(one))
      if (hidden.length === 0 || seen.length === 0) return true
      const plan = planOfRules({ detect: hidden, action: 'mask' }, { detect: seen, action: 'tag' })
      const alone = planOf('mask', hidden)
      const whole = replace(text, plan.scanner.scan(text), plan, vault)
      const expected = replace(text, alone.scanner.scan(text), alone, vault)
      const window = openWindow({ plan, vault })
      let output = ''
      for (let at = 0; at < text.length;) {
        const size = 1 + dice.below(60)
        output += window.push(text.slice(at, at + size))
        at += size
      }
      output += window.end()
      const isSame = whole.text === expected.text && output === expected.text
      return isSame && isDeepStrictEqual([window.counts, window.observed], [expected.counts, whole.observed])
    }),
    { numRuns: runsOf(600) },
  )
})

void t.test('nothing is held of a text that is only observed', async (t) => {
  const text = `see ${key}, call +44 20 7946 0958, and token: ${new Dice(1).of('A-Za-z0-9', 1600)} and so on`
  for (const plan of [planOf('tag'), planOf('mask', undefined, { mode: 'shadow' })]) {
    const window = openWindow({ plan, vault })
    for (const unit of text) t.equal(window.push(unit), unit)
    t.equal(window.end(), '')
    t.same(window.counts, {})
    t.same(window.observed, { 'private-key': 1, phone: 1, 'generic-secret': 1 })
  }
})

void t.test('a long value that is only observed holds nothing of what is hidden', async (t) => {
  const plan = planOfRules({ detect: ['email'], action: 'mask' }, { detect: ['private-key'], action: 'tag' })
  const text = `see ${key}, by ada@example.org`
  const window = openWindow({ plan, vault })
  let heldMax = 0
  let output = ''
  for (const unit of text) {
    output += window.push(unit)
    heldMax = Math.max(heldMax, window.held)
  }
  t.equal(output + window.end(), `see ${key}, by [EMAIL]`)
  t.ok(heldMax < 100, `${heldMax}`)
  t.same(window.observed, { 'private-key': 1 })
})

void t.test('what another rule hides is not observed, whatever of it', async (t) => {
  const plan = planOfRules({ detect: ['phone'], action: 'mask' }, { detect: ['us-ssn'], action: 'tag' })
  const rest = `. ${'It rains all day. '.repeat(20)}ssn 378-07-9520`
  const text = `phone 378-07-9520${rest}`
  const window = openWindow({ plan, vault })
  t.equal(window.push(text) + window.end(), `phone [PHONE]${rest}`)
  t.same([window.counts, window.observed], [{ phone: 1 }, { 'us-ssn': 1 }])
  const { text: whole, observed } = replace(text, plan.scanner.scan(text), plan, vault)
  t.same([whole, observed], [`phone [PHONE]${rest}`, { 'us-ssn': 1 }])
})

void t.test('what stands in or behind what stops or has no end is not observed', async (t) => {
  const dice = new Dice(2)
  const header = { detect: ['authorization-header'] } as const
  const web = `eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI3In0${dice.of('A-Za-z0-9', 400)}.${dice.of('A-Za-z0-9', 43)}`
  const endless = `authorization: bearer ${dice.of('A-Za-z0-9', 70_000)} and ada@example.org, DE89 3704 0044 0532 0130 00`
  const stopping = planOfRules({ ...header, action: 'block' }, { detect: ['jwt'], action: 'tag' })
  const seeing = planOfRules(
    { detect: ['iban'], action: 'mask' },
    { detect: ['authorization-header', 'email'], action: 'tag' },
  )
  for (const [plan, text] of [
    [stopping, `authorization: bearer ${web} and so on`],
    [seeing, endless],
    [seeing, endless.slice(0, 70_050)],
  ] as const) {
    const window = openWindow({ plan, vault })
    for (let at = 0; at < text.length; at += 450) window.push(text.slice(at, at + 450))
    window.end()
    const { counts, observed } = replace(text, plan.scanner.scan(text), plan, vault)
    t.same([window.counts, window.observed], [counts, observed])
  }
})
