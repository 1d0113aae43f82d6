// Owns the step from options to plans for limits. It knows nothing of counting; the store has its own (compile-store.ts).
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { isTimeZone } from '../lib/zone-clock.ts'
import { compileFilters, type Filters, type LimitReferences } from './filters.ts'
import {
  dimensions,
  units,
  type Dimension,
  type LimitOptions,
  type OnStoreError,
  type PriceOptions,
  type Unit,
} from './options.ts'
import { nanosPerDollar, openPrices, type Prices } from './prices.ts'
import { windowName, windowOf, type Window } from './window.ts'

export type { LimitReferences } from './filters.ts'

export type Quota = {
  readonly unit: Unit
  /** Of cost in billionths of a dollar. */
  readonly quota: number
  readonly window: Window
  /** Same limit, same rate, same dimensions: only then do counts survive a reload. */
  readonly namespace: string
}

export type Limit = {
  readonly id: string
  /** In the order of `dimensions`, so that the order in the document does not matter. */
  readonly by: readonly Dimension[]
  /** `body`: it cannot be counted before the body was read. */
  readonly phase: 'head' | 'body'
  readonly quotas: readonly Quota[]
  readonly concurrency?: number
  readonly onStoreError: OnStoreError
  readonly shadow: boolean
  readonly filters: Filters
  readonly assumedTokens: number
  readonly maxTokens?: number
  /** What is assumed is sent on as the maximum of requests that name none. */
  readonly boundsAssumed: boolean
  readonly onUnknownPrice: 'deny' | 'estimate'
  readonly prices: Prices
  /** Like a namespace, without the rate: who is in flight stays so when the rate changes. */
  readonly slots: string
}

export type LimitPlan = readonly Limit[]

const assumedTokensDefault = 4096

/** Problems stand at `path`; limits with errors are left out of the plan. */
export function compileLimits(
  options: readonly LimitOptions[],
  path: Path,
  references: LimitReferences = {},
  prices: Prices = openPrices([]),
): { readonly plan: LimitPlan; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const plan: Limit[] = []
  const seen = new Set<string>()
  for (const [index, option] of options.entries()) {
    const at = [...path, index]
    const quotas = compileQuotas(option, at)
    const filters = compileFilters(option, at, references)
    const found = [...check(option, at, seen), ...quotas.problems, ...filters.problems]
    seen.add(option.id)
    problems.push(...found)
    if (!found.some((problem) => problem.severity === 'error'))
      plan.push(build(option, quotas.quotas, filters.filters, prices))
  }
  return { plan, problems }
}

/** `patterns` compiles a glob over model names. */
export function compilePrices(
  options: readonly PriceOptions[],
  path: Path,
  patterns: NonNullable<LimitReferences['patterns']>,
): { readonly prices: Prices; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const own = options.flatMap((price, index) => {
    const matches = patterns(price.model, '')
    if (typeof matches === 'function') return [{ matches, price }]
    problems.push({ path: [...path, index, 'model'], message: matches.error, severity: 'error' })
    return []
  })
  return { prices: openPrices(own), problems }
}

function check(option: LimitOptions, at: Path, seen: ReadonlySet<string>): Problem[] {
  const problems: Problem[] = []
  const report = (key: string, message: string, hint?: string): void => {
    problems.push({ path: [...at, key], message, severity: 'error', ...(hint === undefined ? {} : { hint }) })
  }
  if (seen.has(option.id)) report('id', `the limit id "${option.id}" is used twice`, 'give each limit its own id')
  for (const [position, name] of option.by.entries()) {
    if (dimensions.includes(name)) continue
    problems.push({
      path: [...at, 'by', position],
      message: `limits cannot be counted by "${name}"`,
      hint: `one of ${dimensions.join(', ')}`,
      severity: 'error',
    })
  }
  if (option.timezone !== undefined && !isTimeZone(option.timezone))
    report('timezone', `there is no time zone "${option.timezone}"`, 'write e.g. Europe/Berlin')
  const counts = units.some((unit) => option[unit] !== undefined)
  if (!counts && option.concurrency === undefined) {
    problems.push({
      path: at,
      message: `the limit "${option.id}" limits nothing`,
      hint: 'add requests (600/m), tokens (100k/m), cost (50/d) or concurrency (8)',
      severity: 'error',
    })
  }
  const reserves = (['tokens', 'outputTokens', 'cost'] as const).some((unit) => option[unit] !== undefined)
  if (option.maxTokens !== undefined && !reserves)
    report('maxTokens', 'maxTokens bounds what is reserved, and this limit reserves no output', 'add tokens or cost')
  return [...problems, ...withoutEffect(option, at, counts)]
}

/** What the schema fills in says nothing. */
function withoutEffect(option: LimitOptions, at: Path, counts: boolean): Problem[] {
  const warning = (key: string, message: string): Problem => ({ path: [...at, key], message, severity: 'warning' })
  const problems: Problem[] = []
  if ((option.onStoreError ?? 'local') !== 'local' && !counts) {
    const why = 'concurrency is counted in this process and never asks the store, so onStoreError has no effect here'
    problems.push(warning('onStoreError', why))
  }
  if ((option.onUnknownPrice ?? 'deny') !== 'deny' && option.cost === undefined)
    problems.push(warning('onUnknownPrice', 'only cost asks for prices, so onUnknownPrice has no effect here'))
  return problems
}

/** Above this, sums are no longer exact in every store. */
const quotaMax = Number.MAX_SAFE_INTEGER / 2

function compileQuotas(option: LimitOptions, at: Path): { quotas: Quota[]; problems: Problem[] } {
  const quotas: Quota[] = []
  const problems: Problem[] = []
  const by = dimensions.filter((name) => option.by.includes(name))
  for (const unit of units) {
    const rate = option[unit]
    if (rate === undefined) continue
    const report = (message: string, hint: string): void => {
      problems.push({ path: [...at, unit], message, hint, severity: 'error' })
    }
    const zone = option.timezone === undefined || isTimeZone(option.timezone) ? (option.timezone ?? 'UTC') : 'UTC'
    const compiled = windowOf(rate, {
      zone,
      ...(option.window === undefined ? {} : { window: option.window }),
      ...(option.burst === undefined ? {} : { burst: option.burst }),
    })
    if ('error' in compiled) {
      report(compiled.error, compiled.hint)
      continue
    }
    const window = unit === 'cost' ? scaled(compiled.window) : compiled.window
    const quota = unit === 'cost' ? Math.round(compiled.quota * nanosPerDollar) : compiled.quota
    if (quota > quotaMax) report(`"${rate}" is more than can be counted`, 'leave the limit out')
    else if (!Number.isInteger(quota))
      report(`"${rate}" is not a whole number of ${unit}`, 'widen the window: 1/2h, not 0.5/h')
    else problems.push(...withoutRoom(option, unit, quota, [...at, unit]))
    const counted = unit === 'requests' ? '' : `${unit}:`
    quotas.push({
      unit,
      quota,
      window,
      namespace: `${option.id}/${counted}${quota}/${windowName(window)}/${by.join('+')}`,
    })
  }
  return { quotas, problems }
}

/** Whoever names no maximum would be told that the quota is used up, and nobody why. */
function withoutRoom({ assumedTokens, maxTokens }: LimitOptions, unit: Unit, quota: number, path: Path): Problem[] {
  const reserved = Math.min(assumedTokens ?? assumedTokensDefault, maxTokens ?? Infinity)
  if ((unit !== 'tokens' && unit !== 'outputTokens') || quota >= reserved) return []
  const message = `requests that name no maximum reserve ${reserved} output tokens, and ${quota} never hold them`
  return [{ path, message, hint: 'set assumedTokens, or maxTokens, to less', severity: 'warning' }]
}

/** A bucket of money empties in billionths of a dollar, too. */
function scaled(window: Window): Window {
  return window.kind === 'bucket' ? { ...window, perMs: window.perMs * nanosPerDollar } : window
}

const bodyUnits: ReadonlySet<Unit> = new Set(['toolCalls', 'tokens', 'inputTokens', 'outputTokens', 'cost'])

function build(option: LimitOptions, quotas: readonly Quota[], filters: Filters, prices: Prices): Limit {
  const by = dimensions.filter((name) => option.by.includes(name))
  const { models, tools, actions } = filters
  const asksBody =
    by.includes('model') ||
    by.includes('tool') ||
    models !== undefined ||
    tools !== undefined ||
    actions !== undefined ||
    quotas.some(({ unit }) => bodyUnits.has(unit))
  return {
    id: option.id,
    by,
    phase: asksBody ? 'body' : 'head',
    quotas,
    onStoreError: option.onStoreError ?? 'local',
    shadow: option.mode === 'shadow',
    filters,
    assumedTokens: option.assumedTokens ?? assumedTokensDefault,
    boundsAssumed: option.onNoMaximum === 'bound',
    onUnknownPrice: option.onUnknownPrice ?? 'deny',
    prices,
    slots: `${option.id}/${by.join('+')}`,
    ...(option.maxTokens === undefined ? {} : { maxTokens: option.maxTokens }),
    ...(option.concurrency === undefined ? {} : { concurrency: option.concurrency }),
  }
}
