// Owns how a client is told of limits: the IETF's fields, and those of the dialect that its SDK reads. Where the upstream
// says the same of its own limits, the tighter of both is what counts for the client.
import { rateLimitHeaders } from '../limits/headers.ts'
import type { LimitState } from '../limits/limiter.ts'
import type { Unit } from '../limits/options.ts'
import type { Protocol } from '../protocol/protocol.ts'

/** Names of the header fields for one unit. */
type Told = { readonly limit: string; readonly remaining: string; readonly reset: string }
type Dialect = {
  readonly units: readonly (readonly [Unit, Told])[]
  reset(state: LimitState, nowMs: number): string
}

const dialects: Partial<Record<Protocol['name'], Dialect>> = {
  openai: {
    units: [
      ['requests', told((what) => `x-ratelimit-${what}-requests`)],
      ['tokens', told((what) => `x-ratelimit-${what}-tokens`)],
    ],
    reset: ({ resetMs }) => duration(resetMs),
  },
  anthropic: {
    units: [
      ['requests', told((what) => `anthropic-ratelimit-requests-${what}`)],
      ['tokens', told((what) => `anthropic-ratelimit-tokens-${what}`)],
      ['inputTokens', told((what) => `anthropic-ratelimit-input-tokens-${what}`)],
      ['outputTokens', told((what) => `anthropic-ratelimit-output-tokens-${what}`)],
    ],
    // To the second, and late rather than early.
    reset: ({ resetMs }, nowMs) =>
      new Date(Math.ceil((nowMs + resetMs) / 1000) * 1000).toISOString().replace('.000', ''),
  },
}

function told(name: (what: string) => string): Told {
  return { limit: name('limit'), remaining: name('remaining'), reset: name('reset') }
}

/** `headers`, a flat list, with what the limits say; names of the upstream's own are in lower case. */
export function withLimits(
  headers: string[],
  states: readonly LimitState[],
  protocol: Protocol['name'],
  nowMs: number,
): string[] {
  if (states.length === 0) return headers
  const dialect = dialects[protocol]
  let kept = headers
  const own = rateLimitHeaders(states)
  for (const [unit, { limit, remaining, reset }] of dialect?.units ?? []) {
    const tightest = tightestOf(states, unit)
    if (dialect === undefined || tightest === undefined) continue
    const ofUpstream = remainingIn(headers, remaining)
    if (ofUpstream !== undefined && ofUpstream <= tightest.remaining) continue
    kept = without(kept, limit, remaining, reset)
    own.push(limit, String(tightest.quota), remaining, String(tightest.remaining))
    own.push(reset, dialect.reset(tightest, nowMs))
  }
  return [...kept, ...own]
}

function tightestOf(states: readonly LimitState[], unit: Unit): LimitState | undefined {
  let tightest: LimitState | undefined
  for (const state of states)
    if ((state.unit ?? 'requests') === unit && (tightest === undefined || state.remaining < tightest.remaining))
      tightest = state
  return tightest
}

/** Undefined where the upstream says nothing that can be read. */
function remainingIn(headers: readonly string[], name: string): number | undefined {
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (headers[at] === name && /^[0-9]{1,15}$/.test(headers[at + 1] as string)) return Number(headers[at + 1])
  return undefined
}

function without(headers: string[], ...names: string[]): string[] {
  const isOne = (at: number): boolean => names.includes(headers[at - (at % 2)] as string)
  return headers.some((_, at) => isOne(at)) ? headers.filter((_, at) => !isOne(at)) : headers
}

/** `1h2m3s`, as OpenAI writes it; below a second `450ms`. */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.ceil(ms)}ms`
  const seconds = Math.ceil(ms / 1000)
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  const rest = `${seconds % 60}s`
  return hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest
}
