// Owns which rule decides over which entity, for each direction, upstream and route. It does not touch any text.
import { didYouMean } from '../lib/nearest.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { allowProblems, compileAllow, type Allowed } from './allow.ts'
import { builtInCatalogue, type Catalogue } from './catalogue.ts'
import type { Direction, RedactionAction, RedactionOptions, RedactionPlace, RedactionRuleOptions } from './options.ts'
import type { RestorePlace, TokenFormat } from './options.ts'
import { newPlan } from './plan.ts'
import type { Scanner } from './scanner.ts'

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
  /** Of which some value, in whatever form, would be changed or blocked; all others are only recorded. */
  readonly enforced: ReadonlySet<string>
  /** Some value becomes a token. */
  readonly issuesTokens: boolean
  /** Undefined: the value is let be. Lists of values that are allowed count only where the value is told. */
  readonly actionFor: (entity: string, value?: string) => EntityAction | undefined
  /** The same for values that stand as a JSON number or as a key of an object, which it has a scanner of its own for. */
  readonly forForm: (form: 'string' | 'number' | 'key') => Plan
}

/** Whether anything there would be changed or blocked. */
export function enforces(plan: Plan | undefined): boolean {
  return plan !== undefined && plan.enforced.size > 0
}

export type Redaction = {
  /** Undefined: no rule applies there, so there is nothing to scan for. */
  readonly plan: (direction: Direction, upstream: string, route: string, place?: RedactionPlace) => Plan | undefined
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
  catalogue: Catalogue = builtInCatalogue,
): { readonly redaction?: Redaction; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const compiled = rules.map((rule, index) => compileRule(rule, [...path, index], catalogue, problems))
  reportDuplicates(rules, path, problems)
  if (known !== undefined) reportUnknown(rules, path, known, problems)
  if (problems.length > 0) return { problems }
  const plans = new Map<string, Plan | undefined>()
  const redaction: Redaction = {
    entities: new Set(compiled.flatMap((rule) => rule.entities)),
    restoresTo: (upstream) => rules.some(({ mode, restoreTo }) => mode !== 'shadow' && restoreTo?.includes(upstream)),
    plan(direction, upstream, route, place = 'body') {
      const here = compiled.filter((rule) => applies(rule.options, direction, upstream, route))
      const applying = here.filter(({ options }) => (options.in ?? placesDefault).includes(place))
      const key = `${direction} ${applying.map((rule) => rule.index).join(' ')}`
      let plan = plans.get(key)
      if (plan === undefined && applying.length > 0) {
        plan = newPlan(direction, applying, catalogue)
        plans.set(key, plan)
      }
      return plan
    },
  }
  return { redaction, problems }
}

/** Headers are for whoever knows which of them his tools can do without. */
const placesDefault: readonly RedactionPlace[] = ['body', 'target']

export type CompiledRule = {
  readonly index: number
  readonly options: RedactionRuleOptions
  readonly entities: readonly string[]
  readonly allowed: Allowed | undefined
}

function compileRule(
  options: RedactionRuleOptions,
  path: Path,
  { entitiesOf, hint }: Catalogue,
  problems: Problem[],
): CompiledRule {
  options.detect.forEach((name, i) => {
    if (entitiesOf([name]).size > 0) return
    const message = `"${name}" is neither an entity nor a group`
    problems.push({ path: [...path, 'detect', i], message, hint: hint(name), severity: 'error' })
  })
  problems.push(...tokenProblems(options, path), ...allowProblems(options.allow, path))
  const allowed = options.allow === undefined ? undefined : compileAllow(options.allow)
  return { index: Number(path.at(-1)), options, entities: [...entitiesOf(options.detect)], allowed }
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
