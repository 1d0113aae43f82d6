// What holds of every policy, whatever its rules and whatever is asked.
import * as fc from 'fast-check'
import t from 'tap'
import type { Effect } from '../../proxy/policy/decision.ts'
import { compileGlob } from '../../proxy/policy/glob.ts'
import { Facts } from '../../proxy/policy/facts.ts'
import type { Policy } from '../../proxy/policy/evaluate.ts'
import type { PolicyOptions, RuleOptions } from '../../proxy/policy/options.ts'
import type { Action, Query } from '../../proxy/policy/query.ts'
import { compileRegExp } from '../../proxy/policy/regexp.ts'
import { holds } from '../../proxy/policy/rule.ts'
import { policyOf } from '../unit/policy/policies.ts'

const some = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1 })

const anyConditions = fc.oneof(
  fc.record({}),
  fc.record({ models: some(['gpt-*', 'claude', '*mini']) }),
  fc.record({ tools: some(['github/*', '**delete*', 'crm']) }),
  fc.record({ tags: some(['destructive', 'r*']) }),
  fc.record({ routes: some(['openai', 'c*']) }),
  fc.record({ upstreams: some(['openai', 'github', 'crm']) }),
  fc.record({ principals: fc.record({ roles: some(['researcher', 'intern']) }) }),
  fc.record({ principals: fc.record({ orgs: some(['acme', 'a*']) }), models: some(['gpt-*', '*mini']) }),
  fc.record({ findings: some(['email', 'secrets']) }),
  fc.record({ actions: some(['model.call', 'tool.call', 'tool.offer']) }),
  fc.record({ methods: some(['GET', 'DELETE']) }),
  fc.record({
    when: fc.constantFrom(
      'args.x == 1',
      'model == "claude"',
      'principal.org == "acme"',
      '"intern" in principal.roles && args.x == 1',
      'principal.org != "acme" || model == "claude"',
      'findings.pii > 0',
      'has(args.x) && args.x > 0',
    ),
  }),
  fc.record({ tools: some(['**']), when: fc.constantFrom('args.x == 1', 'size(args) > 1') }),
)
const anyRule = fc.tuple(
  fc.constantFrom<Effect>('allow', 'deny', 'approve'),
  fc.constantFrom('enforce', 'shadow'),
  anyConditions,
)

const anyRules = fc.array(anyRule, { maxLength: 8 }).map((rules) =>
  rules.map(([effect, mode, conditions], index): RuleOptions => ({
    id: `r${index}`,
    effect,
    mode: mode as 'enforce',
    ...conditions,
  })),
)

const maybe = <T>(value: fc.Arbitrary<T>, key: string) =>
  fc.option(value, { nil: undefined }).map((given) => (given === undefined ? {} : { [key]: given }))

const anyAction = fc.oneof(
  maybe(fc.constantFrom('gpt-4o', 'claude', 'o-mini'), 'model').map((model): Action => ({
    type: 'model.call',
    ...model,
  })),
  fc
    .tuple(
      fc.constantFrom('tool.call', 'tool.offer'),
      maybe(fc.constantFrom('github/delete_x', 'github/get', 'crm', 'delete'), 'tool'),
      maybe(fc.constantFrom('mcp', 'model', 'http'), 'via'),
      maybe(fc.constantFrom({}, { x: 1 }, { x: '1' }, { x: 2, y: 3 }), 'args'),
      maybe(fc.constantFrom('GET', 'DELETE'), 'method'),
    )
    .map(([type, ...rest]): Action => Object.assign({ type: type as 'tool.call' }, ...rest)),
  fc.constant<Action>({ type: 'resource.read', uri: 'x' }),
)

const anyQuery = fc
  .tuple(
    anyAction,
    fc.constantFrom('openai', 'claude', 'crm', 'github', 'unheard-of'),
    fc.constantFrom('openai', 'anthropic', 'crm', 'github'),
    maybe(fc.constant('acme'), 'org'),
    fc.subarray(['researcher', 'intern']),
    maybe(fc.constantFrom({}, { email: 1 }, { jwt: 2, email: 1 }), 'findings'),
  )
  .map(([action, route, upstream, org, roles, findings]): Query => ({
    action,
    route,
    upstream,
    principal: { id: 'ops', roles, ...org },
    client: { ip: '10.0.0.1' },
    headers: {},
    timeMs: 1_800_000_000_000,
    ...findings,
  }))

const tools = [
  { name: 'github/delete_*', tags: ['destructive'] },
  { name: '**', tags: ['remote'] },
]
const anyOptions = fc.record({
  rules: anyRules,
  defaultEffect: fc.constantFrom('allow', 'deny'),
  tools: fc.constant(tools),
}) as fc.Arbitrary<PolicyOptions & { rules: RuleOptions[] }>

const rank = { allow: 0, approve: 1, deny: 2 }

function check(property: (options: PolicyOptions & { rules: RuleOptions[] }, query: Query) => void): void {
  fc.assert(fc.property(anyOptions, anyQuery, property), { numRuns: 1500 })
}

t.test('adding a deny rule never makes the outcome milder', async () => {
  fc.assert(
    fc.property(anyOptions, anyQuery, anyConditions, (options, query, conditions) => {
      const deny: RuleOptions = { id: 'more', effect: 'deny', ...conditions }
      const before = policyOf(options).evaluate(query).effect
      const after = policyOf({ ...options, rules: [...options.rules, deny] }).evaluate(query).effect
      return rank[after] >= rank[before]
    }),
    { numRuns: 1500 },
  )
})

t.test('adding an allow rule never makes the outcome stricter', async () => {
  fc.assert(
    fc.property(anyOptions, anyQuery, anyConditions, (options, query, conditions) => {
      const allow: RuleOptions = { id: 'more', effect: 'allow', ...conditions }
      const before = policyOf(options).evaluate(query).effect
      const after = policyOf({ ...options, rules: [...options.rules, allow] }).evaluate(query).effect
      return rank[after] <= rank[before]
    }),
    { numRuns: 1500 },
  )
})

t.test('the order of rules does not change the effect', async (t) => {
  check((options, query) => {
    const [forward, backward] = [options.rules, options.rules.toReversed()].map((rules) =>
      policyOf({ ...options, rules }).evaluate(query),
    )
    t.equal(forward?.effect, backward?.effect)
    t.equal(forward?.shadow?.effect, backward?.shadow?.effect)
  })
})

t.test('shadow rules never change what is enforced, and enforced they do what they said', async (t) => {
  check((options, query) => {
    const enforced = options.rules.filter(({ mode }) => mode !== 'shadow')
    const decision = policyOf(options).evaluate(query)
    t.equal(decision.effect, policyOf({ ...options, rules: enforced }).evaluate(query).effect)
    const all = options.rules.map((rule) => ({ ...rule, mode: 'enforce' as const }))
    // The fallback of an offer depends on which rules are enforced, so what-if is exact only where a rule decides.
    if (query.action.type === 'tool.offer') return
    t.equal(decision.shadow?.effect ?? decision.effect, policyOf({ ...options, rules: all }).evaluate(query).effect)
  })
})

t.test('a policy in shadow mode allows everything and says what it would have done', async (t) => {
  check((options, query) => {
    const enforced = policyOf(options).evaluate(query)
    const shadow = policyOf({ ...options, mode: 'shadow' }).evaluate(query)
    t.equal(shadow.effect, 'allow')
    if (enforced.effect !== 'allow') t.equal(shadow.shadow?.effect, enforced.effect)
  })
})

t.test('the indexes leave out only rules that do not match', async (t) => {
  check((options, query) => {
    const policy = policyOf(options)
    const facts = () => new Facts(query, policy.background)
    const matching = (rules: Policy['rules']) =>
      rules.filter((rule) => rule.actions.has(query.action.type) && holds(rule, facts()) !== false)
    t.same(matching(policy.candidates(query)), matching(policy.rules))
  })
})

t.test('what is decided follows from every rule asked in full, for a caller who comes back too', async (t) => {
  fc.assert(
    fc.property(
      anyOptions,
      fc.array(anyQuery, { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (options, queries, known) => {
        const policy = policyOf(options)
        const [first] = queries
        const caller = known ? frozen(first?.principal) : undefined
        for (const query of queries.map((asked) => (caller === undefined ? asked : { ...asked, principal: caller }))) {
          const { matched, unevaluable } = policy.evaluate(query)
          t.same({ matched, unevaluable }, askAll(policy, query))
        }
      },
    ),
    { numRuns: 1500 },
  )
})

function askAll(policy: Policy, query: Query) {
  const asked = policy.rules
    .filter((rule) => rule.actions.has(query.action.type))
    .map((rule) => {
      const facts = new Facts(query, policy.background)
      const truth = holds(rule, facts)
      return { rule, truth, why: facts.because }
    })
  return {
    matched: asked
      .filter(({ rule, truth }) => truth ?? rule.effect !== 'allow')
      .map(({ rule: { id, effect, mode } }) => ({ rule: id, effect, mode })),
    unevaluable: asked.filter(({ truth }) => truth === undefined).map(({ rule, why }) => ({ rule: rule.id, why })),
  }
}

/** As callers from the configuration are. */
function frozen(principal: Query['principal'] | undefined): Query['principal'] | undefined {
  return principal && Object.freeze({ ...principal, roles: Object.freeze([...principal.roles]) })
}

t.test('what could never be allowed is not allowed with any arguments', async (t) => {
  fc.assert(
    fc.property(anyOptions, anyQuery, fc.constantFrom({}, { x: 1 }, { x: 5, y: 1 }), (options, query, args) => {
      if (query.action.type !== 'tool.call') return
      const policy = policyOf(options)
      const { args: _, ...without } = query.action
      if (policy.mayEver({ ...query, action: without })) return
      t.equal(policy.evaluate({ ...query, action: { ...without, args } }).effect, 'deny')
    }),
    { numRuns: 1500 },
  )
})

t.test('a model call that was allowed settles its tool calls where the answer need not be judged', async (t) => {
  fc.assert(
    fc.property(anyOptions, anyQuery, anyAction, (options, query, action) => {
      const exchange = { ...query, route: 'openai', upstream: 'openai' }
      const policy = policyOf(options)
      if (policy.needs('openai').answer || action.type !== 'tool.call') return
      if (policy.evaluate({ ...exchange, action: { type: 'model.call', model: 'm' } }).effect !== 'allow') return
      t.equal(policy.evaluate({ ...exchange, action: { ...action, via: 'model' } }).effect, 'allow')
    }),
    { numRuns: 3000 },
  )
})

t.test('a body that need not be read cannot change the decision', async (t) => {
  fc.assert(
    fc.property(
      anyOptions,
      anyQuery,
      fc.constantFrom('gpt-4o', 'claude'),
      fc.constantFrom({}, { email: 3 }),
      (options, query, model, findings) => {
        const policy = policyOf(options)
        if (policy.needs('openai').body) return
        const { findings: _, ...bare } = { ...query, route: 'openai', upstream: 'openai' }
        const blind = policy.evaluate({ ...bare, action: { type: 'model.call' } })
        t.same(policy.evaluate({ ...bare, findings, action: { type: 'model.call', model } }), blind)
      },
    ),
    { numRuns: 3000 },
  )
})

t.test('linear expressions agree with the language, and globs with their own definition', async (t) => {
  const piece = fc.constantFrom(
    'a',
    'b',
    '.',
    'a*',
    'b+',
    '(a|b)',
    '(ab)?',
    '[^a]',
    'a{1,2}',
    '\\b',
    '^',
    '$',
    '(a|ab)*',
    '|',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', 'b', ' '), maxLength: 8 }),
      (pieces, text) => {
        const pattern = pieces.join('')
        const compiled = compileRegExp(pattern)
        t.equal(
          'error' in compiled ? undefined : compiled.test(text, () => {}),
          new RegExp(pattern).test(text),
          `${pattern} in "${text}"`,
        )
      },
    ),
    { numRuns: 3000 },
  )
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', '/', '*', '**', '?'), { maxLength: 6 }),
      fc.string({ unit: fc.constantFrom('a', '/'), maxLength: 8 }),
      (pieces, name) => {
        const glob = compileGlob(pieces.join(''), '/')
        const native = pieces
          .join('')
          .replaceAll(/\*\*|\*|\?/g, (star) => ({ '**': '.*', '*': '[^/]*', '?': '[^/]' })[star] ?? '')
        t.equal(
          typeof glob === 'function' && glob(name),
          new RegExp(`^${native}$`).test(name),
          `${pieces.join('')} on ${name}`,
        )
      },
    ),
    { numRuns: 3000 },
  )
})
