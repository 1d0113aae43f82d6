// Owns which rule decides over which entity, for each direction, upstream and route. It does not touch any text.
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { closest, entities, entitiesOf, entityGroups, redactionActions } from './options.ts'
import type { Direction, RedactionAction, RedactionOptions, RedactionRuleOptions } from './options.ts'
import { compileScanner, type Scanner } from './scanner.ts'

export type EntityAction = {
  readonly rule: string
  readonly action: RedactionAction
  readonly mode: 'enforce' | 'shadow'
}

export type Plan = {
  readonly direction: Direction
  readonly entities: ReadonlySet<string>
  readonly scanner: Scanner
  readonly actionFor: (entity: string) => EntityAction | undefined
}

export type Redaction = {
  /** Undefined: no rule applies there, so there is nothing to scan for. */
  readonly plan: (direction: Direction, upstream: string, route: string) => Plan | undefined
  /** All entities that any rule names. */
  readonly entities: ReadonlySet<string>
}

/** `redaction` is absent when a problem is an error. */
export function compileRedaction(
  rules: RedactionOptions,
  at: { readonly path: Path },
): { redaction?: Redaction; problems: Problem[] } {
  const problems: Problem[] = []
  const compiled = rules.map((rule, index) => compileRule(rule, [...at.path, index], problems))
  reportDuplicates(rules, at.path, problems)
  if (problems.length > 0) return { problems }
  const plans = new Map<string, Plan | undefined>()
  const redaction: Redaction = {
    entities: new Set(compiled.flatMap((rule) => rule.entities)),
    plan(direction, upstream, route) {
      const applying = compiled.filter((rule) => applies(rule.options, direction, upstream, route))
      const key = `${direction} ${applying.map((rule) => rule.index).join(' ')}`
      let plan = plans.get(key)
      if (plan === undefined && applying.length > 0) {
        plan = newPlan(direction, applying)
        plans.set(key, plan)
      }
      return plan
    },
  }
  return { redaction, problems }
}

type CompiledRule = {
  readonly index: number
  readonly options: RedactionRuleOptions
  readonly entities: readonly string[]
}

function compileRule(options: RedactionRuleOptions, path: Path, problems: Problem[]): CompiledRule {
  const found = options.detect.flatMap((name, i) => {
    const named = entitiesOf(name)
    if (named === undefined) problems.push(unknownEntity(name, [...path, 'detect', i]))
    return named ?? []
  })
  return { index: Number(path.at(-1)), options, entities: [...new Set(found)] }
}

function unknownEntity(name: string, path: Path): Problem {
  const known = [...entityGroups, ...entities().map((entity) => entity.name)]
  const near = closest(name, known)
  const hint = near === undefined ? `known: ${known.join(', ')}` : `did you mean "${near}"?`
  return { path, message: `"${name}" is neither an entity nor a group`, hint, severity: 'error' }
}

function reportDuplicates(rules: RedactionOptions, path: Path, problems: Problem[]): void {
  const seen = new Set<string>()
  rules.forEach(({ id }, index) => {
    if (seen.has(id))
      problems.push({ path: [...path, index, 'id'], message: `the id "${id}" is used twice`, severity: 'error' })
    seen.add(id)
  })
}

function applies(rule: RedactionRuleOptions, direction: Direction, upstream: string, route: string): boolean {
  if (rule.direction !== 'both' && rule.direction !== direction) return false
  if (rule.upstreams !== undefined && !rule.upstreams.includes(upstream)) return false
  return rule.routes === undefined || rule.routes.includes(route)
}

function newPlan(direction: Direction, rules: readonly CompiledRule[]): Plan {
  const actions = new Map<string, EntityAction>()
  for (const { options, entities: named } of rules) {
    const offered: EntityAction = { rule: options.id, action: options.action, mode: options.mode ?? 'enforce' }
    for (const entity of named) if (isStricter(offered, actions.get(entity))) actions.set(entity, offered)
  }
  const all = new Set(actions.keys())
  return { direction, entities: all, scanner: compileScanner(all), actionFor: (entity) => actions.get(entity) }
}

/** A rule that is enforced beats one that only watches; then the stricter action; then the earlier rule. */
function isStricter(offered: EntityAction, current: EntityAction | undefined): boolean {
  if (current === undefined) return true
  if (offered.mode !== current.mode) return offered.mode === 'enforce'
  return redactionActions.indexOf(offered.action) > redactionActions.indexOf(current.action)
}
