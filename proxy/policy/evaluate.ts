// Owns the judgement: which rules apply to a query, and what they say together. It never throws; where it fails, the
// answer is deny.
import type { Attribute } from './actions.ts'
import { Candidates, type Asked } from './candidates.ts'
import type { Decision, Effect, Needs } from './decision.ts'
import { Facts, type Background } from './facts.ts'
import type { KnownRoute } from './known.ts'
import { findNeeds } from './needs.ts'
import { callOffered } from './offered.ts'
import type { Mode } from './options.ts'
import type { ActionType, Query } from './query.ts'
import { holds, mayApplyOn, type Rule } from './rule.ts'
import { counts } from './truth.ts'

export type Settings = {
  readonly defaultEffect: 'allow' | 'deny'
  readonly mode: Mode
  /** SHA-256 of the options, hex. */
  readonly hash: string
  /** Lower-case names of the request headers that rules may see. */
  readonly headers: ReadonlySet<string>
}

export interface Policy extends Settings {
  readonly rules: readonly Rule[]
  readonly routes: readonly KnownRoute[]
  readonly background: Background
  evaluate(query: Query): Decision
  /**
   * Whether this could be allowed, given what is known now: false only when it would be denied whatever the absent
   * fields (arguments, model) turn out to be. True under `mode: shadow`, which blocks nothing.
   */
  mayEver(query: Query): boolean
  /** What must be read for a decision on a route; everything, for a route that the policy does not know. */
  needs(routeId: string): Needs
  /** The rules that are asked about a query, in document order. */
  candidates(query: Query): readonly Rule[]
}

export class Engine implements Policy {
  readonly rules: readonly Rule[]
  readonly routes: readonly KnownRoute[]
  readonly background: Background
  readonly defaultEffect: 'allow' | 'deny'
  readonly mode: Mode
  readonly hash: string
  readonly headers: ReadonlySet<string>
  readonly #anywhere: ByAction
  /** For queries that go to an upstream which the route is known to use. */
  readonly #byRoute = new Map<string, { readonly upstreams: readonly string[]; readonly rules: ByAction }>()
  readonly #needs = new Map<string, Needs>()

  constructor(rules: readonly Rule[], routes: readonly KnownRoute[], background: Background, settings: Settings) {
    this.rules = rules
    this.routes = routes
    this.background = background
    this.defaultEffect = settings.defaultEffect
    this.mode = settings.mode
    this.hash = settings.hash
    this.headers = settings.headers
    this.#anywhere = byAction(rules, new Set())
    for (const route of routes) {
      const upstreams = [route.upstream, ...(route.fallback ?? [])]
      const applying = rules.filter((rule) => mayApplyOn(rule, route.id, upstreams))
      const settled = new Set<Attribute>(upstreams.length === 1 ? ['route', 'upstream'] : ['route'])
      this.#byRoute.set(route.id, { upstreams, rules: byAction(applying, settled) })
      this.#needs.set(route.id, findNeeds(applying, route.protocol, settings))
    }
  }

  evaluate(query: Query): Decision {
    try {
      return this.#decide(query)
    } catch {
      return this.#failed()
    }
  }

  mayEver(query: Query): boolean {
    if (this.mode === 'shadow') return true
    try {
      return mayBeAllowed(
        this.#candidates(query).of(query.principal),
        new Facts(query, this.background),
        this.defaultEffect,
      )
    } catch {
      return false
    }
  }

  needs(routeId: string): Needs {
    const all = new Set(this.background.entities.keys())
    const everything = { body: true, method: true, answer: true, findings: all, enforcedFindings: all }
    return this.#needs.get(routeId) ?? everything
  }

  candidates(query: Query): readonly Rule[] {
    return this.#candidates(query).rules
  }

  #candidates({ route: id, upstream, action }: Query): Candidates {
    const route = this.#byRoute.get(id)
    const rules = route?.upstreams.includes(upstream) === true ? route.rules : this.#anywhere
    return rules[action.type]
  }

  #decide(query: Query): Decision {
    const facts = new Facts(query, this.background)
    const matched: Matched[] = []
    const unevaluable: { rule: string; why: string }[] = []
    let enforced: Rule | undefined
    let hypothetical: Rule | undefined
    let deciderFailed = false
    for (const asked of this.#candidates(query).of(query.principal)) {
      const { rule } = asked
      const truth = holds(asked, facts)
      if (truth === undefined) unevaluable.push({ rule: rule.id, why: facts.because })
      if (!counts(truth, rule.effect)) continue
      matched.push({ rule: rule.id, effect: rule.effect, mode: rule.mode })
      if (outranks(rule, hypothetical)) hypothetical = rule
      if (rule.mode === 'shadow' || !outranks(rule, enforced)) continue
      enforced = rule
      deciderFailed = truth === undefined
    }
    const outcome = enforced === undefined ? this.#fallback(query) : outcomeOf(enforced, deciderFailed)
    const whatIf = hypothetical === enforced || hypothetical === undefined ? outcome : outcomeOf(hypothetical, false)
    // As long as it looks: an array that grew has room for sixteen more, and decisions are kept.
    return conclude(this.mode, outcome, whatIf, matched.slice(), unevaluable)
  }

  /**
   * What holds when no rule says anything. An offer of a tool is then judged by whether a call of it could ever be
   * allowed, so that lists agree with calls without rules of their own.
   */
  #fallback(query: Query): Outcome {
    if (query.action.type !== 'tool.offer') {
      const denied = this.defaultEffect === 'deny'
      const reason = denied
        ? 'No rule allows this, and the default is deny.'
        : 'No rule matches, and the default is allow.'
      return { effect: this.defaultEffect, code: 'no-rule-matched', reason }
    }
    const call = callOffered(query)
    if (mayBeAllowed(this.#candidates(call).of(call.principal), new Facts(call, this.background), this.defaultEffect)) {
      return { effect: 'allow', code: 'may-be-called', reason: 'Calls of this tool may be allowed.' }
    }
    return { effect: 'deny', code: 'never-callable', reason: 'No call of this tool could be allowed.' }
  }

  #failed(): Decision {
    const outcome = { effect: 'deny', code: 'evaluation-failed', reason: 'The policy could not be evaluated.' } as const
    return conclude(this.mode, outcome, outcome, [], [])
  }
}

type ByAction = Readonly<Record<ActionType, Candidates>>

function byAction(rules: readonly Rule[], settled: ReadonlySet<Attribute>): ByAction {
  const of = (type: ActionType) =>
    new Candidates(
      rules.filter((rule) => rule.actions.has(type)),
      settled,
    )
  return {
    'model.call': of('model.call'),
    'tool.call': of('tool.call'),
    'tool.offer': of('tool.offer'),
    'resource.read': of('resource.read'),
    'prompt.get': of('prompt.get'),
  }
}

type Matched = Decision['matched'][number]
type Outcome = { readonly effect: Effect; readonly rule?: string; readonly code: string; readonly reason: string }

const rank = { allow: 0, approve: 1, deny: 2 } as const
const verbs = { allow: 'Allowed', approve: 'Approval required', deny: 'Denied' } as const

/** Deny beats approve beats allow; among equals the first in the document is named. */
function outranks(rule: Rule, other: Rule | undefined): boolean {
  return other === undefined || rank[rule.effect] > rank[other.effect]
}

function outcomeOf(rule: Rule, failed: boolean): Outcome {
  const code = failed ? 'expression-failed' : 'rule-matched'
  return {
    effect: rule.effect,
    rule: rule.id,
    code,
    reason: rule.reason ?? `${verbs[rule.effect]} by rule ${rule.id}.`,
  }
}

function conclude(
  mode: Mode,
  outcome: Outcome,
  whatIf: Outcome,
  matched: Decision['matched'],
  unevaluable: Decision['unevaluable'],
): Decision {
  if (mode === 'shadow' && outcome.effect !== 'allow') {
    const reason = 'Not enforced: the policy is in shadow mode.'
    return { effect: 'allow', code: 'shadow-mode', reason, shadow: asShadow(outcome), matched, unevaluable }
  }
  if (whatIf.effect === outcome.effect) return { ...outcome, matched, unevaluable }
  return { ...outcome, shadow: asShadow(whatIf), matched, unevaluable }
}

function asShadow({ effect, rule, reason }: Outcome): NonNullable<Decision['shadow']> {
  return { effect, ...(rule === undefined ? {} : { rule }), reason }
}

/** False only when the enforced rules deny for certain. */
function mayBeAllowed(candidates: readonly Asked[], facts: Facts, defaultEffect: 'allow' | 'deny'): boolean {
  let allowed = defaultEffect === 'allow'
  for (const asked of candidates) {
    const { rule } = asked
    if (rule.mode === 'shadow') continue
    const truth = holds(asked, facts)
    if (truth === true && rule.effect === 'deny') return false
    if (truth !== false && rule.effect !== 'deny') allowed = true
  }
  return allowed
}
