import t from 'tap'
import { entityGroups } from '../../../proxy/detect/entities.ts'
import type { Kept, KeptOfCaller } from '../../../proxy/detect/vault-memory.ts'
import { openVault } from '../../../proxy/detect/vault.ts'
import { looksLikeToken, tokenLengthMax } from '../../../proxy/detect/vault-token.ts'

const key = Buffer.alloc(32, 1)

void t.test('the same value has the same token in every vault of a caller, and in no other', async (t) => {
  const token = openVault(key, 'a').tokenFor('email', 'ada@example.org')
  t.equal(openVault(key, 'a').tokenFor('email', 'ada@example.org'), token)
  t.not(openVault(key, 'b').tokenFor('email', 'ada@example.org'), token)
  t.not(openVault(Buffer.alloc(32, 2), 'a').tokenFor('email', 'ada@example.org'), token)
  t.not(openVault(key, 'a').tokenFor('email', 'bob@example.org'), token)
  t.not(openVault(key, 'a').tokenFor('iban', 'ada@example.org').slice(-10), token.slice(-10))
})

void t.test('tokens are words of a bounded length for every entity', async (t) => {
  const vault = openVault(key, 'a')
  for (const entity of entityGroups.keys()) {
    const token = vault.tokenFor(entity, 'value')
    t.match(token, /^[A-Z][A-Z0-9_]*_[0-9a-hjkmnp-tv-z]{10}$/)
    t.ok(token.length <= tokenLengthMax, `${token} is ${token.length} long`)
    t.ok(looksLikeToken(token))
  }
})

void t.test('the check symbol tells changed tokens', async (t) => {
  const token = openVault(key, 'a').tokenFor('email', 'ada@example.org')
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
  for (let i = 'EMAIL_'.length; i < token.length; i++) {
    for (const symbol of alphabet.split('').filter((s) => s !== token[i])) {
      t.notOk(looksLikeToken(token.slice(0, i) + symbol + token.slice(i + 1)))
    }
  }
  t.notOk(looksLikeToken('EMAIL_address'))
  t.notOk(looksLikeToken('hello'))
})

void t.test('only issued tokens are restored, wherever they stand', async (t) => {
  const vault = openVault(key, 'a')
  const token = vault.tokenFor('email', 'ada@example.org')
  const foreign = openVault(key, 'b').tokenFor('email', 'bob@example.org')
  t.equal(vault.size, 1)
  for (const [text, restored] of [
    [token, 'ada@example.org'],
    [`${token}${token}`, 'ada@example.orgada@example.org'],
    [`<${token}>, user_${token}x "${token}"`, '<ada@example.org>, user_ada@example.orgx "ada@example.org"'],
    [`EMAIL_${token}`, 'EMAIL_ada@example.org'],
    [token.toLowerCase(), 'ada@example.org'],
    [token.toUpperCase(), 'ada@example.org'],
    [token.replace('_', '\\_'), 'ada@example.org'],
  ] as const) {
    t.equal(vault.restore(text), restored)
  }
  for (const text of [foreign, token.slice(0, -1), token.replace('EMAIL', 'IBAN'), 'EMAIL_', '']) {
    t.equal(vault.restore(text), text)
  }
})

void t.test('a value that looks like a token is restored once', async (t) => {
  const vault = openVault(key, 'a')
  const inner = vault.tokenFor('email', 'ada@example.org')
  const outer = vault.tokenFor('jwt', inner)
  t.equal(vault.restore(outer), inner)
})

void t.test('a part is restored up to what may be the beginning of a token', async (t) => {
  const vault = openVault(key, 'a')
  const token = vault.tokenFor('email', 'ada@example.org')
  for (let length = 1; length < token.length; length++) {
    t.same(vault.restorePart(`to ${token.slice(0, length)}`), { text: 'to ', heldFrom: 3 })
  }
  t.same(vault.restorePart(`to ${token}`), { text: 'to ada@example.org', heldFrom: 3 + token.length })
  t.same(vault.restorePart('to EMU'), { text: 'to EMU', heldFrom: 6 })
  t.same(openVault(key, 'a').restorePart('to EMAIL'), { text: 'to EMAIL', heldFrom: 8 })
})

void t.test('of many values no two share a token, and each comes back', async (t) => {
  const vault = openVault(key, 'a')
  const values = Array.from({ length: 5000 }, (_, i) => String(378_079_520 + 7 * i))
  // Numbers of this kind have a million tokens, so some of these meet.
  const tokens = values.map((value) => vault.tokenFor('us-ssn', value, undefined, 'number'))
  t.equal(new Set(tokens).size, values.length)
  t.same(
    tokens.map((token) => vault.restore(token)),
    values,
  )
  t.ok(tokens.every((token) => /^666\d{6}$/.test(token)))
})

void t.test('where all numbers are given out, a word stands for the value', async (t) => {
  const given = new Map<string, Kept>()
  // Somebody else's value has whatever number is drawn.
  const kept: KeptOfCaller = {
    get: (token) =>
      token.startsWith('#') ? { entity: 'us-ssn', value: 'x', restore: [], restoreTo: [] } : given.get(token),
    keep: (token, form, value) => {
      t.equal(form, 'word')
      given.set(token, value)
    },
    size: 1_000_000,
    entities: new Set(['us-ssn']),
    forms: new Set(['number']),
    numberLengths: 1 << 9,
  }
  const vault = openVault(key, 'a', { kept, allows: () => true })
  const token = vault.tokenFor('us-ssn', '378-07-9520', undefined, 'number')
  t.match(token, /^US_SSN_[0-9a-z]{10}$/)
  t.equal(vault.aliasFor('us-ssn', '378-07-9520', 'number'), token, 'the same of an answer')
  t.equal(vault.restore(`It is ${token}.`), 'It is 378-07-9520.')
  t.same(
    [...given.values()].map(({ value }) => value),
    ['378-07-9520'],
  )
})

void t.test('tokens in the form of their values', async (t) => {
  const vault = openVault(key, 'a')
  const mail = vault.tokenFor('email', 'ada@example.org', undefined, 'mail')
  t.match(mail, /^[0-9a-z]{10}@redacted\.invalid$/)
  t.equal(mail.slice(0, 10), vault.tokenFor('email', 'ada@example.org').slice(-10), 'one token in two forms')
  t.equal(vault.restore(`<${mail.toUpperCase()}>`), '<ada@example.org>')
  t.equal(vault.restore(`?to=${encodeURIComponent(mail)}`), '?to=ada%40example.org')
  t.ok(vault.isToken(mail))
  t.ok(vault.isToken(`EMAIL_${mail.slice(0, 10)}`))
  t.notOk(vault.isToken(openVault(key, 'b').tokenFor('email', 'ada@example.org')))
  t.notOk(vault.isToken('k7q2m9xd4x@redacted.invalid'))

  const card = vault.tokenFor('payment-card', '4111 1111-1111 1111', undefined, 'number')
  t.match(card, /^[1-9]\d{3} \d{4}-\d{4} \d{4}$/)
  const digits = card.replaceAll(/\D/g, '')
  t.equal(vault.restore(`card ${card}.`), 'card 4111 1111-1111 1111.')
  t.equal(vault.restore(`{"card":${digits}}`), '{"card":4111111111111111}', 'plain where it stands plain')
  t.equal(vault.restore(`1${digits}`), `1${digits}`)
  t.equal(vault.restore(`${digits}1`), `${digits}1`)
  t.ok(vault.isToken(card))
  t.notOk(vault.isToken('4111 1111-1111 1111'))
})

void t.test('values come back only on the terms that they were given out on', async (t) => {
  const vault = openVault(key, 'a')
  const token = vault.tokenFor('email', 'ada@example.org', { restore: ['tool.args'], restoreTo: [] })
  t.equal(vault.restore(token, 'response.text'), token)
  t.equal(vault.restore(token, 'tool.args'), 'ada@example.org')
  vault.tokenFor('email', 'ada@example.org', { restore: ['response.text'], restoreTo: [] })
  t.equal(vault.restore(token, 'response.text'), 'ada@example.org', 'two rules, each with its own')
  t.same([...vault.restored], [['email', 2]])
})

void t.test('names of any length make tokens of the same length', async (t) => {
  const vault = openVault(key, 'a')
  for (const entity of [
    'a-custom-detector-with-a-very-long-name',
    'kunden.nummer',
    '1st',
    'ends-here-with-a-dash-after-it',
  ]) {
    const token = vault.tokenFor(entity, 'value')
    t.ok(looksLikeToken(token), token)
    t.ok(token.length <= tokenLengthMax, token)
    t.equal(vault.restore(`x${token}x`), 'xvaluex')
  }
})
