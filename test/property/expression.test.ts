// What holds of the quick answer to expressions: wherever it answers, the expression language gives the same.
import * as fc from 'fast-check'
import t from 'tap'
import { compileCatalogue } from '../../proxy/policy/catalogue.ts'
import { compileExpression } from '../../proxy/policy/expression.ts'
import { compileShortcut } from '../../proxy/policy/expression-shortcut.ts'
import { backgroundOf, Facts } from '../../proxy/policy/facts.ts'
import type { Action, Query } from '../../proxy/policy/query.ts'
import { Environment } from '@marcbachmann/cel-js'
import { known } from '../unit/policy/policies.ts'

const names = { entities: known.entities, headers: new Set(['x-team']) }
const background = backgroundOf(compileCatalogue([]), known.entities)

const text = fc.constantFrom('model', 'operation', 'route', 'principal.org', 'client.ip', '"gpt"', '"é"', 'tool')
const number = fc.constantFrom(
  'maxTokens',
  'messages',
  '7',
  '2',
  '9007199254740993',
  'tools.size()',
  'size(tools)',
  'size(principal.roles)',
  'findings.email',
  'findings.pii',
  'findings["us-ssn"]',
  'size(model)',
  'int(model)',
  'maxTokens * 2',
)
const texts = fc.constantFrom('tools', 'principal.roles', '["gpt", "acme"]', '["gpt", 1]', '[1]', '[model]', '[]')
const relation = fc.constantFrom('==', '!=', '<', '<=', '>', '>=')
const atom = fc.oneof(
  fc.constantFrom('stream', 'true', 'false', 'args.x', 'has(args.x)', 'args.x == 1', 'headers["x-team"] == "a"'),
  fc.constantFrom(
    'principal.roles.exists(r, r == "acme")',
    'tools.all(x, x < "b")',
    'stream == true',
    'maxTokens > 2.5',
  ),
  fc.tuple(text, relation, text).map((parts) => parts.join(' ')),
  fc.tuple(number, relation, number).map((parts) => parts.join(' ')),
  fc.tuple(text, fc.constantFrom('startsWith', 'endsWith', 'contains'), text).map(([a, f, b]) => `${a}.${f}(${b})`),
  fc.tuple(text, texts).map(([item, list]) => `${item} in ${list}`),
  fc.tuple(number, fc.constantFrom('[2, 7]', '[2, 7.0]', '[7]')).map(([item, list]) => `${item} in ${list}`),
)
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { depthSize: 'small' },
    atom,
    fc.tuple(tie('expression'), fc.constantFrom('&&', '||'), tie('expression')).map(([a, o, b]) => `(${a} ${o} ${b})`),
    tie('expression').map((inner) => `!(${inner})`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `(${a} ? ${b} : stream)`),
  ),
}))

const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const someText = maybe(fc.constantFrom('gpt', 'gpt-4o', 'acme', 'é', ''))
const someNumber = maybe(fc.constantFrom(0, 2, 7, 2.5, 2 ** 53, 2 ** 53 + 2, 1e300, -0, -3, Number.NaN))
const present = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const action = fc
  .record({
    model: someText,
    operation: someText,
    tool: someText,
    stream: maybe(fc.boolean()),
    maxTokens: someNumber,
    messages: someNumber,
    tools: maybe(fc.subarray(['gpt', 'acme', 'b'])),
    args: maybe(fc.constantFrom({}, { x: 1 }, { x: true }, { x: 'true' })),
  })
  .map((fields): Action => ({ type: 'model.call', ...present(fields) }))
const query = fc
  .tuple(
    action,
    fc.record({ org: someText, roles: fc.subarray(['gpt', 'acme']) }),
    maybe(fc.constantFrom({}, { email: 2 }, { email: 2, 'us-ssn': 5, jwt: 7 })),
  )
  .map(([asked, { roles, ...org }, findings]): Query => ({
    action: asked,
    principal: { id: 'p', roles, ...present(org) },
    route: 'gpt',
    upstream: 'gpt',
    client: { ip: '10.0.0.1' },
    headers: {},
    ...present({ findings }),
    timeMs: 1_800_000_000_000,
  }))

/** `dyn()` is nothing that the quick answer knows, so this is what the language gives. */
function inFull(source: string, facts: Facts) {
  const wrapped = `dyn(${source})`
  const compiled = compileExpression(wrapped, names)
  if (compiled.problems.length > 0) return undefined
  const truth = compiled.test(facts)
  return { truth, why: facts.because.replace(wrapped.slice(0, 120), source.slice(0, 120)) }
}

t.test('the quick answer is the answer of the language, unknowns and their reasons included', async (t) => {
  let quick = 0
  fc.assert(
    fc.property(expression, query, (source, asked) => {
      const compiled = compileExpression(source, names)
      if (compiled.problems.length > 0) return
      const facts = new Facts(asked, background)
      const truth = compiled.test(facts)
      t.same({ truth, why: facts.because }, inFull(source, new Facts(asked, background)), source)
      if (compileShortcut(new Environment({ unlistedVariablesAreDyn: true }).parse(source).ast, names.entities))
        quick += 1
    }),
    { numRuns: 6000 },
  )
  t.ok(quick > 1000, 'and it is asked often enough for this to mean something')
})

t.test('what is settled for a caller holds for all that the caller asks', async (t) => {
  let settled = 0
  fc.assert(
    fc.property(expression, query, (source, asked) => {
      const compiled = compileExpression(source, names)
      const truth = compiled.settle(asked.principal)
      if (compiled.problems.length > 0 || truth === undefined) return
      settled += 1
      t.equal(inFull(source, new Facts(asked, background))?.truth, truth, source)
    }),
    { numRuns: 6000 },
  )
  t.ok(settled > 200)
})
