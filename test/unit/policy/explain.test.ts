import t from 'tap'
import { explain } from '../../../proxy/policy/explain.ts'
import { policyOf, queryOf } from './policies.ts'

t.test('every rule, every condition, what it looked at and what came of it', async (t) => {
  const policy = policyOf({
    rules: [
      { id: 'models', effect: 'allow', models: ['claude-*'], principals: { roles: ['researcher'], orgs: ['acme'] } },
      { id: 'big', effect: 'deny', actions: ['model.call'], when: 'maxTokens > 100', from: ['10.0.0.0/8'] },
      { id: 'tools', effect: 'allow', tools: ['**'] },
      { id: 'elsewhere', effect: 'deny', routes: ['claude'] },
      { id: 'pii', effect: 'allow', findings: ['pii'], mode: 'shadow' },
    ],
  })
  const query = queryOf({ type: 'model.call', model: 'gpt-4o' }, { findings: { email: 2 } })
  const explanation = explain(policy, query)
  t.match(explanation.decision, { effect: 'deny', rule: 'big' })
  t.equal(explanation.policyHash, policy.hash)
  t.strictSame(explanation.rules, [
    {
      rule: 'models',
      effect: 'allow',
      mode: 'enforce',
      result: 'not-matched',
      conditions: [
        { condition: 'models', result: 'not-matched', looked: 'model "gpt-4o" against "claude-*"' },
        {
          condition: 'principals',
          result: 'matched',
          looked: 'orgs ["acme"] against "acme"; roles ["researcher"] against "researcher"',
        },
      ],
    },
    {
      rule: 'big',
      effect: 'deny',
      mode: 'enforce',
      result: 'unknown',
      note: 'unknown counts as matched in a rule to deny',
      conditions: [
        { condition: 'from', result: 'matched', looked: 'client 10.1.2.3 against "10.0.0.0/8"' },
        { condition: 'when', result: 'unknown', looked: 'maxTokens > 100', why: 'unknown variable: maxTokens' },
      ],
    },
    {
      rule: 'tools',
      effect: 'allow',
      mode: 'enforce',
      result: 'not-asked',
      note: 'judges tool.call, tool.offer, not model.call',
      conditions: [],
    },
    {
      rule: 'elsewhere',
      effect: 'deny',
      mode: 'enforce',
      result: 'not-asked',
      note: 'is not for route openai with upstream openai',
      conditions: [{ condition: 'routes', result: 'not-matched', looked: 'route "openai" against "claude"' }],
    },
    {
      rule: 'pii',
      effect: 'allow',
      mode: 'shadow',
      result: 'matched',
      conditions: [{ condition: 'findings', result: 'matched', looked: 'findings {email: 2, pii: 2} against "pii"' }],
    },
  ])
})

t.test('every condition can describe what it looks at, known or not', async (t) => {
  const tools = [{ name: 'x', tags: ['t'] }]
  const http = {
    methods: ['GET'],
    paths: ['/a'],
    tools: ['crm'],
    tags: ['t'],
    upstreams: ['crm'],
    between: { from: '01:00', to: '02:00', tz: 'UTC' },
  }
  const policy = policyOf({ tools, rules: [{ id: 'r', effect: 'deny', ...http, findings: ['jwt'] }] })
  const known = queryOf({ type: 'tool.call', via: 'http', tool: 'crm', method: 'GET', path: '/a' })
  const unknown = queryOf({ type: 'tool.call' }, { route: 'crm', upstream: 'crm', timeMs: Number.NaN })
  const looked = (query: typeof known) =>
    explain(policy, query).rules[0]?.conditions.map((condition) => `${condition.result}: ${condition.looked}`)
  t.strictSame(looked(known), [
    'matched: upstream "crm" against "crm"',
    'matched: method "GET" against "GET"',
    'matched: tool "crm" against "crm"',
    'not-matched: tags [] against "t"',
    'matched: path "/a" against "/a"',
    'unknown: findings unknown against "jwt"',
    'not-matched: time 2026-11-21T12:00:00.000Z against 01:00 to 02:00 UTC',
  ])
  t.strictSame(looked(unknown), [
    'matched: upstream "crm" against "crm"',
    'unknown: method unknown against "GET"',
    'unknown: tool unknown against "crm"',
    'unknown: tags unknown against "t"',
    'unknown: path unknown against "/a"',
    'unknown: findings unknown against "jwt"',
    'unknown: time unknown against 01:00 to 02:00 UTC',
  ])
})
