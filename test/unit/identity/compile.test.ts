import { Ajv } from 'ajv'
import t from 'tap'
import { compileIdentity } from '../../../proxy/identity/compile.ts'
import { generateKey } from '../../../proxy/identity/generate-key.ts'
import { anonymousSchema, principalsSchema, type IdentityOptions } from '../../../proxy/identity/options.ts'

const nowMs = Date.parse('2026-11-21T00:00:00Z')
const sha256 = 'ab'.repeat(32)

const principalsValid = new Ajv().compile(principalsSchema)

t.test('the schema takes what the interface shows, and nothing else', async (t) => {
  const whole = {
    id: 'research-agent',
    org: 'acme',
    team: 'growth',
    roles: ['researcher'],
    from: ['127.0.0.0/8', '10.0.0.0/8'],
  }
  t.ok(principalsValid([{ ...whole, keys: [{ sha256, expires: '2027-06-01T00:00:00Z' }] }]))
  for (const bad of [
    {},
    { id: '' },
    { id: 'a b' },
    { id: 'x', role: ['a'] },
    { id: 'x', keys: [{ sha256: 'short' }] },
    { id: 'x', keys: [sha256] },
    { id: 'x', keys: [{ sha256, key: 'gw_secret' }] },
    { id: 'x', from: [] },
  ]) {
    t.notOk(principalsValid([bad]), JSON.stringify(bad))
  }
  t.ok(new Ajv().validate(anonymousSchema, 'deny'))
})

function problems(options: IdentityOptions): string[] {
  const found = compileIdentity(options, [], { nowMs }).problems
  return found.map(({ path, message, severity }) => `${severity} ${path.join('/')}: ${message}`)
}

t.test('what is wrong with principals', async (t) => {
  const keys = [{ sha256 }]
  t.same(
    problems({
      principals: [
        { id: 'a', keys },
        { id: 'a', keys: [{ sha256: 'cd'.repeat(32) }] },
      ],
    }),
    ['error principals/1/id: the principal id "a" is used twice'],
  )
  t.same(
    problems({
      principals: [
        { id: 'a', keys },
        { id: 'b', keys: [{ sha256: sha256.toUpperCase() }] },
      ],
    }),
    ['error principals/1/keys/0/sha256: this key already belongs to principal "a"'],
  )
  t.same(problems({ principals: [{ id: 'a', keys: [{ sha256: 'gw_oops' }] }] }), [
    'error principals/0/keys/0/sha256: a key hash is 64 hex digits',
  ])
  for (const expires of [
    'tomorrow',
    '2027-13-01T00:00:00Z',
    '2027-02-30T00:00:00Z',
    '2027-06-01',
    '2027-06-01T00:00:00',
  ]) {
    t.same(problems({ principals: [{ id: 'a', keys: [{ sha256, expires }] }] }), [
      `error principals/0/keys/0/expires: "${expires}" is not a time`,
    ])
  }
  t.same(problems({ principals: [{ id: 'a', keys: [{ sha256, expires: '2026-11-21T00:00:00Z' }] }] }), [
    'warning principals/0/keys/0/expires: this key of "a" has expired',
  ])
  t.same(problems({ principals: [{ id: 'a', keys: [{ sha256, expires: '2026-11-21T01:00:00.5+00:30' }] }] }), [])
  t.match(problems({ principals: [{ id: 'a' }] }), [/^warning principals\/0: nobody can be principal "a"/])
  t.same(problems({ principals: [{ id: 'a' }], anonymous: 'a' }), [])
  t.same(problems({ principals: [{ id: 'deny', keys }] }), [
    'error principals/0/id: "deny" cannot be a principal: anonymous: deny means nobody',
  ])
})

t.test('what is wrong with networks', async (t) => {
  const from = (network: string): string[] =>
    problems({ principals: [{ id: 'a', keys: [{ sha256 }], from: [network] }] })
  for (const bad of [
    '',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    '10.0.0',
    '0177.0.0.1',
    '::/129',
    '::ffff:1.2.3.4/95',
    'localhost',
  ]) {
    t.same(from(bad), [`error principals/0/from/0: "${bad}" is not a network`])
  }
  for (const good of ['10.0.0.0/8', '127.0.0.1', '0.0.0.0/0', '::1', '2001:db8::/32', '::/0', '::ffff:10.0.0.0/104'])
    t.same(from(good), [], good)
  t.match(from('10.0.0.1/8'), [/^warning .* has bits set beyond its prefix/])
})

t.test('anonymous names a principal', async (t) => {
  const compiled = compileIdentity({ principals: [{ id: 'demo' }], anonymous: 'dmo' }, [], { nowMs })
  t.match(compiled.problems, [
    { severity: 'warning' },
    { path: ['anonymous'], severity: 'error', hint: 'did you mean "demo"?' },
  ])
  const far = compileIdentity({ anonymous: 'somebody-else' }, [], { nowMs }).problems
  t.match(far, [{ path: ['anonymous'], hint: 'write deny, or the id of a principal' }])
  t.match(
    compiled.authenticator.authenticate({ headers: [], query: '', toolQuery: false, ip: '::1', nowMs }),
    { ok: false },
    'and is nobody otherwise',
  )
})

t.test('the names that others may refer to', async (t) => {
  const { known } = compileIdentity({ principals: [{ id: 'a', org: 'o', team: 't', roles: ['r', 's'] }] }, [], {
    nowMs,
  })
  t.same(known, { ids: new Set(['a']), orgs: new Set(['o']), teams: new Set(['t']), roles: new Set(['r', 's']) })
})

t.test('a new key is recognisable, long, and known by its hash', async (t) => {
  const { key, sha256 } = generateKey()
  t.match(key, /^gw_[A-Za-z0-9_-]{43}$/)
  t.not(key, generateKey().key)
  const { authenticator } = compileIdentity({ principals: [{ id: 'a', keys: [{ sha256 }] }] }, [], { nowMs })
  t.match(authenticator.authenticate({ headers: ['api-key', key], query: '', toolQuery: false, ip: '::1', nowMs }), {
    ok: true,
    principal: { id: 'a' },
  })
})
