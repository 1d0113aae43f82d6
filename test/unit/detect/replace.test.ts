import t from 'tap'
import type { RedactionAction, RedactionRuleOptions } from '../../../proxy/detect/options.ts'
import type { Plan } from '../../../proxy/detect/redaction.ts'
import { replace, type Replacement } from '../../../proxy/detect/replace.ts'
import { openVault, type Vault } from '../../../proxy/detect/vault.ts'
import { planOf } from '../../support/plan-of.ts'

const key = Buffer.alloc(32, 1)
const text = 'mail ada@example.org, ssn 378-07-9520, mail ada@example.org'

function requestPlan(action: RedactionAction, changes: Partial<RedactionRuleOptions> = {}): Plan {
  return planOf(action, ['email', 'us-ssn'], { direction: 'request', ...changes })
}

function apply(plan: Plan, vault?: Vault): Replacement {
  return replace(text, plan.scanner.scan(text), plan, vault)
}

void t.test('each action', async (t) => {
  const vault = openVault(key, 'p')
  t.equal(apply(requestPlan('mask')).text, 'mail [EMAIL], ssn [US_SSN], mail [EMAIL]')
  t.equal(apply(requestPlan('remove')).text, 'mail , ssn , mail ')
  t.match(apply(requestPlan('token'), vault).text, /^mail (EMAIL_[0-9a-z]{10}), ssn US_SSN_[0-9a-z]{10}, mail \1$/)
  t.equal(vault.restore(apply(requestPlan('token'), vault).text), text)
  const hashed = apply(requestPlan('hash'), vault).text
  t.match(hashed, /^mail (EMAIL_[0-9a-z]{16}), ssn US_SSN_[0-9a-z]{16}, mail \1$/)
  t.equal(vault.restore(hashed), hashed)
  t.equal(apply(requestPlan('token')).text, apply(requestPlan('mask')).text, 'no vault: masked')
})

void t.test('what was replaced is counted, and where it stood', async (t) => {
  const { counts, observed, replaced, blocked } = apply(requestPlan('mask'))
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
  for (const plan of [requestPlan('tag'), requestPlan('block', { mode: 'shadow' })]) {
    const result = apply(plan)
    t.equal(result.text, text)
    t.same(result.observed, { email: 2, 'us-ssn': 1 })
    t.same(result.counts, {})
    t.equal(result.blocked, undefined)
  }
})

void t.test('block names the rule, and nothing after the value is given out', async (t) => {
  const result = apply(requestPlan('block', { detect: ['us-ssn'] }))
  t.same(result.blocked, { rule: 'r', entity: 'us-ssn' })
  t.equal(result.text, 'mail ada@example.org, ssn ')
})

void t.test('findings of other entities are left alone', async (t) => {
  const plan = requestPlan('mask', { detect: ['us-ssn'] })
  const findings = requestPlan('mask').scanner.scan(text)
  t.equal(replace(text, findings, plan, undefined).text, 'mail ada@example.org, ssn [US_SSN], mail ada@example.org')
})

void t.test('what an answer brings gets the same token, but it is not restored', async (t) => {
  const plan = planOf('token', ['email'], { direction: 'both' })
  const vault = openVault(key, 'p')
  const result = replace(text, plan.scanner.scan(text), plan, vault).text
  t.equal(vault.restore(result), result)
  t.equal(vault.size, 0)
  t.ok(result.includes(vault.tokenFor('email', 'ada@example.org')))
})
