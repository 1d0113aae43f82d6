import t from 'tap'
import type { RedactionAction, RedactionRuleOptions } from '../../../proxy/detect/options.ts'
import { compileRedaction, type Plan } from '../../../proxy/detect/redaction.ts'
import { replace, type Replacement } from '../../../proxy/detect/replace.ts'
import { openVault, type Vault } from '../../../proxy/detect/vault.ts'

const key = Buffer.alloc(32, 1)
const text = 'mail ada@example.org, ssn 378-07-9520, mail ada@example.org'

function planOf(action: RedactionAction, changes: Partial<RedactionRuleOptions> = {}): Plan {
  const rules = [{ id: 'r', direction: 'both' as const, detect: ['email', 'us-ssn'], action, ...changes }]
  const plan = compileRedaction(rules, []).redaction?.plan('request', 'u', 'r')
  if (plan === undefined) throw new Error('no plan')
  return plan
}

function apply(plan: Plan, vault?: Vault): Replacement {
  return replace(text, plan.scanner.scan(text), plan, vault)
}

void t.test('each action', async (t) => {
  const vault = openVault(key, 'p')
  t.equal(apply(planOf('mask')).text, 'mail [EMAIL], ssn [US_SSN], mail [EMAIL]')
  t.equal(apply(planOf('remove')).text, 'mail , ssn , mail ')
  t.match(apply(planOf('token'), vault).text, /^mail (EMAIL_[0-9a-z]{10}), ssn US_SSN_[0-9a-z]{10}, mail \1$/)
  t.equal(vault.restore(apply(planOf('token'), vault).text), text)
  const hashed = apply(planOf('hash'), vault).text
  t.match(hashed, /^mail (EMAIL_[0-9a-z]{16}), ssn US_SSN_[0-9a-z]{16}, mail \1$/)
  t.equal(vault.restore(hashed), hashed)
  t.equal(apply(planOf('token')).text, apply(planOf('mask')).text, 'no vault: masked')
})

void t.test('what was replaced is counted, and where it stood', async (t) => {
  const { counts, observed, replaced, blocked } = apply(planOf('mask'))
  t.same(counts, { email: 2, 'us-ssn': 1 })
  t.same(observed, {})
  t.equal(blocked, undefined)
  t.same(
    replaced.map((r) => [r.entity, r.rule, r.action, text.slice(r.start, r.end)]),
    [
      ['email', 'r', 'mask', 'ada@example.org'],
      ['us-ssn', 'r', 'mask', '378-07-9520'],
      ['email', 'r', 'mask', 'ada@example.org'],
    ],
  )
})

void t.test('tag and shadow count and change nothing', async (t) => {
  for (const plan of [planOf('tag'), planOf('block', { mode: 'shadow' })]) {
    const result = apply(plan)
    t.equal(result.text, text)
    t.same(result.observed, { email: 2, 'us-ssn': 1 })
    t.same(result.counts, {})
    t.equal(result.blocked, undefined)
  }
})

void t.test('block names the rule, and nothing after the value is given out', async (t) => {
  const result = apply(planOf('block', { detect: ['us-ssn'] }))
  t.same(result.blocked, { rule: 'r', entity: 'us-ssn' })
  t.equal(result.text, 'mail ada@example.org, ssn ')
})

void t.test('findings of other entities are left alone', async (t) => {
  const plan = planOf('mask', { detect: ['us-ssn'] })
  const findings = planOf('mask').scanner.scan(text)
  t.equal(replace(text, findings, plan, undefined).text, 'mail ada@example.org, ssn [US_SSN], mail ada@example.org')
})

void t.test('what an answer brings gets the same token, but it is not restored', async (t) => {
  const plan = compileRedaction(
    [{ id: 'r', direction: 'both', detect: ['email'], action: 'token' }],
    [],
  ).redaction?.plan('response', 'u', 'r')
  if (plan === undefined) throw new Error('no plan')
  const vault = openVault(key, 'p')
  const result = replace(text, plan.scanner.scan(text), plan, vault).text
  t.equal(vault.restore(result), result)
  t.equal(vault.size, 0)
  t.ok(result.includes(vault.tokenFor('email', 'ada@example.org')))
})
