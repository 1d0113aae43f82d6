import t from 'tap'
import type { Conditions } from '../../../proxy/policy/options.ts'
import type { Action, Query } from '../../../proxy/policy/query.ts'
import { policyOf, queryOf } from './policies.ts'

const tools = [
  { name: 'github/delete_*', tags: ['destructive', 'write'] },
  { name: 'github/*', tags: ['github'] },
  { name: 'send', tags: ['mail'], upstream: 'openai' },
]

/** Whether a rule with these conditions matches. */
function matches(conditions: Conditions, action: Action, more: Partial<Omit<Query, 'action'>> = {}): boolean {
  const policy = policyOf({ tools, rules: [{ id: 'r', effect: 'allow', ...conditions }] })
  return policy.evaluate(queryOf(action, more)).effect === 'allow'
}

const chat: Action = { type: 'model.call', model: 'gpt-4o' }
const tool = (name: string): Action => ({ type: 'tool.call', via: 'mcp', tool: name, args: {} })
const http = (method: string, path: string): Action => ({
  type: 'tool.call',
  via: 'http',
  tool: 'crm',
  method,
  path,
  args: {},
})

t.test('models: `*` crosses slashes and colons', async (t) => {
  const model = (pattern: string, name: string) => matches({ models: [pattern] }, { type: 'model.call', model: name })
  t.equal(model('gpt-4o*', 'gpt-4o-mini'), true)
  t.equal(model('*llama-3*', 'meta/llama-3:70b'), true)
  t.equal(model('meta/*', 'meta/llama-3:70b'), true)
  t.equal(model('*', 'a/b/c:d'), true)
  t.equal(model('gpt-4o', 'gpt-4o-mini'), false)
  t.equal(model('gpt-4.1', 'gpt-4x1'), false)
  t.equal(model('GPT-4o', 'gpt-4o'), false)
  t.equal(matches({ models: ['a', 'gpt-*'] }, chat), true)
  t.equal(model('gpt-\\[3]', 'gpt-[3]'), true, 'a bracket itself')
})

t.test('tools: `*` stays within a segment', async (t) => {
  t.equal(matches({ tools: ['github/*'] }, tool('github/delete_issue')), true)
  t.equal(matches({ tools: ['*'] }, tool('github/delete_issue')), false)
  t.equal(matches({ tools: ['**'] }, tool('github/delete_issue')), true)
  t.equal(matches({ tools: ['*/delete_*'] }, tool('github/delete_issue')), true)
  t.equal(matches({ tools: ['delete_*'] }, tool('github/delete_issue')), false)
  t.equal(matches({ tools: ['github/{get,list}_*'] }, tool('github/list_issues')), true)
})

t.test('tags come from every entry of the catalogue that fits', async (t) => {
  t.equal(matches({ tags: ['destructive'] }, tool('github/delete_issue')), true)
  t.equal(matches({ tags: ['github'] }, tool('github/delete_issue')), true)
  t.equal(matches({ tags: ['dest*'] }, tool('github/get_issue')), false)
  t.equal(matches({ tags: ['mail'] }, { type: 'tool.call', via: 'model', tool: 'send' }), true)
  t.equal(
    matches(
      { tags: ['mail'] },
      { type: 'tool.call', via: 'model', tool: 'send' },
      { route: 'claude', upstream: 'anthropic' },
    ),
    false,
  )
})

t.test('routes and upstreams', async (t) => {
  t.equal(matches({ routes: ['openai'] }, chat), true)
  t.equal(matches({ routes: ['c*'] }, chat), false)
  t.equal(matches({ upstreams: ['open*', 'crm'] }, chat), true)
  t.equal(matches({ upstreams: ['anthropic'] }, chat, { route: 'claude', upstream: 'anthropic' }), true)
  t.equal(matches({ upstreams: ['anthropic'] }, chat, { route: 'claude', upstream: 'openai' }), false)
})

t.test('methods and paths of http calls', async (t) => {
  t.equal(matches({ methods: ['get', 'DELETE'] }, http('GET', '/')), true)
  t.equal(matches({ methods: ['GET'] }, http('get', '/')), false, 'methods are case-sensitive on the wire')
  t.equal(matches({ paths: ['/customers/*'] }, http('GET', '/customers/7')), true)
  t.equal(matches({ paths: ['/customers/*'] }, http('GET', '/customers/7/notes')), false)
  t.equal(matches({ paths: ['/customers/**'] }, http('GET', '/customers/7/notes')), true)
  t.equal(matches({ paths: ['/**/notes'] }, http('GET', '/customers/7/notes')), true)
  t.equal(matches({ methods: ['GET'] }, tool('github/x')), false)
})

t.test('principals: every key must match, in a list any entry', async (t) => {
  t.equal(matches({ principals: { ids: ['research-*'] } }, chat), true)
  t.equal(matches({ principals: { roles: ['intern', 'researcher'] } }, chat), true)
  t.equal(matches({ principals: { orgs: ['acme'], roles: ['intern'] } }, chat), false)
  t.equal(matches({ principals: { orgs: ['acme'], teams: ['gr*'] } }, chat), true)
  t.equal(matches({ principals: { orgs: ['*'] } }, chat, { principal: { id: 'ops', roles: [] } }), false, 'no org')
})

t.test('findings: entities and groups', async (t) => {
  const found = (names: string[], findings: Record<string, number>) => matches({ findings: names }, chat, { findings })
  t.equal(found(['email'], { email: 1 }), true)
  t.equal(found(['secrets'], { jwt: 1 }), true)
  t.equal(found(['pii'], { jwt: 1 }), false)
  t.equal(found(['pii', 'secrets'], { jwt: 1 }), true)
  t.equal(found(['email'], {}), false)
  t.equal(found(['us-*'], { 'us-ssn': 1 }), true, 'globs over entities')
  t.equal(found(['sec*'], { jwt: 1 }), true, 'and over groups')
  t.equal(found(['us-*'], { email: 1 }), false)
})

t.test('from: addresses and ranges, IPv4 inside IPv6 included', async (t) => {
  const from = (range: string, ip: string) => matches({ from: [range] }, chat, { client: { ip } })
  t.equal(from('10.0.0.0/8', '10.255.0.1'), true)
  t.equal(from('10.0.0.0/8', '11.0.0.1'), false)
  t.equal(from('10.0.0.0/8', '::ffff:10.1.2.3'), true)
  t.equal(from('::ffff:10.0.0.0/104', '10.1.2.3'), true)
  t.equal(from('127.0.0.1', '127.0.0.1'), true)
  t.equal(from('127.0.0.1', '127.0.0.2'), false)
  t.equal(from('2001:db8::/32', '2001:db8::1'), true)
  t.equal(from('2001:db8::/32', '10.1.2.3'), false)
  t.equal(from('::1', '::1'), true)
  t.equal(from('10.1.2.3/9', '10.127.255.255'), true, 'bits beyond the prefix do not count')
  t.equal(from('10.1.2.3/9', '10.128.0.0'), false)
  t.equal(from('192.0.2.0/31', '192.0.2.1'), true)
  t.equal(from('192.0.2.0/31', '192.0.2.2'), false)
  t.equal(from('2001:db8:8000::/33', '2001:db8:ffff::1'), true)
  t.equal(from('2001:db8:8000::/33', '2001:db8:7fff::1'), false)
  t.equal(from('0.0.0.0/0', '255.1.2.3'), true)
  t.equal(from('::/0', '255.1.2.3'), false, 'a range of one kind holds no address of the other')
  t.equal(from('::ffff:0:0/95', '255.1.2.3'), false)
})

t.test('between: on the wall clock, past midnight, by the day it began', async (t) => {
  const at = (between: NonNullable<Conditions['between']>, time: string) =>
    matches({ between }, chat, { timeMs: Date.parse(time) })
  const office = { from: '09:00', to: '17:00' }
  t.equal(at(office, '2026-11-20T09:00:00Z'), true)
  t.equal(at(office, '2026-11-20T16:59:59.999Z'), true)
  t.equal(at(office, '2026-11-20T17:00:00Z'), false)
  t.equal(at({ ...office, tz: 'Europe/Berlin' }, '2026-11-20T08:00:00Z'), true, 'winter, UTC+1')
  t.equal(at({ ...office, tz: 'Europe/Berlin' }, '2026-07-20T07:00:00Z'), true, 'summer, UTC+2')
  t.equal(at({ ...office, tz: 'Europe/Berlin' }, '2026-07-20T06:59:00Z'), false)
  t.equal(at({ ...office, days: ['fri'] }, '2026-11-20T12:00:00Z'), true)
  t.equal(at({ ...office, days: ['sat'] }, '2026-11-20T12:00:00Z'), false)
  const night = { from: '22:00', to: '06:00', days: ['fri'] }
  t.equal(at(night, '2026-11-20T23:00:00Z'), true)
  t.equal(at(night, '2026-11-21T05:59:00Z'), true, 'Saturday morning belongs to Friday')
  t.equal(at(night, '2026-11-20T05:59:00Z'), false, 'Friday morning belongs to Thursday')
  t.equal(at({ from: '00:00', to: '24:00' }, '2026-11-20T23:59:00Z'), true)
  t.equal(at({ from: '22:00', to: '00:00' }, '2026-11-20T23:59:00Z'), true)
})
