import t from 'tap'
import { compileIdentity } from '../../../proxy/identity/compile.ts'
import { generateKey } from '../../../proxy/identity/generate-key.ts'
import type { IdentityOptions } from '../../../proxy/identity/options.ts'

const nowMs = Date.parse('2026-11-21T00:00:00Z')
const alice = generateKey()
const bob = generateKey()
const old = generateKey()

const options: IdentityOptions = {
  principals: [
    { id: 'alice', org: 'acme', team: 'growth', roles: ['researcher'], keys: [{ sha256: alice.sha256 }] },
    { id: 'bob', keys: [{ sha256: bob.sha256.toUpperCase() }], from: ['10.0.0.0/8', '172.16.0.0/12', '::1'] },
    { id: 'carol', keys: [{ sha256: old.sha256, expires: '2026-11-20T00:00:00Z' }] },
  ],
}

function ask(
  headers: readonly string[],
  more: Partial<IdentityOptions> = {},
  query = '',
  ip = '127.0.0.1',
  toolQuery = false,
) {
  const { authenticator } = compileIdentity({ ...options, ...more }, [], { nowMs })
  return authenticator.authenticate({ headers, query, toolQuery, ip, nowMs })
}

/** Of a tool, whose parameters the query has. */
function askTool(headers: readonly string[], query: string, more: Partial<IdentityOptions> = {}) {
  return ask(headers, more, query, '127.0.0.1', true)
}

t.test('a key is found wherever clients put it', async (t) => {
  const principal = { id: 'alice', org: 'acme', team: 'growth', roles: ['researcher'] }
  const { key: presented, sha256 } = alice
  const identified = { ok: true, principal, via: 'api-key', key: sha256.slice(0, 12), presented, keyInQuery: true }
  for (const headers of [
    ['Host', 'x', 'Authorization', `Bearer ${alice.key}`],
    ['authorization', `bearer  ${alice.key}`],
    ['X-Api-Key', alice.key],
    ['api-key', alice.key],
    ['x-goog-api-key', alice.key],
    ['authorization', `Bearer ${alice.key}`, 'x-api-key', alice.key],
    ['authorization', 'Bearer ', 'x-api-key', alice.key],
  ]) {
    t.same(ask(headers), identified, headers.join(' '))
  }
  t.same(ask([], {}, `alt=sse&key=${alice.key}`), identified)
  t.same(ask([], {}, `%6Bey=${alice.key.replace('gw', '%67w')}`), identified)
})

t.test('places that disagree, repeated lines and other schemes have no reading', async (t) => {
  const invalid = { ok: false, code: 'credentials-invalid' }
  t.match(ask(['authorization', `Bearer ${alice.key}`, 'x-api-key', bob.key]), invalid)
  t.match(ask(['x-api-key', alice.key, 'X-API-Key', alice.key]), invalid)
  t.match(ask(['x-api-key', '', 'x-api-key', alice.key]), invalid)
  t.match(ask(['x-api-key', alice.key], {}, 'key=other'), invalid)
  t.match(ask([], {}, `key=${alice.key}&key=${alice.key}`), invalid)
  t.match(ask(['authorization', `Basic ${alice.key}`]), {
    ...invalid,
    message: /with Bearer, and the same wherever else/,
  })
  t.match(ask(['authorization', `Bearer ${alice.key} ${alice.key}`]), invalid)
  t.match(ask(['authorization', alice.key]), invalid)
})

t.test('unknown, expired and hostile keys get the same answer', async (t) => {
  const expected = { ok: false, code: 'credentials-invalid', message: 'The agent key is not valid.' }
  for (const key of [
    generateKey().key,
    old.key,
    "' OR 1=1--",
    '\u0000',
    'ключ',
    'x'.repeat(60_000),
    '__proto__',
    alice.sha256,
  ]) {
    t.same(ask(['x-api-key', key]), expected, key.slice(0, 20))
  }
})

t.test('a key is valid until the millisecond it expires', async (t) => {
  const { authenticator } = compileIdentity(options, [], { nowMs })
  const expiresMs = Date.parse('2026-11-20T00:00:00Z')
  const at = (atMs: number) =>
    authenticator.authenticate({ headers: ['x-api-key', old.key], query: '', toolQuery: false, ip: '::1', nowMs: atMs })
  t.match(at(expiresMs - 1), { ok: true, principal: { id: 'carol' } })
  t.match(at(expiresMs), { ok: false, code: 'credentials-invalid' })
})

t.test('the address of the socket must be one of the principal’s', async (t) => {
  const from = (ip: string) => ask(['x-api-key', bob.key], {}, '', ip)
  for (const ip of ['10.1.2.3', '172.31.255.255', '::ffff:10.1.2.3', '::1', '0:0:0:0:0:0:0:1'])
    t.match(from(ip), { ok: true }, ip)
  for (const ip of [
    '127.0.0.1',
    '11.0.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '::ffff:11.0.0.1',
    '::2',
    'fe80::1%eth0',
    '',
    'nonsense',
  ]) {
    t.match(from(ip), { ok: false, code: 'source-refused' }, ip)
  }
})

t.test('without a key: nobody, or the anonymous principal', async (t) => {
  t.match(ask([]), { ok: false, code: 'credentials-missing' })
  t.match(ask(['authorization', 'Bearer']), { ok: false, code: 'credentials-missing' })
  t.same(ask([], { anonymous: 'alice' }), {
    ok: true,
    principal: { id: 'alice', org: 'acme', team: 'growth', roles: ['researcher'] },
    via: 'anonymous',
    keyInQuery: true,
  })
  t.match(ask([], { anonymous: 'bob' }), { ok: false, code: 'credentials-missing' }, 'from holds for the anonymous too')
  t.match(ask([], { anonymous: 'bob' }, '', '10.0.0.1'), { ok: true, principal: { id: 'bob' }, via: 'anonymous' })
})

t.test('a bad key never falls back to anonymous', async (t) => {
  t.match(ask(['x-api-key', 'sk-anything'], { anonymous: 'alice' }), { ok: false, code: 'credentials-invalid' })
  t.match(ask(['x-api-key', old.key], { anonymous: 'alice' }), { ok: false, code: 'credentials-invalid' })
})

t.test('where no principal has a key, whatever an SDK sends is ignored', async (t) => {
  const keyless: IdentityOptions = { principals: [{ id: 'demo' }], anonymous: 'demo' }
  const anonymous = { ok: true, principal: { id: 'demo', roles: [] }, via: 'anonymous', keyInQuery: true }
  t.same(ask(['authorization', 'Bearer sk-anything'], keyless), anonymous)
  t.same(ask(['x-api-key', 'a', 'authorization', 'Bearer b'], keyless), anonymous)
  t.match(ask(['x-api-key', 'a'], { principals: [{ id: 'demo' }] }), { ok: false, code: 'credentials-invalid' })
})

t.test('to a tool `key` is a parameter, unless it is an agent’s', async (t) => {
  const bearer = ['authorization', `Bearer ${alice.key}`]
  for (const query of ['key=42', '%6Bey=42&a=1', 'key=', 'key=1&key=2'])
    t.match(askTool(bearer, query), { ok: true, principal: { id: 'alice' }, keyInQuery: false }, query)
  for (const query of [`key=${alice.key}`, `k%65y=${alice.key.replace('gw', '%67w')}`]) {
    const identified = { ok: true, principal: { id: 'alice' }, keyInQuery: true }
    t.match(askTool([], query), identified)
    t.match(askTool(bearer, query), identified)
  }
  const invalid = { ok: false, code: 'credentials-invalid' }
  for (const query of [`key=${bob.key}`, `key=${old.key}`, `key=42&key=${alice.key}`])
    t.match(askTool(bearer, query), invalid, 'an agent’s key goes to no tool')
})

t.test('where no header says who asks, `key` is no parameter of anybody', async (t) => {
  for (const anonymous of ['deny', 'alice']) {
    t.match(askTool([], 'key=42', { anonymous }), { ok: false, code: 'credentials-invalid' })
    t.match(askTool(['x-api-key', ''], 'key=1&key=2', { anonymous }), { ok: false, code: 'credentials-invalid' })
    t.match(askTool([], `key=${old.key}`, { anonymous }), { ok: false, code: 'credentials-invalid' })
  }
  t.match(askTool([], 'key=&a=1', { anonymous: 'alice' }), { ok: true, via: 'anonymous', keyInQuery: false })
})

t.test('where no principal has a key, `key` is a parameter of every tool', async (t) => {
  const keyless: IdentityOptions = { principals: [{ id: 'demo' }], anonymous: 'demo' }
  for (const headers of [[], ['authorization', 'Bearer sk-anything']])
    t.match(askTool(headers, 'key=42', keyless), { ok: true, via: 'anonymous', keyInQuery: false })
  t.match(ask([], keyless, 'key=42'), { ok: true, via: 'anonymous', keyInQuery: true }, 'and of no model')
})
