import t from 'tap'
import { Ajv } from 'ajv'
import { compileDetectors } from '../../../proxy/detect/custom.ts'
import { redactionSchema, type RedactionRuleOptions } from '../../../proxy/detect/options.ts'
import { compileRedaction, type Redaction } from '../../../proxy/detect/redaction.ts'

function rule(changes: Partial<RedactionRuleOptions> = {}): RedactionRuleOptions {
  return { id: 'r', direction: 'request', detect: ['email'], action: 'mask', ...changes }
}

function redactionOf(...rules: RedactionRuleOptions[]): Redaction {
  const { redaction, problems } = compileRedaction(rules, ['redaction'])
  if (redaction === undefined) throw new Error(JSON.stringify(problems))
  return redaction
}

void t.test('the schema takes what the interface shows, and nothing else', async (t) => {
  const validate = new Ajv().compile(redactionSchema)
  t.ok(validate([rule({ upstreams: ['openai'], detect: ['pii', 'secrets'], action: 'token' })]))
  t.ok(validate([rule({ mode: 'shadow', routes: ['x'], direction: 'both' })]))
  for (const bad of [
    { id: '' },
    { direction: 'out' },
    { detect: [] },
    { action: 'hide' },
    { mode: 'off' },
    { more: 1 },
  ]) {
    t.notOk(validate([{ ...rule(), ...bad }]), JSON.stringify(bad))
  }
})

void t.test('unknown names are problems with a hint', async (t) => {
  const rules = [rule({ detect: ['emial', 'pii'] }), rule({ id: 's', detect: ['qqqqqqqq'] })]
  const { redaction, problems } = compileRedaction(rules, ['redaction'])
  t.equal(redaction, undefined)
  t.match(problems, [
    { path: ['redaction', 0, 'detect', 0], hint: 'did you mean "email"?', severity: 'error' },
    { path: ['redaction', 1, 'detect', 0], hint: /^known: pii, secrets, email/ },
  ])
})

void t.test('ids are used once, and references exist', async (t) => {
  const known = { upstreams: new Set(['openai']), routes: new Set(['r1']) }
  const { problems } = compileRedaction(
    [rule({ upstreams: ['openai', 'opena'] }), rule({ routes: ['r2'] })],
    ['redaction'],
    known,
  )
  t.same(
    problems.map((p) => p.path),
    [
      ['redaction', 1, 'id'],
      ['redaction', 0, 'upstreams', 1],
      ['redaction', 1, 'routes', 0],
    ],
  )
})

void t.test('a plan is for a direction, an upstream and a route', async (t) => {
  const redaction = redactionOf(
    rule({ id: 'a', upstreams: ['u1'] }),
    rule({ id: 'b', direction: 'both', routes: ['r2'], detect: ['iban'] }),
  )
  t.equal(redaction.plan('request', 'u2', 'r1'), undefined)
  t.equal(redaction.plan('response', 'u1', 'r1'), undefined)
  t.same([...(redaction.plan('request', 'u1', 'r1')?.entities ?? [])], ['email'])
  t.same([...(redaction.plan('request', 'u1', 'r2')?.entities ?? [])], ['email', 'iban'])
  t.same([...(redaction.plan('response', 'u1', 'r2')?.entities ?? [])], ['iban'])
  t.equal(redaction.plan('request', 'u1', 'r1'), redaction.plan('request', 'u1', 'r3'), 'plans are made once')
  t.same([...redaction.entities].sort(), ['email', 'iban'])
})

void t.test('the strictest action wins, and enforcing beats watching', async (t) => {
  const order = ['tag', 'mask', 'token', 'hash', 'remove', 'block'] as const
  for (const [i, mild] of order.entries()) {
    for (const strict of order.slice(i + 1)) {
      for (const actions of [
        [mild, strict],
        [strict, mild],
      ]) {
        const rules = actions.map((action) => rule({ id: action, action }))
        const decision = redactionOf(...rules)
          .plan('request', 'u', 'r')
          ?.actionFor('email')
        t.match(decision, { rule: strict, action: strict, mode: 'enforce' })
      }
    }
  }
  const shadowed = redactionOf(rule({ id: 's', action: 'block', mode: 'shadow' }), rule({ id: 'e', action: 'tag' }))
  t.match(shadowed.plan('request', 'u', 'r')?.actionFor('email'), { rule: 'e', action: 'tag', mode: 'enforce' })
  t.equal(shadowed.plan('request', 'u', 'r')?.actionFor('iban'), undefined)
})

void t.test('lists that let all values be, or none, are problems', async (t) => {
  for (const [entry, message] of [
    ['*', 'lets every value be'],
    ['@*', 'lets every value be'],
    ['*?', 'lets every value be'],
    ['@', 'names no value'],
    ['@.', 'names no value'],
    [' ', 'names no value'],
  ] as const) {
    const found = compileRedaction([rule({ id: 'a', allow: ['ä@*', '@b', '4*', entry] })], ['redaction'])
    t.match(found.problems, [{ path: ['redaction', 0, 'allow', 3], message, hint: /glob/, severity: 'error' }], entry)
    const own = compileDetectors([{ id: 'own', words: ['ada'], allow: [entry] }], ['detectors'])
    t.match(own.problems, [{ path: ['detectors', 0, 'allow', 0] }])
    const external = { id: 'x', url: 'http://127.0.0.1:1', protocol: 'presidio', entities: ['PERSON'] } as const
    t.match(compileDetectors([{ ...external, allow: [entry] }], ['detectors']).problems, [
      { path: ['detectors', 0, 'allow', 0] },
    ])
  }
})

void t.test('values that a rule lets be are left to the next one', async (t) => {
  const redaction = redactionOf(
    rule({ id: 'strict', action: 'remove', allow: ['@example.com', 'ada@example.org'] }),
    rule({ id: 'mild', action: 'mask', allow: ['@example.com'] }),
  )
  const decide = (value?: string) => redaction.plan('request', 'u', 'r')?.actionFor('email', value)?.rule
  t.equal(decide('bob@example.org'), 'strict')
  t.equal(decide('ada@example.org'), 'mild')
  t.equal(decide('ada@example.com'), undefined)
  t.equal(decide(), 'strict', 'without a value nothing is let be')
})

void t.test('numbers and keys, and places', async (t) => {
  const redaction = redactionOf(
    rule({ id: 'a', action: 'mask', numbers: 'leave', keys: 'block' }),
    rule({ id: 'h', action: 'mask', in: ['headers'] }),
  )
  const plan = redaction.plan('request', 'u', 'r')
  t.equal(plan?.actionFor('email')?.action, 'mask')
  t.equal(plan?.forForm('number').actionFor('email')?.action, 'tag')
  t.equal(plan?.forForm('key').actionFor('email')?.action, 'block')
  t.equal(plan?.forForm('key').forForm('string'), plan)
  t.equal(redaction.plan('request', 'u', 'r', 'target'), plan)
  t.equal(redaction.plan('request', 'u', 'r', 'headers')?.actionFor('email')?.rule, 'h')
  const same = redactionOf(rule({})).plan('request', 'u', 'r')
  t.equal(same?.forForm('number'), same)
  t.equal(redactionOf(rule({})).plan('request', 'u', 'r', 'headers'), undefined, 'headers only where they are named')
})
