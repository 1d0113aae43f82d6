import t from 'tap'
import { entityGroups } from '../../../proxy/detect/entities.ts'
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
