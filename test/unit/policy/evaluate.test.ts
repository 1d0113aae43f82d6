import t from 'tap'
import type { Action } from '../../../proxy/policy/query.ts'
import { policyOf, queryOf, rulesOf } from './policies.ts'

const call: Action = { type: 'tool.call', tool: 'github/delete_issue', via: 'mcp', args: { id: 7 } }
const chat: Action = {
  type: 'model.call',
  model: 'gpt-4o',
  operation: 'chat.completions',
  stream: false,
  messages: 2,
  tools: [],
}

t.test('deny beats approve beats allow, and among equals the first in the document is named', async (t) => {
  const policy = rulesOf(
    { id: 'all', effect: 'allow' },
    { id: 'ask', effect: 'approve', actions: ['tool.call'] },
    { id: 'no-1', effect: 'deny', tools: ['github/delete_*'], reason: 'Never delete.' },
    { id: 'no-2', effect: 'deny', tools: ['github/*'] },
  )
  t.match(policy.evaluate(queryOf(call)), {
    effect: 'deny',
    rule: 'no-1',
    code: 'rule-matched',
    reason: 'Never delete.',
  })
  t.same(
    policy.evaluate(queryOf(call)).matched.map(({ rule }) => rule),
    ['all', 'ask', 'no-1', 'no-2'],
  )
  t.match(policy.evaluate(queryOf({ ...call, tool: 'jira/list' })), { effect: 'approve', rule: 'ask' })
  t.match(policy.evaluate(queryOf(chat)), { effect: 'allow', rule: 'all', reason: 'Allowed by rule all.' })
})

t.test('without a match the default holds, and the default default is deny', async (t) => {
  t.strictSame(policyOf({}).evaluate(queryOf(chat)), {
    effect: 'deny',
    code: 'no-rule-matched',
    reason: 'No rule allows this, and the default is deny.',
    matched: [],
    unevaluable: [],
  })
  t.match(policyOf({ defaultEffect: 'allow' }).evaluate(queryOf(chat)), { effect: 'allow', code: 'no-rule-matched' })
})

t.test(
  'an expression that cannot be evaluated counts as true in deny and approve, and as false in allow',
  async (t) => {
    const when = 'args.amount > 100'
    const unknown = queryOf({ ...call, args: {} })
    for (const effect of ['deny', 'approve'] as const) {
      const decision = policyOf({
        defaultEffect: 'allow',
        rules: [{ id: 'r', effect, actions: ['tool.call'], when }],
      }).evaluate(unknown)
      t.match(decision, { effect, rule: 'r', code: 'expression-failed' })
      t.same(decision.unevaluable, [{ rule: 'r', why: 'no such key: args.amount' }])
    }
    const decision = rulesOf({ id: 'r', effect: 'allow', actions: ['tool.call'], when }).evaluate(unknown)
    t.match(decision, { effect: 'deny', code: 'no-rule-matched', matched: [] })
    t.same(decision.unevaluable, [{ rule: 'r', why: 'no such key: args.amount' }])
  },
)

t.test('the rule of the documentation: destructive tools need dry_run', async (t) => {
  const policy = policyOf({
    defaultEffect: 'allow',
    tools: [{ name: 'github/delete_*', tags: ['destructive'] }],
    rules: [
      { id: 'no', effect: 'deny', actions: ['tool.call'], tags: ['destructive'], when: '!(args.dry_run == true)' },
    ],
  })
  const effect = (args: Action['args']) =>
    policy.evaluate(queryOf({ ...call, ...(args === undefined ? {} : { args }) })).effect
  t.equal(effect({ dry_run: true }), 'allow')
  t.equal(effect({ dry_run: false }), 'deny')
  t.equal(effect({ dry_run: 'true' }), 'deny')
  t.equal(effect({ DRY_RUN: true }), 'deny')
  t.equal(effect({}), 'deny')
  t.equal(effect(null), 'deny')
  t.equal(effect([true]), 'deny')
  const { args: _, ...unparsable } = call
  t.equal(policy.evaluate(queryOf(unparsable)).effect, 'deny')
  t.equal(policy.evaluate(queryOf({ ...unparsable, tool: 'github/list_issues' })).effect, 'allow')
})

t.test('what a structured condition looks at may be unknown too', async (t) => {
  const deny = (options: object) =>
    policyOf({ defaultEffect: 'allow', rules: [{ id: 'r', effect: 'deny', ...options }] })
  const effect = (options: object, action: Action, more = {}) => deny(options).evaluate(queryOf(action, more)).effect
  t.equal(effect({ tools: ['github/*'] }, { type: 'tool.call', via: 'mcp' }), 'deny', 'tool')
  t.equal(effect({ models: ['gpt-*'] }, { type: 'model.call' }), 'deny', 'model')
  t.equal(effect({ methods: ['DELETE'] }, { type: 'tool.call', tool: 'crm', via: 'http' }), 'deny', 'method')
  t.equal(
    effect({ methods: ['DELETE'] }, { type: 'tool.call', tool: 'crm', via: 'mcp' }),
    'allow',
    'no method where there is none',
  )
  t.equal(
    effect({ methods: ['DELETE'] }, { type: 'tool.call', tool: 'crm' }),
    'deny',
    'method of a call of unknown origin',
  )
  t.equal(effect({ paths: ['/admin/**'] }, { type: 'tool.call', tool: 'crm', via: 'http' }), 'deny', 'path')
  t.equal(effect({ findings: ['email'] }, chat), 'deny', 'findings')
  t.equal(effect({ findings: ['email'] }, chat, { findings: {} }), 'allow', 'nothing found')
  t.equal(effect({ from: ['10.0.0.0/8'] }, chat, { client: { ip: 'somewhere' } }), 'deny', 'address')
  t.equal(effect({ models: ['gpt-*'], routes: ['claude'] }, { type: 'model.call' }), 'allow', 'false outweighs unknown')
  const allow = rulesOf({ id: 'r', effect: 'allow', models: ['*'] }).evaluate(queryOf({ type: 'model.call' }))
  t.match(allow, { effect: 'deny', unevaluable: [{ rule: 'r', why: 'the model is unknown' }] })
})

t.test('names are compared exactly, and one that is not in normal form C is unknown', async (t) => {
  const deny = policyOf({ defaultEffect: 'allow', rules: [{ id: 'r', effect: 'deny', tools: ['caf\u00e9'] }] })
  const allow = rulesOf({ id: 'r', effect: 'allow', tools: ['cafe\u0301', 'delete_issue'] })
  const effects = (tool: string) =>
    [deny, allow].map((policy) => policy.evaluate(queryOf({ type: 'tool.call', via: 'model', tool })).effect)
  t.same(effects('caf\u00e9'), ['deny', 'allow'], 'patterns are brought to normal form C')
  t.same(effects('cafe\u0301'), ['deny', 'deny'], 'a decomposed name is ambiguous')
  t.same(effects('Delete_issue'), ['allow', 'deny'], 'case')
  t.same(effects('d\u0435lete_issue'), ['allow', 'deny'], 'Cyrillic letter')
  t.same(effects('delete_issue\u200b'), ['allow', 'deny'], 'zero-width space')
})

t.test('a name that is too long for patterns, or ambiguous, counts against the call, and so do its tags', async (t) => {
  const tools = [
    { name: 'caf\u00e9', tags: ['drinks'] },
    { name: '*/delete_*', tags: ['drinks'] },
  ]
  const call = { id: 'calls', effect: 'allow' as const }
  const policies = {
    tools: policyOf({ tools, rules: [call, { id: 'r', effect: 'deny', tools: ['*/{delete,drop}_*', 'caf\u00e9'] }] }),
    tags: policyOf({ tools, rules: [call, { id: 'r', effect: 'deny', tags: ['drinks'] }] }),
    when: policyOf({ tools, rules: [call, { id: 'r', effect: 'deny', when: "'drinks' in tags" }] }),
  }
  for (const [by, policy] of Object.entries(policies)) {
    const decide = (tool: string) => policy.evaluate(queryOf({ type: 'tool.call', via: 'mcp', tool, args: {} })).effect
    t.equal(decide('crm/get_it'), 'allow', by)
    t.equal(decide('crm/delete_it'), 'deny', by)
    t.equal(decide(`crm/delete_${'x'.repeat(20_000)}`), 'deny', `${by}: too long`)
    t.equal(decide('cafe\u0301'), 'deny', `${by}: decomposed`)
  }
})

t.test('a shadow rule is recorded, not enforced', async (t) => {
  const policy = rulesOf(
    { id: 'all', effect: 'allow' },
    { id: 'try', effect: 'deny', actions: ['tool.call'], mode: 'shadow', reason: 'Soon.' },
  )
  const decision = policy.evaluate(queryOf(call))
  t.match(decision, { effect: 'allow', rule: 'all', shadow: { effect: 'deny', rule: 'try', reason: 'Soon.' } })
  t.match(decision.matched, [{ rule: 'all' }, { rule: 'try', effect: 'deny', mode: 'shadow' }])
  t.equal(policy.evaluate(queryOf(chat)).shadow, undefined)
  const hopeful = rulesOf({ id: 'try', effect: 'allow', mode: 'shadow' }).evaluate(queryOf(chat))
  t.match(hopeful, { effect: 'deny', code: 'no-rule-matched', shadow: { effect: 'allow', rule: 'try' } })
})

t.test('a policy in shadow mode blocks nothing and says what it would have done', async (t) => {
  const policy = policyOf({
    mode: 'shadow',
    rules: [
      { id: 'models', effect: 'allow', models: ['gpt-4o'] },
      { id: 'ask', effect: 'approve', actions: ['tool.call'] },
    ],
  })
  t.match(policy.evaluate(queryOf(call)), {
    effect: 'allow',
    code: 'shadow-mode',
    shadow: { effect: 'approve', rule: 'ask' },
  })
  t.match(policy.evaluate(queryOf({ ...chat, model: 'other' })), { effect: 'allow', shadow: { effect: 'deny' } })
  const allowed = policy.evaluate(queryOf(chat))
  t.match(allowed, { effect: 'allow', rule: 'models' })
  t.equal(allowed.shadow, undefined)
  t.equal(policy.mayEver(queryOf({ type: 'tool.call', tool: 'x' })), true)
})

t.test('a failure inside is a denial, except where nothing is enforced', async (t) => {
  const broken = { ...queryOf(chat), principal: undefined } as unknown as ReturnType<typeof queryOf>
  const rules = [{ id: 'r', effect: 'allow' as const, principals: { roles: ['researcher'] } }]
  t.match(policyOf({ defaultEffect: 'allow', rules }).evaluate(broken), { effect: 'deny', code: 'evaluation-failed' })
  t.match(policyOf({ mode: 'shadow', rules }).evaluate(broken), { effect: 'allow', shadow: { effect: 'deny' } })
  t.equal(policyOf({ defaultEffect: 'allow', rules }).mayEver({ ...broken, route: 'none' }), false)
})

t.test('may it ever: only what is denied for certain is not', async (t) => {
  const policy = rulesOf(
    { id: 'tools', effect: 'allow', tools: ['github/*'], when: 'size(args) < 10' },
    { id: 'big', effect: 'deny', tools: ['github/*'], when: 'args.amount > 5' },
    { id: 'delete', effect: 'deny', tools: ['github/delete_*'] },
    { id: 'soon', effect: 'deny', tools: ['github/close_*'], mode: 'shadow' },
    { id: 'ask', effect: 'approve', tools: ['mail/send'] },
  )
  const ever = (tool: string) => policy.mayEver(queryOf({ type: 'tool.call', via: 'mcp', tool }))
  t.equal(ever('github/get_issue'), true, 'depends on the arguments')
  t.equal(ever('github/delete_issue'), false, 'always denied')
  t.equal(ever('github/close_issue'), true, 'shadow rules do not count')
  t.equal(ever('mail/send'), true, 'with approval')
  t.equal(ever('other/tool'), false, 'nothing allows it')
})

t.test('an offer follows the calls of its tool unless a rule speaks of offers', async (t) => {
  const policy = rulesOf(
    { id: 'calls', effect: 'allow', actions: ['tool.call'], tools: ['github/*', 'mail/*'] },
    { id: 'delete', effect: 'deny', actions: ['tool.call'], tools: ['github/delete_*'] },
    { id: 'args', effect: 'deny', actions: ['tool.call'], tools: ['mail/*'], when: 'args.to != "x"' },
    { id: 'hidden', effect: 'deny', actions: ['tool.offer'], tools: ['github/secret'], reason: 'Hidden.' },
    { id: 'described', effect: 'allow', actions: ['tool.offer'], when: 'description.contains("safe")' },
  )
  const offer = (tool: string, description = '') =>
    policy.evaluate(queryOf({ type: 'tool.offer', via: 'mcp', tool, description }))
  t.match(offer('github/get'), { effect: 'allow', code: 'may-be-called' })
  t.match(offer('mail/send'), { effect: 'allow', code: 'may-be-called' })
  t.match(offer('github/delete_x'), { effect: 'deny', code: 'never-callable' })
  t.match(offer('unheard/of'), { effect: 'deny', code: 'never-callable' })
  t.match(offer('github/secret'), { effect: 'deny', rule: 'hidden', reason: 'Hidden.' })
  t.match(offer('unheard/of', 'safe'), { effect: 'allow', rule: 'described' })
})

t.test('the same rule hits a call however it comes', async (t) => {
  const policy = rulesOf(
    { id: 'all', effect: 'allow' },
    { id: 'dry', effect: 'deny', tools: ['**delete*', 'crm'], when: '!(args.dry_run == true)' },
  )
  const calls: Action[] = [
    { type: 'tool.call', via: 'mcp', tool: 'github/delete_issue', args: {} },
    { type: 'tool.call', via: 'model', tool: 'delete_issue', args: {} },
    { type: 'tool.call', via: 'http', tool: 'crm', method: 'POST', path: '/delete', args: {} },
  ]
  for (const action of calls) {
    t.equal(policy.evaluate(queryOf(action)).effect, 'deny', action.via ?? '')
    t.equal(policy.evaluate(queryOf({ ...action, args: { dry_run: true } })).effect, 'allow', action.via ?? '')
  }
})

t.test('an upstream that a route does not name is judged by every rule', async (t) => {
  const policy = policyOf({
    defaultEffect: 'allow',
    rules: [
      { id: 'a', effect: 'deny', upstreams: ['openai'], actions: ['model.call'] },
      { id: 'b', effect: 'deny', upstreams: ['github'], actions: ['tool.call'] },
    ],
  })
  t.equal(policy.evaluate(queryOf(chat, { route: 'claude', upstream: 'anthropic' })).effect, 'allow')
  t.equal(policy.evaluate(queryOf(chat, { route: 'claude', upstream: 'openai' })).rule, 'a', 'fallback')
  t.equal(policy.evaluate(queryOf(call, { route: 'crm', upstream: 'github' })).rule, 'b', 'not of this route')
})
