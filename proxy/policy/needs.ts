// Owns what must be read of an exchange so that the rules that may apply on its route can be decided.
import { actionsOf, isExchangeAttribute } from './actions.ts'
import type { Needs } from './decision.ts'
import type { Mode } from './options.ts'
import type { ActionType } from './query.ts'
import type { Rule } from './rule.ts'

/** Attributes of an action that the head of the request already gives, by what the upstream speaks. */
const headAttributes: Readonly<Record<'http' | 'model', ReadonlySet<string>>> = {
  http: new Set(['tool', 'via', 'tags', 'method', 'path']),
  model: new Set(['operation']),
}

type Standing = { readonly defaultEffect: 'allow' | 'deny'; readonly mode: Mode }

/** `rules`: those that may apply on the route, enforced or not. */
export function findNeeds(rules: readonly Rule[], protocol: string, { defaultEffect, mode }: Standing): Needs {
  const judged = actionsOf(protocol)
  const relevant = judged === undefined ? rules : rules.filter((rule) => judged.some((type) => rule.actions.has(type)))
  const enforced = mode === 'shadow' ? [] : relevant.filter((rule) => rule.mode === 'enforce')
  const entities = { findings: entitiesOf(relevant), enforcedFindings: entitiesOf(enforced) }
  // Over MCP and over anything not known here, even which action it is stands in the body.
  // and so it does of what the server asks for in its answers.
  if (judged === undefined || protocol === 'mcp') return { body: true, method: false, ...entities, answer: true }
  if (protocol === 'http') {
    const body = relevant.some((rule) => looksBeyond(rule, headAttributes.http))
    return { body, method: relevant.some((rule) => rule.reads.has('method')), ...entities, answer: false }
  }
  const atRequest = relevant.filter((rule) => rule.actions.has('model.call'))
  const body = entities.findings.size > 0 || atRequest.some((rule) => looksBeyond(rule, headAttributes.model))
  const offers = !followsFromModelCall(relevant, ['tool.offer', 'tool.call'], defaultEffect)
  return {
    body: body || offers,
    method: false,
    ...entities,
    answer: !followsFromModelCall(relevant, ['tool.call'], defaultEffect),
  }
}

function entitiesOf(rules: readonly Rule[]): Set<string> {
  return new Set(rules.flatMap((rule) => [...rule.entities]))
}

function looksBeyond(rule: Rule, given: ReadonlySet<string>): boolean {
  for (const attribute of rule.reads) if (!isExchangeAttribute(attribute) && !given.has(attribute)) return true
  return false
}

/**
 * Whether a model call that was allowed settles that these actions of the same exchange are allowed too. It does when
 * no rule that could stop them looks at more than the exchange or spares the model call, and whatever allowed the model
 * call allows them as well.
 */
function followsFromModelCall(
  rules: readonly Rule[],
  actions: readonly ActionType[],
  defaultEffect: 'allow' | 'deny',
): boolean {
  const nothing: ReadonlySet<string> = new Set()
  const stopping = rules.filter((rule) => rule.effect !== 'allow' && actions.some((type) => rule.actions.has(type)))
  if (stopping.some((rule) => looksBeyond(rule, nothing) || !rule.actions.has('model.call') || rule.mode === 'shadow'))
    return false
  if (defaultEffect === 'allow') return true
  const allowing = rules.filter((rule) => rule.effect === 'allow' && rule.actions.has('model.call'))
  return allowing.every(
    (rule) => !looksBeyond(rule, nothing) && rule.actions.has('tool.call') && rule.mode === 'enforce',
  )
}
