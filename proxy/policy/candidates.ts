// Owns which rules one kind of action can meet at one place, and what is left to ask of them once it is known who asks.
import type { Attribute } from './actions.ts'
import type { Subject } from './query.ts'
import type { Rule, RuleCondition } from './rule.ts'

/** A rule without the conditions that are known to hold. */
export type Asked = { readonly rule: Rule; readonly conditions: readonly RuleCondition[] }

export class Candidates {
  /** In document order. */
  readonly rules: readonly Rule[]
  readonly #asked: readonly Asked[]
  /** Callers come from the configuration, so there are few, and one that is gone takes its entry along. */
  readonly #ofCaller = new WeakMap<Subject, readonly Asked[]>()

  /** `settled`: what the place has decided already, for every one of the rules in their favour. */
  constructor(rules: readonly Rule[], settled: ReadonlySet<Attribute>) {
    this.rules = rules
    this.#asked = rules.map((rule) => ({
      rule,
      conditions: rule.conditions.filter(({ matching, reads }) => matching === undefined || !isSubset(reads, settled)),
    }))
  }

  /** Those that this caller can match, with what remains to be asked. */
  of(caller: Subject): readonly Asked[] {
    const known = this.#ofCaller.get(caller)
    if (known !== undefined) return known
    const left = this.#asked.flatMap((asked) => settle(asked, caller) ?? [])
    // What can still change is not remembered.
    if (Object.isFrozen(caller) && Object.isFrozen(caller.roles)) this.#ofCaller.set(caller, left)
    return left
  }
}

function isSubset(reads: readonly Attribute[], settled: ReadonlySet<Attribute>): boolean {
  return reads.every((attribute) => settled.has(attribute))
}

/** Undefined when the caller cannot match the rule. */
function settle({ rule, conditions }: Asked, caller: Subject): Asked | undefined {
  const left: RuleCondition[] = []
  for (const condition of conditions) {
    const truth = condition.settle?.(caller)
    if (truth === false) return undefined
    if (truth === undefined) left.push(condition)
  }
  return left.length === conditions.length ? { rule, conditions } : { rule, conditions: left }
}
