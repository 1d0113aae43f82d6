// Owns the long answer: for every rule, every condition, what it looked at and what came of it. Plain data; how it is
// shown is the command line's business.
import type { Decision, Effect } from './decision.ts'
import type { Policy } from './evaluate.ts'
import { Facts } from './facts.ts'
import { callOffered } from './offered.ts'
import type { Mode } from './options.ts'
import type { Query } from './query.ts'
import { holds, type Rule } from './rule.ts'
import type { Truth } from './truth.ts'

/** `now`: is this allowed. `ever`: may it be, whatever is not known of it. */
export type Question = 'now' | 'ever'

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
  /** The answer, where the question is `ever`. */
  readonly mayEver?: boolean
  /** Of an offer of a tool that no rule decides: what they say to the question whether a call of it may ever be allowed. */
  readonly calls?: readonly RuleExplanation[]
}

/** `decision`: what was decided over the query, or over the listing that asks whether it may ever be. */
export function explain(
  policy: Policy,
  query: Query,
  decision: Decision = policy.evaluate(query),
  question: Question = 'now',
): Explanation {
  return {
    decision,
    policyHash: policy.hash,
    rules: explainRules(policy, query, question),
    ...(question === 'ever' ? { mayEver: policy.mayEver(query) } : {}),
    ...(standsWithCalls(query, decision) ? { calls: explainRules(policy, callOffered(query), 'ever') } : {}),
  }
}

function standsWithCalls({ action }: Query, { code, rule, shadow }: Decision): boolean {
  if (action.type !== 'tool.offer') return false
  // Where nothing is enforced the decision names no rule: that which would have been enforced does.
  return code === 'shadow-mode' ? shadow?.rule === undefined : rule === undefined && offerCodes.has(code)
}

const offerCodes: ReadonlySet<string> = new Set(['may-be-called', 'never-callable'])

function explainRules(policy: Policy, query: Query, question: Question): RuleExplanation[] {
  const asked = new Set(policy.candidates(query))
  return policy.rules.map((rule) =>
    explainRule(rule, query, new Facts(query, policy.background), asked.has(rule), question),
  )
}

function explainRule(rule: Rule, query: Query, facts: Facts, asked: boolean, question: Question): RuleExplanation {
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
  const note = question === 'now' ? noteNow(rule, result) : noteEver(rule, result)
  return { ...about, result, ...(note === undefined ? {} : { note }), conditions }
}

function noteNow({ effect }: Rule, result: RuleResult): string | undefined {
  if (result !== 'unknown') return undefined
  return effect === 'allow'
    ? 'unknown counts as not matched in an allow rule'
    : `unknown counts as matched in a rule to ${effect}`
}

/** Only a denial that is certain rules anything out. */
function noteEver({ effect, mode }: Rule, result: RuleResult): string | undefined {
  if (result === 'not-matched') return undefined
  if (mode === 'shadow') return `in shadow mode it rules ${effect === 'deny' ? 'out' : 'in'} nothing`
  if (result === 'matched') return undefined
  return effect === 'deny'
    ? 'another call may not match it, so it rules out none'
    : 'some call may match it, so it may be allowed'
}

function resultOf(truth: Truth): Exclude<RuleResult, 'not-asked'> {
  return truth === undefined ? 'unknown' : truth ? 'matched' : 'not-matched'
}
