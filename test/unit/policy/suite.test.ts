import t from 'tap'
import { coverage, parseSuite, runCase, type Case, type SuiteDeps } from '../../../proxy/policy/suite.ts'
import { policyOf } from './policies.ts'

const policy = policyOf({
  policyHeaders: ['x-team'],
  tools: [{ name: 'github/delete_*', tags: ['destructive'] }],
  rules: [
    { id: 'chat', effect: 'allow', models: ['gpt-*'] },
    { id: 'tools', effect: 'allow', actions: ['tool.call'], upstreams: ['crm', 'github'] },
    {
      id: 'no-destructive-tools',
      effect: 'deny',
      actions: ['tool.call'],
      tags: ['destructive'],
      when: '!(args.dry_run == true)',
    },
    { id: 'no-delete', effect: 'deny', methods: ['DELETE'], principals: { roles: ['intern'] } },
    { id: 'night', effect: 'deny', between: { from: '22:00', to: '06:00' }, actions: ['model.call'] },
    { id: 'inside', effect: 'deny', actions: ['model.call'], when: '"x-team" in headers && client.ip == "10.9.9.9"' },
    { id: 'soon', effect: 'deny', models: ['gpt-3*'], mode: 'shadow' },
    { id: 'pii', effect: 'deny', actions: ['model.call'], findings: ['pii'] },
  ],
})

const deps: SuiteDeps = { judgeRequest: () => Promise.reject(new Error('not a request')) }
const run = async (test: Omit<Case, 'name'>) => {
  const { passed, failures } = await runCase(policy, { name: 'case', ...test }, deps)
  return passed ? 'passed' : failures
}

t.test('a case says who and what, and the rest follows from the configuration', async (t) => {
  const remove: Case['action'] = { type: 'tool.call', tool: 'github/delete_issue', via: 'mcp', args: { id: 7 } }
  t.equal(
    await run({
      principal: { id: 'i1', roles: ['intern'] },
      action: remove,
      expect: { effect: 'deny', rule: 'no-destructive-tools' },
    }),
    'passed',
  )
  t.equal(
    await run({
      action: { ...remove, args: { dry_run: true } },
      expect: { effect: 'allow', rule: 'tools', shadow: null },
    }),
    'passed',
  )
  const http: Case['action'] = { type: 'tool.call', tool: 'crm', method: 'DELETE', path: '/x' }
  t.equal(
    await run({ principal: { roles: ['intern'] }, action: http, expect: { effect: 'deny', rule: 'no-delete' } }),
    'passed',
  )
  t.equal(await run({ action: http, expect: { effect: 'allow' } }), 'passed')
  const chat: Case['action'] = { type: 'model.call', model: 'gpt-4o' }
  t.equal(
    await run({ action: chat, expect: { effect: 'allow', code: 'rule-matched' } }),
    'passed',
    'nothing found, at noon, from loopback',
  )
  t.equal(
    await run({ action: chat, time: '2026-05-05T23:00:00Z', expect: { effect: 'deny', rule: 'night' } }),
    'passed',
  )
  t.equal(await run({ action: chat, findings: { email: 1 }, expect: { effect: 'deny', rule: 'pii' } }), 'passed')
  t.equal(
    await run({ action: chat, findings: 'unknown', expect: { effect: 'deny', code: 'expression-failed' } }),
    'passed',
  )
  t.equal(
    await run({ action: chat, from: '10.9.9.9', headers: { 'X-Team': 'a' }, expect: { rule: 'inside' } }),
    'passed',
  )
  t.equal(await run({ action: { ...chat, model: 'gpt-3.5' }, expect: { effect: 'allow', shadow: 'deny' } }), 'passed')
  t.equal(await run({ action: { ...chat, model: 'other' }, expect: { effect: 'deny', rule: null } }), 'passed')
})

t.test('what was not as expected is said one by one', async (t) => {
  const action: Case['action'] = { type: 'model.call', model: 'gpt-4o' }
  t.same(await run({ action, expect: { effect: 'deny', rule: 'night', code: 'x', shadow: 'deny' } }), [
    'effect: expected deny, got allow',
    'rule: expected night, got chat',
    'code: expected x, got rule-matched',
    'shadow: expected deny, got none',
  ])
  for (const time of ['noon', '2026-01-01', '2026-01-01T09:00:00', '1', '2026-13-01T00:00:00Z'])
    t.same(await run({ action, time, expect: {} }), [`"${time}" is not a time; write for example 2026-01-31T12:00:00Z`])
  for (const time of ['2026-01-01T09:00:00Z', '2026-01-01t09:00z', '2026-01-01 09:00:00.5+02:00'])
    t.equal(await run({ action, time, expect: { effect: 'allow' } }), 'passed', time)
  for (const from of ['localhost', '10.0.0.300', '10.0.0.0/8'])
    t.same(await run({ action, from, expect: {} }), [`"${from}" is not an address`])
  t.same(await run({ action, upstream: 'opnai', expect: {} }), ['no route leads to "opnai"'])
  t.same(await run({ action, route: 'openai', upstream: 'anthropic', expect: {} }), [
    'no route "openai" leads to "anthropic"',
  ])
  t.same(await run({ action, route: 'nowhere', expect: {} }), ['there is no route "nowhere"'])
  t.same(await run({ action: { type: 'tool.call', tool: 'delete', via: 'model' }, expect: {} }), [
    'say which route: openai, claude',
  ])
  t.equal(
    await run({
      action: { type: 'tool.call', tool: 'delete', via: 'model' },
      upstream: 'anthropic',
      expect: { effect: 'deny' },
    }),
    'passed',
  )
})

t.test('a whole request is judged by whoever can read it', async (t) => {
  const seen: unknown[] = []
  const reading: SuiteDeps = {
    judgeRequest(request, circumstances) {
      seen.push(request, circumstances.principal.id)
      return Promise.resolve({
        decision: { effect: 'allow', reason: '', code: 'rule-matched', matched: [], unevaluable: [] },
        redactions: { email: 1 },
      })
    },
  }
  const test: Case = {
    name: 'c',
    principal: { id: 'r1' },
    upstream: 'openai',
    request: { body: { model: 'm' } },
    expect: { effect: 'allow', redactions: { email: 1 } },
  }
  t.equal((await runCase(policy, test, reading)).passed, true)
  t.same(seen, [{ upstream: 'openai', body: { model: 'm' } }, 'r1'])
  const wrong = await runCase(policy, { ...test, expect: { redactions: { email: 2, jwt: 1 } } }, reading)
  t.same(wrong.failures, ['redactions: expected email=2, jwt=1, got email=1'])
})

t.test('coverage lists the rules that no case reached', async (t) => {
  const action: Case['action'] = { type: 'model.call', model: 'gpt-3.5' }
  const results = [await runCase(policy, { name: 'a', action, findings: { email: 1 }, expect: {} }, deps)]
  t.same(coverage(policy, results), {
    covered: ['chat', 'soon', 'pii'],
    uncovered: ['tools', 'no-destructive-tools', 'no-delete', 'night', 'inside'],
  })
})

t.test('a suite is checked before it runs', async (t) => {
  const good = {
    policy: 'tools.yaml',
    cases: [{ name: 'a', action: { type: 'tool.call', tool: 'x' }, expect: { effect: 'deny' } }],
  }
  t.same(parseSuite(good), { suite: good, problems: [] })
  const messages = (json: unknown) =>
    parseSuite(json).problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
  t.match(messages({ policy: 'x', cases: [] }), ['cases: must not be empty'])
  t.match(messages({ ...good, cases: [{ ...good.cases[0], expct: 1 }] }), ['cases.0.expct: unknown key "expct"'])
  const either = 'cases.0: a case has either "action" or "request"'
  const [only] = good.cases
  t.same(messages({ ...good, cases: [{ name: 'a', expect: { effect: 'deny' } }] }), [either])
  t.same(messages({ ...good, cases: [{ ...only, request: {} }] }), [either])
  t.same(messages({ cases: good.cases }), [': missing key "policy"'])
  t.same(messages({ ...good, cases: [{ ...only, action: { type: 'tool.cal' } }] }), [
    'cases.0.action.type: must be one of model.call, tool.call, tool.offer, resource.read, prompt.get',
  ])
  t.match(messages([]), [': must be a map'])
  const hints = (json: unknown) => parseSuite(json).problems.map(({ hint }) => hint)
  t.same(hints({ ...good, cases: [{ ...only, expect: { efect: 'deny' } }] }), ['did you mean "effect"?'])
  t.same(hints({ ...good, cases: [{ ...only, action: { type: 'tool.cal' } }] }), ['did you mean "tool.call"?'])
})

t.test('what limits do is expected like the rest', async (t) => {
  const asking = { ...deps, askLimits: () => Promise.resolve({ applies: ['b', 'a'], passes: 7, stops: 'a' }) }
  const action = { type: 'model.call', model: 'gpt-4o' } as const
  const run = (expect: Case['expect']) => runCase(policy, { name: 'a', action, expect }, asking)
  t.match(await run({ limits: ['a', 'b'], passes: 7, limit: 'a' }), { passed: true })
  t.match(await run({ limits: ['a'], passes: 8, limit: null }), {
    passed: false,
    failures: ['limits: expected a, got a, b', 'passes: expected 8, got 7', 'limit: expected none, got a'],
  })
  const request = { body: {} }
  t.match(await runCase(policy, { name: 'a', request, expect: { passes: 1 } }, asking), {
    failures: ['limits are asked about actions, not about requests'],
  })
})
