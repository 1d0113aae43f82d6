// Owns the long answer: for every rule, every condition, what it looked at and what came of it. Plain data; how it is
// shown is the command line's business.
import type { Decision, Effect } from './decision.ts'
import type { Policy } from './evaluate.ts'
import { Facts } from './facts.ts'
import type { Mode } from './options.ts'
import type { Query } from './query.ts'
import { holds, type Rule } from './rule.ts'
import type { Truth } from './truth.ts'

/** `not-asked`: the rule judges other actions or other routes. */
export type RuleResult = 'matched' | 'not-matched' | 'unknown' | 'not-asked'

export type ConditionExplanation = {
  readonly condition: string
  readonly result: Exclude<RuleResult, 'not-asked'>
  /** What was compared with what. */
  readonly looked: string
  /** Why it cannot be decided. */
  readonly why?: string
}

export type RuleExplanation = {
  readonly rule: string
  readonly effect: Effect
  readonly mode: Mode
  readonly result: RuleResult
  /** One sentence: what an unknown counts as, or why the rule was not asked. */
  readonly note?: string
  /** Every condition, also those after one that does not hold. */
  readonly conditions: readonly ConditionExplanation[]
}

export type Explanation = {
  readonly decision: Decision
  readonly policyHash: string
  readonly rules: readonly RuleExplanation[]
}

export function explain(policy: Policy, query: Query): Explanation {
  const asked = new Set(policy.candidates(query))
  return {
    decision: policy.evaluate(query),
    policyHash: policy.hash,
    rules: policy.rules.map((rule) => explainRule(rule, query, new Facts(query, policy.background), asked.has(rule))),
  }
}

function explainRule(rule: Rule, query: Query, facts: Facts, asked: boolean): RuleExplanation {
  const about = { rule: rule.id, effect: rule.effect, mode: rule.mode }
  const { type } = query.action
  if (!rule.actions.has(type))
    return {
      ...about,
      result: 'not-asked',
      note: `judges ${[...rule.actions].join(', ')}, not ${type}`,
      conditions: [],
    }
  const conditions = rule.conditions.map((condition) => {
    const truth = condition.test(facts)
    const why = truth === undefined ? { why: facts.because } : {}
    return { condition: condition.key, result: resultOf(truth), looked: condition.describe(facts), ...why }
  })
  if (!asked)
    return {
      ...about,
      result: 'not-asked',
      note: `is not for route ${query.route} with upstream ${query.upstream}`,
      conditions,
    }
  const result = resultOf(holds(rule, facts))
  if (result !== 'unknown') return { ...about, result, conditions }
  const note =
    rule.effect === 'allow'
      ? 'unknown counts as not matched in an allow rule'
      : `unknown counts as matched in a rule to ${rule.effect}`
  return { ...about, result, note, conditions }
}

function resultOf(truth: Truth): Exclude<RuleResult, 'not-asked'> {
  return truth === undefined ? 'unknown' : truth ? 'matched' : 'not-matched'
}
