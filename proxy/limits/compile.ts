// Owns the step from options to plans for limits and their store. It knows nothing of counting.
import { didYouMean } from '../lib/nearest.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import type { SecretRef } from '../lib/secret.ts'
import { parseDuration, parseRate, type Rate } from '../lib/units.ts'
import { dimensions, type Dimension, type LimitOptions, type OnStoreError, type StoreOptions } from './options.ts'

export type Limit = {
  readonly id: string
  /** In the order of `dimensions`, so that the order in the document does not matter. */
  readonly by: readonly Dimension[]
  /** `body`: counted by model, so only after the body was read. */
  readonly phase: 'head' | 'body'
  readonly rate?: Rate
  readonly concurrency?: number
  readonly onStoreError: OnStoreError
  readonly principals?: ReadonlySet<string>
  readonly routes?: ReadonlySet<string>
  readonly upstreams?: ReadonlySet<string>
  /** Same limit, same rate, same dimensions: only then do counts survive a reload. */
  readonly namespace: string
  /** The same without the rate: who is in flight stays so when the rate changes. */
  readonly slots: string
}

export type LimitPlan = readonly Limit[]

export type StorePlan = {
  readonly redis?: {
    readonly url: string
    readonly username?: string
    readonly password?: SecretRef
    readonly timeoutMs: number
    readonly prefix: string
  }
}

/** Ids that filters may name. Absent: not checked. */
export type LimitReferences = {
  readonly principals?: ReadonlySet<string>
  readonly routes?: ReadonlySet<string>
  readonly upstreams?: ReadonlySet<string>
}

/** Problems stand at `path`; limits with errors are left out of the plan. */
export function compileLimits(
  options: readonly LimitOptions[],
  path: Path,
  references: LimitReferences = {},
): { readonly plan: LimitPlan; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const plan: Limit[] = []
  const seen = new Set<string>()
  for (const [index, option] of options.entries()) {
    const at = [...path, index]
    const found = [...check(option, at, seen), ...checkReferences(option, at, references)]
    seen.add(option.id)
    problems.push(...found)
    if (!found.some((problem) => problem.severity === 'error')) plan.push(build(option))
  }
  return { plan, problems }
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
  for (const key of ['tokens', 'cost'] as const) {
    if (option[key] !== undefined) {
      report(key, `"${key}" is not served by this version`, 'limit requests or concurrency, or leave the limit out')
    }
  }
  if (option.requests !== undefined) {
    const rate = parseRate(option.requests)
    if (rate === undefined) report('requests', `"${option.requests}" is not a rate`, 'write e.g. 600/m or 20/10s')
    else if (!Number.isSafeInteger(rate.amount)) {
      report('requests', `"${option.requests}" is not a whole number of requests`, 'widen the window: 1/2h, not 0.5/h')
    }
  }
  if (['requests', 'concurrency', 'tokens', 'cost'].every((key) => option[key as keyof LimitOptions] === undefined)) {
    problems.push({
      path: at,
      message: `the limit "${option.id}" limits nothing`,
      hint: 'add requests (600/m) or concurrency (8)',
      severity: 'error',
    })
  }
  // `local` is also what the schema fills in, and what happens anyway.
  if ((option.onStoreError ?? 'local') !== 'local' && option.requests === undefined) {
    problems.push({
      path: [...at, 'onStoreError'],
      message: 'concurrency is counted in this process and never asks the store, so onStoreError has no effect here',
      severity: 'warning',
    })
  }
  return problems
}

function checkReferences(option: LimitOptions, at: Path, references: LimitReferences): Problem[] {
  const problems: Problem[] = []
  for (const key of ['principals', 'routes', 'upstreams'] as const) {
    const known = references[key]
    if (known === undefined) continue
    for (const [position, id] of (option[key] ?? []).entries()) {
      if (known.has(id)) continue
      problems.push({
        path: [...at, key, position],
        message: `there is no ${key.slice(0, -1)} "${id}"`,
        ...didYouMean(id, known),
        severity: 'error',
      })
    }
  }
  return problems
}

function build(option: LimitOptions): Limit {
  const by = dimensions.filter((name) => option.by.includes(name))
  const rate = option.requests === undefined ? undefined : parseRate(option.requests)
  return {
    id: option.id,
    by,
    phase: by.includes('model') ? 'body' : 'head',
    onStoreError: option.onStoreError ?? 'local',
    slots: `${option.id}/${by.join('+')}`,
    namespace: `${option.id}/${rate === undefined ? '-' : `${rate.amount}/${rate.windowMs}`}/${by.join('+')}`,
    ...(rate === undefined ? {} : { rate }),
    ...(option.concurrency === undefined ? {} : { concurrency: option.concurrency }),
    ...(option.principals === undefined ? {} : { principals: new Set(option.principals) }),
    ...(option.routes === undefined ? {} : { routes: new Set(option.routes) }),
    ...(option.upstreams === undefined ? {} : { upstreams: new Set(option.upstreams) }),
  }
}

const timeoutMsDefault = 50
const timeoutMsMax = 1000

export function compileStore(
  options: StoreOptions | undefined,
  path: Path,
): { readonly plan: StorePlan; readonly problems: readonly Problem[] } {
  const redis = options?.redis
  if (redis === undefined) return { plan: {}, problems: [] }
  const problems: Problem[] = []
  const report = (key: string, message: string, hint: string): void => {
    problems.push({ path: [...path, 'redis', key], message, hint, severity: 'error' })
  }
  // The url itself stays out of messages: it may carry a password.
  const url = URL.parse(redis.url)
  if (url === null || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '') {
    report('url', 'this is not a Redis url', 'write redis://host:6379 or rediss://host:6379')
  } else if (!/^\/?[0-9]{0,4}$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    report('url', 'only a database number may follow the host of a Redis url', 'write e.g. redis://host:6379/0')
  }
  const timeoutMs = redis.timeout === undefined ? timeoutMsDefault : parseDuration(redis.timeout)
  if (timeoutMs === undefined || timeoutMs === 0 || timeoutMs > timeoutMsMax) {
    report('timeout', 'the timeout for Redis must lie between 1ms and 1s', 'requests wait for it: leave it at 50ms')
  }
  const plan = {
    redis: {
      url: redis.url,
      timeoutMs: timeoutMs ?? timeoutMsDefault,
      prefix: redis.prefix ?? 'gatewright:',
      ...(redis.username === undefined ? {} : { username: redis.username }),
      ...(redis.password === undefined ? {} : { password: redis.password }),
    },
  }
  return { plan, problems }
}
