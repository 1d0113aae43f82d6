// Owns which rule decides over which entity, for each direction, upstream and route. It does not touch any text.
import { didYouMean } from '../lib/nearest.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { entitiesOf, entityHint } from './entities.ts'
import { redactionActions, restorePlaces } from './options.ts'
import type { Direction, RedactionAction, RedactionOptions, RedactionRuleOptions } from './options.ts'
import type { RestorePlace, TokenFormat } from './options.ts'
import { compileScanner, type Scanner } from './scanner.ts'

export type EntityAction = {
  readonly rule: string
  readonly action: RedactionAction
  readonly mode: 'enforce' | 'shadow'
  /** Of tokens: where in the answer they become values again; of answers' own tokens nowhere. */
  readonly restore: readonly RestorePlace[]
  /** Of tokens: the upstreams of tools that are sent the values. */
  readonly restoreTo: readonly string[]
  readonly format: TokenFormat
}

export type Plan = {
  readonly direction: Direction
  readonly entities: ReadonlySet<string>
  readonly scanner: Scanner
  /** Some value would be changed or blocked; otherwise everything is only recorded. */
  readonly enforced: boolean
  /** Some value becomes a token. */
  readonly issuesTokens: boolean
  readonly actionFor: (entity: string) => EntityAction | undefined
}

export type Redaction = {
  /** Undefined: no rule applies there, so there is nothing to scan for. */
  readonly plan: (direction: Direction, upstream: string, route: string) => Plan | undefined
  /** Whether some rule lets an upstream have the values of tokens. */
  readonly restoresTo: (upstream: string) => boolean
  /** All entities that any rule names. */
  readonly entities: ReadonlySet<string>
}

/** Names that rules may refer to. */
export type RedactionKnown = { readonly upstreams: ReadonlySet<string>; readonly routes: ReadonlySet<string> }

/** `path` is where the section stands. References are checked when `known` is given. `redaction` is absent on errors. */
export function compileRedaction(
  rules: RedactionOptions,
  path: Path,
  known?: RedactionKnown,
): { readonly redaction?: Redaction; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const compiled = rules.map((rule, index) => compileRule(rule, [...path, index], problems))
  reportDuplicates(rules, path, problems)
  if (known !== undefined) reportUnknown(rules, path, known, problems)
  if (problems.length > 0) return { problems }
  const plans = new Map<string, Plan | undefined>()
  const redaction: Redaction = {
    entities: new Set(compiled.flatMap((rule) => rule.entities)),
    restoresTo: (upstream) => rules.some(({ mode, restoreTo }) => mode !== 'shadow' && restoreTo?.includes(upstream)),
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
  options.detect.forEach((name, i) => {
    if (entitiesOf([name]).size === 0) problems.push(unknownEntity(name, [...path, 'detect', i]))
  })
  problems.push(...tokenProblems(options, path))
  return { index: Number(path.at(-1)), options, entities: [...entitiesOf(options.detect)] }
}

/** Options that could not have an effect are errors, or somebody would rely on them. */
function tokenProblems({ action, direction, ...options }: RedactionRuleOptions, path: Path): Problem[] {
  const given = (['restore', 'restoreTo', 'format'] as const).filter((key) => options[key] !== undefined)
  if (action !== 'token') {
    return given.map((key) => ({
      path: [...path, key],
      message: `"${key}" is about tokens, and the action is ${action}`,
      severity: 'error',
    }))
  }
  if (direction !== 'response' || (options.restore ?? []).length === 0) return []
  return [
    {
      path: [...path, 'restore'],
      message: 'what is hidden from the client in an answer cannot be restored in the answer',
      hint: 'restoreTo names the tools that get such values',
      severity: 'error',
    },
  ]
}

function unknownEntity(name: string, path: Path): Problem {
  return { path, message: `"${name}" is neither an entity nor a group`, hint: entityHint(name), severity: 'error' }
}

function reportDuplicates(rules: RedactionOptions, path: Path, problems: Problem[]): void {
  const seen = new Set<string>()
  rules.forEach(({ id }, index) => {
    if (seen.has(id))
      problems.push({ path: [...path, index, 'id'], message: `the id "${id}" is used twice`, severity: 'error' })
    seen.add(id)
  })
}

function reportUnknown(rules: RedactionOptions, path: Path, known: RedactionKnown, problems: Problem[]): void {
  rules.forEach((rule, index) => {
    for (const key of ['upstreams', 'routes', 'restoreTo'] as const) {
      const kind = key === 'routes' ? 'routes' : 'upstreams'
      rule[key]?.forEach((name, i) => {
        if (known[kind].has(name)) return
        const hint = didYouMean(name, known[kind]).hint ?? `known: ${[...known[kind]].join(', ')}`
        problems.push({
          path: [...path, index, key, i],
          message: `no ${kind.slice(0, -1)} is called "${name}"`,
          hint,
          severity: 'error',
        })
      })
    }
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
    const offered = actionOf(options, direction)
    for (const entity of named) if (isStricter(offered, actions.get(entity))) actions.set(entity, offered)
  }
  const all = new Set(actions.keys())
  const enforced = [...actions.values()].some(({ mode, action }) => mode === 'enforce' && action !== 'tag')
  const issuesTokens = [...actions.values()].some(({ mode, action }) => mode === 'enforce' && action === 'token')
  const actionFor = (entity: string): EntityAction | undefined => actions.get(entity)
  return { direction, entities: all, scanner: compileScanner(all), enforced, issuesTokens, actionFor }
}

function actionOf(options: RedactionRuleOptions, direction: Direction): EntityAction {
  const { id, action, mode = 'enforce', restore = restorePlaces, restoreTo = [], format = 'auto' } = options
  return { rule: id, action, mode, restore: direction === 'request' ? restore : [], restoreTo, format }
}

/** A rule that is enforced beats one that only watches; then the stricter action; then the earlier rule. */
function isStricter(offered: EntityAction, current: EntityAction | undefined): boolean {
  if (current === undefined) return true
  if (offered.mode !== current.mode) return offered.mode === 'enforce'
  return redactionActions.indexOf(offered.action) > redactionActions.indexOf(current.action)
}
