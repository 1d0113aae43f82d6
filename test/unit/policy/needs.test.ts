import t from 'tap'
import type { PolicyOptions, RuleOptions } from '../../../proxy/policy/options.ts'
import { policyOf } from './policies.ts'

function needs(route: string, rules: RuleOptions[], more: PolicyOptions = {}) {
  const { body, answer, findings, enforcedFindings } = policyOf({
    tools: [{ name: 'crm', tags: ['x'] }],
    policyHeaders: ['x-team'],
    rules,
    ...more,
  }).needs(route)
  return { body, answer, findings: [...findings].sort(), enforcedFindings: [...enforcedFindings].sort() }
}

const open = { defaultEffect: 'allow' } as const
const nothing = { body: false, answer: false, findings: [], enforcedFindings: [] }

t.test('rules over the exchange alone read neither the body nor the answer', async (t) => {
  t.same(needs('openai', [], open), nothing)
  t.same(needs('openai', [{ id: 'a', effect: 'allow', principals: { roles: ['researcher'] } }]), nothing)
  const headers: RuleOptions[] = [
    { id: 'a', effect: 'allow' },
    {
      id: 'd',
      effect: 'deny',
      when: 'headers["x-team"] != "red"',
      from: ['10.0.0.0/8'],
      between: { from: '00:00', to: '06:00' },
    },
  ]
  t.same(needs('openai', headers), nothing)
  t.same(needs('crm', headers), nothing)
  t.same(
    needs('openai', [{ id: 'd', effect: 'deny', actions: ['model.call'], when: 'operation == "embeddings"' }], open),
    nothing,
  )
})

t.test('what looks into a model call reads its body', async (t) => {
  const whens = ['model == "x"', 'stream', 'maxTokens > 1', 'messages > 1', 'size(tools) > 0']
  for (const when of whens) t.equal(needs('openai', [{ id: 'd', effect: 'deny', when }], open).body, true, when)
  t.equal(
    needs('openai', [{ id: 'd', effect: 'deny', models: ['x'], mode: 'shadow' }], open).body,
    true,
    'shadow rules too',
  )
  t.same(
    needs('openai', [{ id: 'd', effect: 'deny', models: ['x'], routes: ['claude'] }], open),
    nothing,
    'but only on its route',
  )
  t.same(needs('openai', [{ id: 'd', effect: 'deny', models: ['x'], upstreams: ['anthropic'] }], open), nothing)
  t.equal(
    needs('claude', [{ id: 'd', effect: 'deny', models: ['x'], upstreams: ['openai'] }], open).body,
    true,
    'a fallback counts',
  )
})

t.test('findings name the entities to look for', async (t) => {
  t.same(needs('openai', [{ id: 'd', effect: 'deny', actions: ['model.call'], findings: ['secrets'] }], open), {
    body: true,
    answer: false,
    findings: ['jwt', 'private-key'],
    enforcedFindings: ['jwt', 'private-key'],
  })
  t.same(needs('crm', [{ id: 'd', effect: 'deny', when: 'findings.email > 2' }], open).findings, ['email'])
  const watched: RuleOptions = { id: 's', effect: 'deny', findings: ['us-ssn'], mode: 'shadow' }
  const both = [{ id: 'd', effect: 'deny', when: 'findings.email > 2' } as const, watched]
  t.match(needs('crm', both, open), { findings: ['email', 'us-ssn'], enforcedFindings: ['email'] })
  t.match(needs('crm', both, { ...open, mode: 'shadow' }), { findings: ['email', 'us-ssn'], enforcedFindings: [] })
})

t.test('plain http: method and path stand in the head, arguments in the body', async (t) => {
  t.same(
    needs(
      'crm',
      [{ id: 'd', effect: 'deny', methods: ['DELETE'], paths: ['/a/**'], tools: ['crm'], tags: ['x'] }],
      open,
    ),
    nothing,
  )
  t.same(needs('crm', [{ id: 'd', effect: 'deny', tools: ['crm'], when: 'args.x == 1' }], open), {
    body: true,
    answer: false,
    findings: [],
    enforcedFindings: [],
  })
  t.same(needs('crm', [{ id: 'd', effect: 'deny', models: ['x'] }], open), nothing)
})

t.test('calls in an answer are judged unless the model call settles them', async (t) => {
  t.equal(needs('openai', [{ id: 'd', effect: 'deny', tools: ['delete_*'] }], open).answer, true)
  t.equal(
    needs('openai', [{ id: 'd', effect: 'deny', actions: ['tool.call'], principals: { roles: ['intern'] } }], open)
      .answer,
    true,
  )
  t.equal(needs('openai', [{ id: 'd', effect: 'deny', actions: ['tool.call'], mode: 'shadow' }], open).answer, true)
  t.equal(needs('openai', [{ id: 'm', effect: 'allow', models: ['*'] }]).answer, true, 'the default denies every call')
  t.equal(needs('openai', [{ id: 'm', effect: 'allow', actions: ['model.call'] }]).answer, true)
  t.same(needs('openai', [{ id: 'd', effect: 'deny', tools: ['x'], routes: ['github'] }], open), nothing)
  t.equal(
    needs('openai', [{ id: 'o', effect: 'deny', actions: ['tool.offer'] }], open).body,
    true,
    'offers stand in the body',
  )
})

t.test('where the action itself stands in the body, or the route is unknown, everything is read', async (t) => {
  t.match(needs('github', [], open), { body: true, answer: true })
  t.match(needs('nowhere', [], open), { body: true, answer: true, findings: ['email', 'jwt', 'private-key', 'us-ssn'] })
})

t.test('what a form may say of its method is only needed where some rule looks at methods', async (t) => {
  const asks = (route: string, rules: RuleOptions[]) => policyOf({ ...open, rules }).needs(route).method
  t.equal(asks('crm', [{ id: 'd', effect: 'deny', methods: ['DELETE'] }]), true)
  t.equal(asks('crm', [{ id: 'd', effect: 'deny', when: 'method == "DELETE"' }]), true)
  t.equal(asks('crm', [{ id: 'd', effect: 'deny', paths: ['/x'] }]), false)
  t.equal(asks('openai', [{ id: 'd', effect: 'deny', methods: ['DELETE'] }]), false)
})
