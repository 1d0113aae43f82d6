// Owns the meaning of an upstream's options: defaults, units, and what is wrong with them. It does not read secrets or
// resolve names: that happens when the upstream is opened.
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { parseDuration } from '../lib/units.ts'
import type { BreakersSettings } from './breakers.ts'
import { compileEgress, type Egress } from './egress.ts'
import type { ConcurrencyOptions, CredentialOptions, RetryOptions, TimeoutOptions, UpstreamOptions } from './options.ts'

export type Timeouts = {
  readonly connectMs: number
  readonly firstByteMs: number
  readonly idleMs: number
  readonly totalMs: number
}

export type RetrySettings = {
  readonly attempts: number
  readonly budget: number
  readonly unsafe: boolean
  /**
   * Model calls may be repeated once after an answer that says "failed"; a tool call that was written may have had its
   * effect, whatever the answer says.
   */
  readonly repeatAnswered: boolean
}

export type ConcurrencySettings = {
  readonly max: number
  readonly adaptive: boolean
  readonly queue: number
  readonly queueTimeoutMs: number
}

export type UpstreamSettings = {
  readonly origin: string
  /** The url's own path without a trailing slash; empty for the root. */
  readonly basePath: string
  /** In order of use; empty where the upstream asks for none. */
  readonly credentials: readonly NamedCredential[]
  /** Tools may keep sessions in cookies; models and MCP have others. */
  readonly cookies: boolean
  readonly timeouts: Timeouts
  readonly breaker: BreakersSettings
  readonly retry: RetrySettings
  readonly egress: Egress
  readonly connections: number
  /** Undefined: nothing waits but for connections. */
  readonly concurrency: ConcurrencySettings | undefined
  /** How long a request that may be made twice waits before it is; undefined: it is not. */
  readonly hedgeAfterMs: number | undefined
}

/** `name` is its id, or its place in the list, counted from 1. */
export type NamedCredential = { readonly name: string; readonly options: CredentialOptions }

export type Compiled = { readonly problems: readonly Problem[]; readonly settings: UpstreamSettings | undefined }

/** `settings` is present exactly when no problem is an error. */
export function compileUpstream(options: UpstreamOptions, path: Path): Compiled {
  const problems: Problem[] = []
  const report = (at: Path, message: string, hint?: string): void => {
    problems.push({ path: [...path, ...at], message, severity: 'error', ...(hint === undefined ? {} : { hint }) })
  }
  if (options.pinTools !== undefined && options.pinTools !== false && options.protocol !== 'mcp')
    report(['pinTools'], 'only the tools of an mcp upstream can be pinned')
  if (options.ifEnv !== undefined && options.ifEnv === options.unlessEnv) {
    report(['unlessEnv'], 'ifEnv and unlessEnv name the same variable, so this upstream can never exist')
  }
  const credentials = readCredentials(options, report)
  const url = readUrl(options.url, report)
  const timeouts = readTimeouts(options.timeouts, report)
  const breaker = readBreaker(options, report)
  const connections = options.connections ?? 256
  const concurrency = readConcurrency(options.concurrency, connections, report)
  const egress = url === undefined ? undefined : compileEgress(url.hostname, options.egress, report)
  if (problems.length > 0 || url === undefined || egress === undefined) return { problems, settings: undefined }
  return {
    problems,
    settings: {
      origin: url.origin,
      basePath: url.pathname.replace(/\/+$/, ''),
      credentials,
      cookies: options.protocol === 'http',
      timeouts,
      breaker,
      retry: readRetry(options),
      egress,
      connections,
      concurrency,
      hedgeAfterMs:
        options.hedge === undefined ? undefined : readDuration(options.hedge.after, 0, ['hedge', 'after'], report),
    },
  }
}

/** Calls back with where, what, and what to do about it. */
export type Report = (at: Path, message: string, hint?: string) => void

function isFraming(name: string): boolean {
  return /^(host|connection|content-length|content-type|transfer-encoding|te|trailer|upgrade|expect|keep-alive)$/i.test(
    name,
  )
}

function readUrl(text: string, report: Report): URL | undefined {
  const url = URL.parse(text)
  if (url === null) {
    report(['url'], 'this is not a URL', 'write it in full, e.g. https://api.example.com')
    return undefined
  }
  const wrong =
    url.protocol !== 'http:' && url.protocol !== 'https:'
      ? 'only http and https URLs can be upstreams'
      : url.username !== '' || url.password !== ''
        ? 'a URL must not carry credentials; use credential'
        : text.includes('#')
          ? 'a URL of an upstream has no fragment'
          : text.includes('?')
            ? 'a URL of an upstream has no query'
            : undefined
  if (wrong === undefined) return url
  report(['url'], wrong)
  return undefined
}

function readCredentials({ credential, credentials = [] }: UpstreamOptions, report: Report): NamedCredential[] {
  if (credential !== undefined && credentials.length > 0)
    report(['credentials'], 'credential and credentials exclude each other', 'put all of them under credentials')
  const check = (one: CredentialOptions, at: Path): void => {
    if ('header' in one && isFraming(one.header))
      report([...at, 'header'], `a credential cannot travel in ${one.header}`)
  }
  if (credential !== undefined) check(credential, ['credential'])
  const names = new Set<string>()
  for (const [index, one] of credentials.entries()) {
    check(one, ['credentials', index])
    if (one.id === undefined) continue
    if (names.has(one.id)) report(['credentials', index, 'id'], `two credentials are called "${one.id}"`)
    names.add(one.id)
  }
  if (credential !== undefined) return [{ name: '1', options: credential }]
  return credentials.map((one, index) => ({ name: one.id ?? String(index + 1), options: one }))
}

function readTimeouts(options: TimeoutOptions = {}, report: Report): Timeouts {
  const read = (name: keyof TimeoutOptions, defaultMs: number): number =>
    readDuration(options[name], defaultMs, ['timeouts', name], report)
  return {
    connectMs: read('connect', 3000),
    firstByteMs: read('firstByte', 120_000),
    idleMs: read('idle', 60_000),
    totalMs: read('total', 15 * 60_000),
  }
}

function readBreaker({ breaker: options = {}, models = {} }: UpstreamOptions, report: Report): BreakersSettings {
  const read = (name: 'window' | 'open' | 'openMax', defaultMs: number): number =>
    readDuration(options[name], defaultMs, ['breaker', name], report)
  const openMs = read('open', 5000)
  const openMaxMs = read('openMax', Math.max(60_000, openMs))
  if (openMaxMs < openMs) report(['breaker', 'openMax'], 'openMax is shorter than open')
  return {
    mode: options.mode ?? 'auto',
    groups: [...new Set(Object.values(models))],
    consecutive: options.consecutive ?? 5,
    ratio: options.ratio ?? 0.5,
    minimum: options.minimum ?? 20,
    windowMs: read('window', 10_000),
    openMs,
    openMaxMs,
  }
}

function readConcurrency(
  options: ConcurrencyOptions | undefined,
  connections: number,
  report: Report,
): ConcurrencySettings | undefined {
  if (options === undefined) return undefined
  const { max = connections, adaptive = false, queue = 100, queueTimeout } = options
  if (max > connections)
    report(['concurrency', 'max'], `max is more than the ${connections} connections`, 'raise connections, too')
  const queueTimeoutMs = readDuration(queueTimeout, 1000, ['concurrency', 'queueTimeout'], report)
  return { max, adaptive, queue, queueTimeoutMs }
}

function readRetry(options: UpstreamOptions): RetrySettings {
  const retry: RetryOptions = options.retry ?? {}
  return {
    attempts: retry.attempts ?? 2,
    budget: retry.budget ?? 0.2,
    unsafe: retry.unsafe ?? false,
    repeatAnswered: options.protocol !== 'http' && options.protocol !== 'mcp',
  }
}

// Node's timers hold at most 2^31-1 ms; a longer one would fire at once.
const timerMaxMs = 2 ** 31 - 1

function readDuration(text: string | undefined, defaultMs: number, at: Path, report: Report): number {
  if (text === undefined) return defaultMs
  const ms = parseDuration(text)
  if (ms === undefined) report(at, `"${text}" is not a duration`, 'write it like 250ms, 30s or 15m')
  else if (ms < 1 || ms > timerMaxMs) report(at, 'this duration must be between 1ms and 24d')
  else return ms
  return defaultMs
}
