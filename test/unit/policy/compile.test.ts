import t from 'tap'
import { Ajv } from 'ajv'
import { compilePolicy } from '../../../proxy/policy/compile.ts'
import { policySchemas, type PolicyOptions, type RuleOptions } from '../../../proxy/policy/options.ts'
import { known, policyOf, problemsOf } from './policies.ts'

type Expected = { at: string; message: string | RegExp; hint?: string; severity?: 'error' | 'warning'; offset?: number }

/** The only problem of a document whose second rule is the one given; the first allows everything. */
function problemOf(rule: Partial<RuleOptions>, more: PolicyOptions = {}): Expected | undefined {
  const rules: RuleOptions[] = [
    { id: 'ok', effect: 'allow' },
    { id: 'r', effect: 'deny', ...rule },
  ]
  const problems = problemsOf({ rules, ...more })
  if (problems.length > 1) t.fail(`more than one problem: ${JSON.stringify(problems)}`)
  const [problem] = problems
  if (problem === undefined) return undefined
  return { ...problem, at: problem.path.join('.') }
}

t.test('rules that can never match, and names that do not exist', async (t) => {
  const cases: [Partial<RuleOptions>, Expected][] = [
    [
      { actions: ['tool.call'], models: ['gpt-*'] },
      { at: 'rules.1.models', message: 'the rule can never match: tool.call has no `model`' },
    ],
    [
      { actions: ['model.call'], methods: ['GET'] },
      { at: 'rules.1.methods', message: /model.call has no `method`/ },
    ],
    [
      { actions: ['model.call'], paths: ['/x'] },
      { at: 'rules.1.paths', message: /model.call has no `path`/ },
    ],
    [
      { actions: ['model.call'], tools: ['x'] },
      { at: 'rules.1.tools', message: /model.call has no `tool`/ },
    ],
    [
      { models: ['a'], tools: ['b'] },
      { at: 'rules.1.tools', message: /can never match/ },
    ],
    [
      { actions: ['tool.cal'] },
      { at: 'rules.1.actions.0', message: 'there is no action "tool.cal"', hint: 'did you mean "tool.call"?' },
    ],
    [{ models: [] }, { at: 'rules.1.models', message: /`models` is empty/ }],
    [{ principals: {} }, { at: 'rules.1.principals', message: /`principals` is empty/ }],
    [{ principals: { ids: [] } }, { at: 'rules.1.principals', message: /`principals` is empty/ }],
    [
      { routes: ['opnai'] },
      { at: 'rules.1.routes.0', message: 'there is no route "opnai"', hint: 'did you mean "openai"?' },
    ],
    [{ routes: ['x*'] }, { at: 'rules.1.routes.0', message: 'no route matches "x*"' }],
    [
      { upstreams: ['antropic'] },
      { at: 'rules.1.upstreams.0', message: 'there is no upstream "antropic"', hint: 'did you mean "anthropic"?' },
    ],
    [
      { routes: ['crm'], upstreams: ['github'] },
      { at: 'rules.1.routes', message: /no route satisfies both/ },
    ],
    [
      { routes: ['crm'], actions: ['model.call'] },
      { at: 'rules.1.routes', message: /none of its routes gives model.call/ },
    ],
    [
      { routes: ['openai'], methods: ['GET'] },
      { at: 'rules.1.methods', message: /only calls to http upstreams/ },
    ],
    [
      { findings: ['emial'] },
      { at: 'rules.1.findings.0', message: 'there is no entity or group "emial"', hint: 'did you mean "email"?' },
    ],
    [{ tags: ['x'] }, { at: 'rules.1.tags.0', message: 'there is no tag in the catalogue "x"' }],
    [
      { principals: { ids: ['intren'] } },
      { at: 'rules.1.principals.ids.0', message: /there is no principal/, hint: 'did you mean "intern"?' },
    ],
    [
      { principals: { roles: ['admin'] } },
      { at: 'rules.1.principals.roles.0', message: /there is no principal/, severity: 'warning' },
    ],
    [
      { methods: ['DELTE'] },
      { at: 'rules.1.methods.0', message: 'there is no HTTP method "DELTE"', hint: 'did you mean "DELETE"?' },
    ],
    [{ paths: ['x'] }, { at: 'rules.1.paths.0', message: /every path begins with/, hint: 'write "/x"' }],
    [{ paths: ['/ok', '/a b/*'] }, { at: 'rules.1.paths.1', message: /can never match/, hint: 'write "/a%20b/*"' }],
    [
      { paths: ['/caf\u00e9/%c3%a9#x'] },
      { at: 'rules.1.paths.0', message: /can never match/, hint: 'write "/caf%C3%A9/%C3%A9%23x"' },
    ],
    [
      { tools: ['gihub/delete_*'] },
      {
        at: 'rules.1.tools.0',
        message: 'no tool is called that: no upstream "gihub" speaks MCP',
        hint: 'did you mean "github"?',
        severity: 'warning',
      },
    ],
    [
      { tools: ['github/x', 'crm/delete'] },
      { at: 'rules.1.tools.1', message: /speaks MCP/, hint: 'calls of it are of the tool "crm"', severity: 'warning' },
    ],
    [
      { tools: ['openai/x'] },
      { at: 'rules.1.tools.0', message: /no upstream "openai" speaks MCP/, severity: 'warning' },
    ],
    [{ from: ['10.0.0.0/40'] }, { at: 'rules.1.from.0', message: /not an address or a CIDR range/ }],
    [{ between: { from: '09:00', to: '09:00' } }, { at: 'rules.1.between', message: /the window is empty/ }],
    [
      { between: { from: '09:00', to: '10:00', tz: 'Mars/X' } },
      { at: 'rules.1.between.tz', message: 'there is no time zone "Mars/X"' },
    ],
    [{ models: ['{a,b'] }, { at: 'rules.1.models.0', message: /is not a pattern/ }],
    [{ models: ['gpt-[34]'] }, { at: 'rules.1.models.0', message: /sets of characters/ }],
    [{ models: ['gpt-[a'] }, { at: 'rules.1.models.0', message: /sets of characters/ }],
    [{ tools: ['list', 'delete_[ab]'] }, { at: 'rules.1.tools.1', message: /sets of characters/ }],
    [{ paths: ['/x/[ab]'] }, { at: 'rules.1.paths.0', message: /sets of characters/ }],
    [{ tags: ['[ab]'] }, { at: 'rules.1.tags.0', message: /sets of characters/ }],
    [{ routes: ['crm', 'openai[12]'] }, { at: 'rules.1.routes.1', message: /sets of characters/ }],
    [{ upstreams: ['{crm'] }, { at: 'rules.1.upstreams.0', message: /is not a pattern/ }],
    [{ findings: ['us-[a-z]*'] }, { at: 'rules.1.findings.0', message: /sets of characters/ }],
    [{ principals: { ids: ['ops[12]'] } }, { at: 'rules.1.principals.ids.0', message: /sets of characters/ }],
    [{ principals: { roles: ['r[12]'] } }, { at: 'rules.1.principals.roles.0', message: /sets of characters/ }],
    [{ when: '1 > 2' }, { at: 'rules.1.when', message: /always false/ }],
    [{ when: 'true' }, { at: 'rules.1.when', message: /always true/, severity: 'warning' }],
    [{ when: 'modle == "x"' }, { at: 'rules.1.when', message: 'unknown name "modle"', offset: 0 }],
    [{ when: 'model == "a" && via == "mcp"' }, { at: 'rules.1.when', message: /the rule can never match/ }],
    [
      { actions: ['model.call'], when: 'args.x == 1' },
      { at: 'rules.1.when', message: /can never be evaluated: model.call has no `args`/ },
    ],
    [
      { actions: ['model.call', 'tool.call'], when: 'args.x == 1' },
      { at: 'rules.1.when', message: /counts as a match/, severity: 'warning' },
    ],
    [
      { id: 'ok', effect: 'allow' },
      { at: 'rules.1.id', message: 'there are two rules with the id "ok"' },
    ],
  ]
  for (const [rule, expected] of cases)
    t.match(problemOf(rule), { severity: 'error', ...expected }, JSON.stringify(rule))
})

t.test('rules that are fine', async (t) => {
  const fine: Partial<RuleOptions>[] = [
    { models: ['never-heard-of'] },
    { tools: ['never-heard-of'] },
    { when: 'args.dry_run == true' },
    { actions: ['tool.*'], when: 'tool.startsWith("x")' },
    { routes: ['c*'], upstreams: ['openai'] },
    { principals: { roles: ['x*'] } },
    { routes: ['crm'], methods: ['PURGE'], paths: ['/**'] },
    { findings: ['secrets', 'email'] },
    { models: ['gpt-\\[34]', 'gpt]'] },
  ]
  for (const rule of fine) t.equal(problemOf(rule), undefined, JSON.stringify(rule))
})

t.test('which actions a rule judges', async (t) => {
  const judged = (rule: Partial<RuleOptions>) => [
    ...(policyOf({ rules: [{ id: 'r', effect: 'deny', ...rule }] }).rules[0]?.actions ?? []),
  ]
  t.equal(judged({}).length, 5)
  t.same(judged({ models: ['x'] }), ['model.call'])
  t.same(judged({ tools: ['x'] }), ['tool.call', 'tool.offer'])
  t.same(judged({ tools: ['x'], when: 'args.a == 1' }), ['tool.call'])
  t.same(judged({ when: 'size(tools) > 3' }), ['model.call'])
  t.same(judged({ actions: ['tool.*'] }), ['tool.call', 'tool.offer'])
  t.same(judged({ actions: ['tool.call', 'resource.read'], tools: ['x'] }), ['tool.call'])
})

t.test('the catalogue, and the whole of it', async (t) => {
  t.match(problemsOf({ tools: [{ name: '{a', tags: ['x'] }] }), [
    { path: ['tools', 0, 'name'], message: /is not a pattern/ },
  ])
  t.match(problemsOf({ tools: [{ name: 'a', tags: ['x'], upstream: 'crn' }] }), [
    { path: ['tools', 0, 'upstream'], hint: 'did you mean "crm"?' },
  ])
  t.match(
    problemsOf({ tools: [{ name: 'a', tags: ['x'], upstream: 'c*' }] }),
    [{ path: ['tools', 0, 'upstream'], message: 'there is no upstream "c*"' }],
    'a name, which a glob would never be',
  )
  const { policy, problems } = compilePolicy({ rules: [{ id: 'a', effect: 'deny', routes: ['x'] }] }, known, ['part'])
  t.equal(policy, undefined)
  t.same(problems[0]?.path, ['part', 'rules', 0, 'routes', 0])
})

t.test('an allow rule that a deny rule always overrules', async (t) => {
  const warned = (allow: Partial<RuleOptions>, deny: Partial<RuleOptions>) =>
    problemsOf({ defaultEffect: 'allow', rules: [{ id: 'a', effect: 'allow', ...allow }, { id: 'd', effect: 'deny', ...deny }] }).some(({ message }) =>
      message.includes('never takes effect'),
    ) // prettier-ignore
  t.equal(warned({ models: ['x'] }, { models: ['x'] }), true)
  t.equal(warned({ models: ['x'], principals: { roles: ['intern'] } }, { models: ['x'] }), true)
  t.equal(warned({ models: ['x'] }, { actions: ['model.call'] }), true)
  t.equal(warned({ models: ['x'] }, { models: ['x'], principals: { roles: ['intern'] } }), false)
  t.equal(warned({ models: ['x'] }, { models: ['y'] }), false)
  t.equal(warned({}, { models: ['x'] }), false)
  t.equal(warned({}, { actions: ['tool.call'] }), false)
  t.equal(warned({ models: ['x'] }, { models: ['x'], mode: 'shadow' }), false)
})

t.test('a default that quietly denies every tool is pointed out', async (t) => {
  const rules: RuleOptions[] = [{ id: 'm', effect: 'allow', models: ['*'] }]
  t.match(problemsOf({ rules }), [{ severity: 'warning', message: /no rule allows tool.call/ }])
  t.same(problemsOf({ rules, defaultEffect: 'allow' }), [])
  t.same(problemsOf({ rules: [...rules, { id: 't', effect: 'allow', tools: ['x'] }] }), [])
})

t.test('the hash follows the policy, not its spelling', async (t) => {
  const hash = policyOf({ rules: [{ id: 'a', effect: 'deny', models: ['x'] }] }).hash
  t.match(hash, /^[0-9a-f]{64}$/)
  t.equal(policyOf({ rules: [{ models: ['x'], effect: 'deny', id: 'a' }] }).hash, hash)
  t.not(policyOf({ rules: [{ id: 'a', effect: 'deny', models: ['y'] }] }).hash, hash)
  const document = { rules: [{ id: 'a', effect: 'deny' as const, models: ['x'] }], server: { listen: 'x' } }
  t.equal(policyOf(document).hash, hash, 'other keys of the document do not count')
})

t.test('the schemas are schemas, and take what the interface shows', async (t) => {
  const ajv = new Ajv({ strict: true, allowUnionTypes: true })
  const validate = ajv.compile({ type: 'object', additionalProperties: false, properties: policySchemas })
  const document = {
    tools: [{ name: 'github/delete_*', tags: ['destructive'] }],
    defaultEffect: 'deny',
    mode: 'enforce',
    policyHeaders: ['X-Team'],
    rules: [
      {
        id: 'approved-models',
        effect: 'allow',
        actions: ['model.call'],
        models: ['gpt-4o*'],
        principals: { roles: ['researcher'] },
      },
      {
        id: 'no',
        effect: 'deny',
        actions: ['tool.call'],
        tags: ['destructive'],
        when: '!(args.dry_run == true)',
        mode: 'enforce',
        reason: 'x',
      },
      {
        id: 'hours',
        effect: 'deny',
        between: { from: '17:00', to: '09:00', tz: 'Europe/Berlin', days: ['mon'] },
        from: ['10.0.0.0/8'],
      },
    ],
  }
  t.equal(validate(document), true, JSON.stringify(validate.errors))
  for (const rule of [
    { id: 'x' },
    { id: 'x', effect: 'deny', modles: ['a'] },
    { id: 'x', effect: 'deny', between: { from: '9:00', to: '25:00' } },
  ]) {
    t.equal(validate({ rules: [rule] }), false, JSON.stringify(rule))
  }
})
