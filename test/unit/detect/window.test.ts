import t from 'tap'
import type { Plan } from '../../../proxy/detect/redaction.ts'
import { replace } from '../../../proxy/detect/replace.ts'
import { openVault } from '../../../proxy/detect/vault.ts'
import { openWindow } from '../../../proxy/detect/window.ts'
import { planOf } from '../../support/plan-of.ts'

const vault = openVault(Buffer.alloc(32, 1), 'p')

/** The most that was held while `text` came in pieces of `size`, and what came out. */
function run(text: string, size: number, plan: Plan): { output: string; heldMax: number } {
  const window = openWindow({ plan, vault })
  let output = ''
  let heldMax = 0
  for (let i = 0; i < text.length; i += size) {
    output += window.push(text.slice(i, i + size))
    heldMax = Math.max(heldMax, window.held)
  }
  return { output: output + window.end(), heldMax }
}

void t.test('without plan and vault everything passes at once', async (t) => {
  const window = openWindow({})
  t.equal(window.push('ada@example.org'), 'ada@example.org')
  t.equal(window.push(''), '')
  t.equal(window.end(), '')
})

void t.test('prose is held for a word at most', async (t) => {
  const text = 'The quick brown fox jumps over the lazy dog, and nothing of it is a secret. '.repeat(40)
  const { output, heldMax } = run(text, 5, planOf('mask'))
  t.equal(output, text)
  t.ok(heldMax < 16, `${heldMax}`)
})

void t.test('the secret of an AWS access key is found beside its id in whatever pieces they come', async (t) => {
  const id = ['AKIA', '2WXDZYL7SRQQBNAC'].join('')
  const secret = ['C34Aw8UXoovTGnG/mkVp', 'jMYbaLLinNpJm9vdyJZq'].join('')
  const plan = planOf('mask')
  for (const text of [
    `Access key ID,Secret access key\n${id},${secret}\nand on`,
    `ACCESSKEY\t${id}\t2026-01-01T00:00:00+00:00\t${secret}\tActive\tbob`,
    `${id} and after${' much else'.repeat(7)} ${secret} and on`,
    `${id} and after${' much else'.repeat(8)} ${secret} and on`,
    `${id} `.repeat(4) + secret,
  ])
    for (const size of [1, 3, 7, 20, 50]) {
      const { output, heldMax } = run(text, size, plan)
      t.equal(output, run(text, text.length, plan).output, `${size}: ${text}`)
      t.ok(heldMax < 200, `${heldMax}`)
    }
})

void t.test('whatever the text, the hold has a limit', async (t) => {
  const plan = planOf('mask')
  for (const unit of [
    'a',
    'a.',
    '1',
    '1 ',
    '12-',
    '+',
    '(',
    '@',
    ':',
    '1:',
    'a@',
    '-',
    'sk-',
    'GB82 ',
    'aws_secret',
    'PL11 1 1',
    'é',
    '😀',
    '%',
    '%41',
    '&#x34;',
    '\\u0034',
    '\u200b',
    '4\u200b',
    'NDEx',
    'MTEx',
    '31',
    'а',
  ]) {
    const text = unit.repeat(3000)
    const { output, heldMax } = run(text, 3, plan)
    t.equal(output, replace(text, plan.scanner.scan(text), plan, vault).text, unit)
    t.ok(heldMax <= 512, `${unit}: ${heldMax}`)
  }
  const token = `eyJ${'a'.repeat(200_000)}`
  t.ok(run(token, 100, plan).heldMax < 5000)
})

void t.test('a private key without end is replaced from its beginning, and so is all that follows', async (t) => {
  const text = `see -----BEGIN PRIVATE KEY-----\n${'MIIEow'.repeat(20_000)} ada@example.org {"a": 1}`
  for (const action of ['mask', 'token', 'hash'] as const) {
    const { output, heldMax } = run(text, 50, planOf(action))
    t.match(output, /^see (?:\[PRIVATE_KEY\]|PRIVATE_KEY_[0-9a-z]+)$/, action)
    t.ok(heldMax <= 512, `${heldMax}`)
    const plan = planOf(action)
    t.equal(replace(text, plan.scanner.scan(text), plan, vault).text, output, 'as in the whole text')
  }
})

void t.test('block stops the channel before the value', async (t) => {
  const window = openWindow({ plan: planOf('block', ['email']), vault })
  t.equal(window.push('write to ada@exam'), 'write to ')
  t.equal(window.blocked, undefined)
  t.equal(window.push('ple.org now'), '')
  t.same(window.blocked, { rule: 'r', entity: 'email' })
  t.equal(window.push('and more'), '')
  t.equal(window.end(), '')
})

void t.test('counts are those of the whole text', async (t) => {
  const text = 'ada@example.org 378-07-9520 bob@example.org '.repeat(100)
  const masked = openWindow({ plan: planOf('mask'), vault })
  const tagged = openWindow({ plan: planOf('tag'), vault })
  for (const unit of text.split('')) {
    masked.push(unit)
    tagged.push(unit)
  }
  masked.end()
  tagged.end()
  t.same(masked.counts, { email: 200, 'us-ssn': 100 })
  t.same(tagged.counts, {})
  t.same(tagged.observed, { email: 200, 'us-ssn': 100 })
})

void t.test('tokens of the request come back as values, also beside redacted ones', async (t) => {
  const own = openVault(Buffer.alloc(32, 1), 'p')
  const token = own.tokenFor('email', 'ada@example.org')
  const text = `Dear ${token}, not bob@example.org; see x${token}.`
  const window = openWindow({ plan: planOf('mask'), vault: own })
  const output = text.split('').map((unit) => window.push(unit))
  t.equal(output.join('') + window.end(), 'Dear ada@example.org, not [EMAIL]; see xada@example.org.')
  const restoring = openWindow({ vault: own })
  t.equal(restoring.push('to EMA'), 'to ')
  t.equal(restoring.push('C'), 'EMAC')
})

void t.test('however small the pieces, a text is scanned a few times at most', async (t) => {
  const plan = planOf('mask')
  let scanned = 0
  const counting: Plan = {
    ...plan,
    scanner: {
      ...plan.scanner,
      scanPart: (text, from, final) => {
        scanned += text.length - from
        return plan.scanner.scanPart(text, from, final)
      },
    },
  }
  const text = `-----BEGIN PRIVATE KEY-----\n${'MIIEow'.repeat(5000)}`
  run(text, 1, counting)
  t.ok(scanned < 20 * text.length, `${scanned / text.length} times`)
})

void t.test('values come back into JSON that a model writes as JSON, and into a text as they are', async (t) => {
  const vault = openVault(Buffer.alloc(32, 1), 'p')
  const value = 'a "b"\\\n\tc'
  const token = vault.tokenFor('private-key', value)
  const restored = (text: string, size: number): string => {
    const window = openWindow({ vault })
    let output = ''
    for (let i = 0; i < text.length; i += size) output += window.push(text.slice(i, i + size))
    return output + window.end()
  }
  for (const size of [1, 2, 7, 1000]) {
    for (const document of [{ key: token, n: 1 }, [token], [{ key: `x ${token} y` }], [[token]]])
      for (const space of [0, 2])
        t.same(
          JSON.parse(restored(JSON.stringify(document, undefined, space), size)),
          JSON.parse(JSON.stringify(document).replace(token, JSON.stringify(value).slice(1, -1))),
        )
    for (const before of ['', 'Here: {"', '[see](x) ', '{ x', '{{"'])
      t.equal(restored(`${before}${token}.`, size), `${before}${value}.`, before)
  }
})

void t.test('a long token goes in time, whatever some of its digits could say', async (t) => {
  const half = 'q7Rk2Vw9Lz4Np8Xc3Tb6Ym1Hd5Gs0Jf'.repeat(15)
  for (const words of ['a cat; its', 'so "it" is', 'ada, (x) y']) {
    const text = `token=${half.slice(0, 41)}+${Buffer.from(words).toString('base64').slice(0, 13)}/${half}&x=1 and so on`
    const { output, heldMax } = run(text, 1, planOf('mask'))
    t.equal(output, 'token=[GENERIC_SECRET]&x=1 and so on')
    t.ok(heldMax < 360, `${heldMax}`)
  }
})

void t.test('what is encoded like a key, and is none, is known by its beginning', async (t) => {
  const line = 'MIIDxDCCAqygAwIBAgIUWzjP9yEI4xyQJpsTuDEN2WdNiAswDQYJKoZIhvcNAQEL'
  const body = Array.from({ length: 20 }, (_, n) => line.slice(n) + line.slice(0, n)).join('\n')
  const certificate = `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`
  const text = `data:\n  ca.pem: ${Buffer.from(certificate).toString('base64')}\n  and so on`
  const { output, heldMax } = run(text, 1, planOf('mask'))
  t.equal(output, text)
  t.ok(heldMax <= 512, `${heldMax}`)
})

const segment = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const webToken = `${segment({ alg: 'RS256' })}.${segment({ sub: '7', data: 'q7Rk2Vw9Lz4Np8Xc'.repeat(40) })}.Hd5Gs0Jf`

void t.test('a long web token in base64 does not wait for what its name says of it', async (t) => {
  const { output, heldMax } = run(`text: token: ${Buffer.from(webToken).toString('base64')} x`, 1, planOf('mask'))
  t.equal(output, 'text: token: [JWT] x')
  t.ok(heldMax <= 512, `${heldMax}`)
})

void t.test('of two that are foreseen together a stream and the whole text choose the same', async (t) => {
  const text = `session_token = ${Buffer.from(webToken).toString('base64')}-x9 and so on`
  const plan = planOf('mask')
  t.equal(run(text, 1, plan).output, replace(text, plan.scanner.scan(text), plan, vault).text)
})
