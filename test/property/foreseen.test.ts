// Values that a stream replaces before it knows where they end: whatever the pieces and the action, what comes out is what
// the whole text gives, and what is no value is not held for long.
import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { array, assert, constantFrom, integer, nat, property, tuple } from 'fast-check'
import type { Plan } from '../../proxy/detect/redaction.ts'
import { replace, type Counts } from '../../proxy/detect/replace.ts'
import { openVault, type Vault } from '../../proxy/detect/vault.ts'
import { VaultMemory } from '../../proxy/detect/vault-memory.ts'
import { openWindow } from '../../proxy/detect/window.ts'
import { ManualClock } from '../support/clock.ts'
import { whole } from '../support/in-pieces.ts'
import { planOfRules } from '../support/plan-of.ts'
import { runsOf } from '../support/runs.ts'

const detect = ['pii', 'secrets']
const kept = planOfRules({ detect, action: 'token', restoreTo: ['crm'] })
const acting = (['mask', 'remove', 'hash', 'token', 'block'] as const).map((action) => planOfRules({ detect, action }))
const streamed = [...acting, kept]
const mixed = [
  planOfRules({ detect: ['email'], action: 'mask' }, { detect: ['private-key'], action: 'tag' }),
  planOfRules({ detect, action: 'mask', mode: 'shadow' }, { detect: ['private-key'], action: 'remove' }),
  planOfRules({ detect, action: 'hash', allow: ['*MII*', '*ada*'] }, { detect: ['pii'], action: 'mask' }),
]

const begin = (label: string): string => `-----BEGIN ${label}-----`
const end = (label: string): string => `-----END ${label}-----`
const line = 'MIIEowIBAAKCAQEAy8Dbv8prpJ/0kKhlGeJYozo2t60EG8L0561g13R29LvMR5hy'
const body = Array.from({ length: 24 }, (_, n) => line.slice(n) + line.slice(0, n)).join('\n')
const pem = [begin('RSA PRIVATE KEY'), body, end('RSA PRIVATE KEY')].join('\n')
const inJson = JSON.stringify(pem).slice(1, -1)
const values = [pem, inJson, Buffer.from(pem).toString('base64'), pem.replaceAll('\n', '\r\n')]

type Streamed = {
  readonly output: string
  readonly heldMax: number
  readonly counts: { readonly acted: Counts; readonly observed: Counts }
}

function pieces(texts: readonly string[], plan: Plan, vault: Vault): Streamed {
  const window = openWindow({ plan, vault })
  let heldMax = 0
  let output = ''
  for (const text of texts) {
    output += window.push(text)
    heldMax = Math.max(heldMax, window.held - text.length)
  }
  output += window.end()
  return { output, heldMax, counts: { acted: window.counts, observed: window.observed } }
}

function bySizes(text: string, sizes: readonly number[]): string[] {
  const parts: string[] = []
  for (let at = 0, turn = 0; at < text.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    parts.push(text.slice(at, at + size))
    at += size
  }
  return parts
}

const vault = openVault(Buffer.alloc(32, 7), 'p')

void t.test('no more than 512 units are held of a text with long keys', async (t) => {
  const prose = ' and then it says that the second copy of each invoice may go, on Monday or later;'.repeat(30)
  for (const plan of streamed) {
    for (const value of values) {
      for (const before of ['see ', 'private_key: "', '{"private_key": "', 'password = ']) {
        const text = `${before}${value}" ${prose}${value}\n${prose}`
        const expected = whole(text, plan, vault)
        const { output, heldMax, counts } = pieces(bySizes(text, [7]), plan, vault)
        t.equal(output, expected)
        t.ok(heldMax <= 512, `${before}${value.slice(0, 20)}: ${heldMax}`)
        t.same(counts.acted, replace(text, plan.scanner.scan(text), plan, vault).counts)
      }
    }
  }
})

void t.test('what will stand there is released, and what is blocked is known, before the value ends', async (t) => {
  for (const plan of acting) {
    const window = openWindow({ plan, vault })
    const expected = whole(`see ${pem}`, plan, vault)
    t.equal(window.push(`see ${pem.slice(0, 600)}`), expected)
    t.equal(window.blocked !== undefined, plan === acting.at(-1))
    t.equal(window.push(pem.slice(600)) + window.end(), '')
  }
})

void t.test(
  'a token that a tool may have the value of waits for all of it, and of a long one there is none',
  async (t) => {
    const memory = new VaultMemory(new ManualClock(), 60_000, 10)
    const vault = openVault(Buffer.alloc(32, 7), 'p', { kept: memory.of('p'), allows: () => true })
    const ofLast = (last: string): string =>
      [begin('PRIVATE KEY'), line.repeat(3).slice(1) + last, end('PRIVATE KEY')].join('\n')
    const short = `${ofLast('a')} ${ofLast('b')}`
    const text = `see ${short}, and ${pem}, and ${pem.slice(0, -2)}`
    const { output, heldMax } = pieces(bySizes(text, [50]), kept, vault)
    const tokens = output.match(/PRIVATE_KEY_[0-9a-z]{10}/g) ?? []
    const [first, second, ...long] = tokens
    t.equal(output, `see ${first} ${second}, and ${long[0]}, and ${long[1]}`)
    t.ok(heldMax > 200 && heldMax <= 512, `${heldMax}`)
    t.equal(whole(text, kept, vault), output)
    t.not(first, second, 'of two values with one beginning each has its own')
    t.equal(vault.restoreTo(`${first} ${second}`, 'crm'), short)
    t.equal(vault.restoreTo(long.join(' '), 'crm'), long.join(' '), 'nobody has the longer ones')
    const always = replace(pem, kept.scanner.scan(pem), kept, vault).text
    t.equal(vault.restoreTo(always, 'crm'), pem, 'but those of a text that is always whole')
  },
)

void t.test('a key that is read inside of another hides none that begins behind both', (t) => {
  // Decoded it begins a key with the last dashes before it, which goes on to the end; the key as it is written does not.
  const encoded = Buffer.from('--BEGIN RSA PRIVATE KEY-----\nMIIEo').toString('base64')
  const first = `${begin('RSA PRIVATE KEY')}${encoded}${body.slice(0, 1100)}`
  const text = `${first}\u200b${begin('RSA PRIVATE KEY')}\n${body.slice(0, 300)}&#45;`
  for (const plan of acting) t.equal(pieces(bySizes(text, [1]), plan, vault).output, whole(text, plan, vault))
  t.end()
})

// prettier-ignore
const atoms = [
  ...values, pem.slice(0, 700), pem.slice(0, 300), pem.slice(400), inJson.slice(0, 500), begin('RSA PRIVATE KEY'), '-----BEGIN ',
  end('RSA PRIVATE KEY'), '-----END ', line, `${line}\n`, line.repeat(7), ' '.repeat(40), '\n'.repeat(30), 'x', '{', '"',
  'private_key: "', 'ada@example.org', ' 378-07-9520 ', 'é', '%2D', '&#45;', '\u200b', '\\n', ' and some words ',
]
const texts = array(tuple(constantFrom(...atoms), constantFrom('', '', ' ', '\n', '-')), { maxLength: 12 }).map(
  (parts) => parts.map(([atom, separator]) => atom + separator).join(''),
)

void t.test('random texts with long keys in random pieces', async () => {
  const plans = [...streamed, ...mixed]
  assert(
    property(
      texts,
      array(integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
      nat(plans.length - 1),
      (text, sizes, index) => {
        const plan = plans[index] as Plan
        const vault = openVault(Buffer.alloc(32, 7), 'p')
        const { output, heldMax, counts } = pieces(bySizes(text, sizes), plan, vault)
        const { counts: acted, observed } = replace(text, plan.scanner.scan(text), plan, vault)
        const isSame = output === whole(text, plan, vault) && isDeepStrictEqual(counts, { acted, observed })
        if (!isSame || heldMax > 512) throw new Error(`${index}: ${heldMax} held`)
      },
    ),
    { numRuns: runsOf(1500) },
  )
})
