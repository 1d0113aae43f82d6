// Owns to whom and to what a limit applies: names and globs over what is known of a request, and whether such names exist.
// How globs are read is handed in: it is the same for rules.
import { didYouMean } from '../lib/nearest.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import type { Demand, LimitSubject } from './limiter.ts'
import { filters as filterNames, type Filter, type LimitOptions } from './options.ts'

/** What filters may name, and how globs are compiled. Absent: not checked, and names are only names. */
export type LimitReferences = {
  readonly [F in Filter]?: ReadonlySet<string>
} & {
  readonly patterns?: (pattern: string, separator: '/' | '') => ((name: string) => boolean) | { readonly error: string }
}

type Test = (name: string) => boolean

export type Filters = { readonly [F in Filter]?: Test }

const open: ReadonlySet<Filter> = new Set(['orgs', 'teams', 'roles'])

export function compileFilters(
  option: LimitOptions,
  at: Path,
  references: LimitReferences,
): { readonly filters: Filters; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const filters: { -readonly [F in Filter]?: Test } = {}
  for (const filter of filterNames) {
    const patterns = option[filter]
    if (patterns === undefined) continue
    const known = references[filter]
    const tests = patterns.flatMap((pattern, position) => {
      const test = references.patterns?.(pattern, filter === 'tools' ? '/' : '') ?? ((name) => name === pattern)
      const problem = typeof test === 'function' ? unknownName(filter, pattern, test, known) : { message: test.error }
      // What principals are called in other ways than by id may come with a file that is merged.
      const severity = open.has(filter) && typeof test === 'function' ? 'warning' : 'error'
      if (problem !== undefined) problems.push({ path: [...at, filter, position], ...problem, severity })
      return typeof test === 'function' ? [test] : []
    })
    const [only] = tests
    filters[filter] = tests.length === 1 && only !== undefined ? only : (name) => tests.some((test) => test(name))
  }
  return { filters, problems }
}

function unknownName(
  filter: Filter,
  pattern: string,
  test: Test,
  known: ReadonlySet<string> | undefined,
): { readonly message: string; readonly hint?: string } | undefined {
  if (known === undefined || (open.has(filter) && known.size === 0)) return undefined
  if (known.has(pattern) || [...known].some(test)) return undefined
  return { message: `there is no ${filter.slice(0, -1)} "${pattern}"`, ...didYouMean(pattern, known) }
}

/** As far as the head of a request says. */
export function appliesTo(filters: Filters, subject: LimitSubject): boolean {
  return (
    (filters.principals?.(subject.principal) ?? true) &&
    (filters.routes?.(subject.route) ?? true) &&
    (filters.upstreams?.(subject.upstream) ?? true) &&
    (filters.orgs === undefined || (subject.org !== undefined && filters.orgs(subject.org))) &&
    (filters.teams === undefined || (subject.team !== undefined && filters.teams(subject.team))) &&
    (filters.roles === undefined || (subject.roles?.some(filters.roles) ?? false))
  )
}

/** A model that is not known may be any. */
export function appliesToBody({ models, tools, actions }: Filters, demand: Demand): boolean {
  const { model } = demand
  return (
    (models === undefined || (demand.actions.includes('model.call') && (model === undefined || models(model)))) &&
    (tools === undefined || demand.tools.some(tools)) &&
    (actions === undefined || demand.actions.some(actions))
  )
}
