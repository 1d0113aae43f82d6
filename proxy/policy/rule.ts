// Owns one compiled rule: its conditions in the order in which they are asked, and whether they hold.
import type { Attribute } from './actions.ts'
import type { Effect } from './decision.ts'
import type { Facts } from './facts.ts'
import type { Condition } from './matcher.ts'
import type { Conditions, Mode } from './options.ts'
import type { ActionType } from './query.ts'
import type { Truth } from './truth.ts'

export type RuleCondition = Condition & { readonly key: keyof Conditions }

export type Rule = {
  readonly id: string
  readonly effect: Effect
  readonly mode: Mode
  /** The operator's own words, when there are any. */
  readonly reason: string | undefined
  /** Place in the document. */
  readonly position: number
  /** The actions that it judges: those it lists, or else all that have everything its conditions look at. */
  readonly actions: ReadonlySet<ActionType>
  readonly conditions: readonly RuleCondition[]
  readonly reads: ReadonlySet<Attribute>
  readonly entities: ReadonlySet<string>
}

/** Whether all conditions hold; one that is false outweighs any that is unknown. Unknown leaves `facts.because` set. */
export function holds({ conditions }: Pick<Rule, 'conditions'>, facts: Facts): Truth {
  let because: string | undefined
  for (const condition of conditions) {
    const truth = condition.test(facts)
    if (truth === false) return false
    if (truth === undefined) because ??= facts.because
  }
  return because === undefined ? true : facts.unknown(because)
}

/** Whether a rule can match at all on a route that one of these upstreams serves. */
export function mayApplyOn(rule: Rule, route: string, upstreams: readonly string[]): boolean {
  return rule.conditions.every(({ key, matching }) => {
    if (matching === undefined) return true
    return key === 'routes' ? matching.has(route) : upstreams.some((upstream) => matching.has(upstream))
  })
}
