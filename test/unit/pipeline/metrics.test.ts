import t from 'tap'
import { openMetrics } from '../../../proxy/pipeline/metrics.ts'
import type { Decision } from '../../../proxy/policy/decision.ts'

const nothing = { matched: [], unevaluable: [] }

t.test('a decision counts for the rule that made it, and for shadow mode where nothing is enforced', async (t) => {
  const metrics = openMetrics()
  const denial = { effect: 'deny', rule: 'no-deletions', reason: 'No.' } as const
  const decisions: Decision[] = [
    { ...denial, ...nothing, code: 'rule-matched' },
    { effect: 'allow', code: 'shadow-mode', reason: 'Not enforced.', shadow: denial, ...nothing },
    { effect: 'deny', code: 'default', reason: 'No rule.', ...nothing },
  ]
  for (const made of decisions) metrics.decision(made)
  const lines = (await metrics.registry.getSingleMetricAsString('gatewright_policy_decisions_total')).split('\n')
  t.same(lines.filter((line) => !line.startsWith('#')).sort(), [
    'gatewright_policy_decisions_total{rule="default",effect="deny",mode="enforce"} 1',
    'gatewright_policy_decisions_total{rule="no-deletions",effect="deny",mode="enforce"} 1',
    'gatewright_policy_decisions_total{rule="no-deletions",effect="deny",mode="shadow"} 1',
    'gatewright_policy_decisions_total{rule="shadow-mode",effect="allow",mode="enforce"} 1',
  ])
})
