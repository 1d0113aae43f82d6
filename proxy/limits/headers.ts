// Owns the header fields that tell a client about limits. It does not know when they are sent.
import type { LimitState } from './limiter.ts'

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11 as a flat list name, value, …; empty
 * without states. Seconds are rounded up, so that a client that waits for them does not come too early.
 */
export function rateLimitHeaders(states: readonly LimitState[]): string[] {
  if (states.length === 0) return []
  let policies = ''
  let limits = ''
  for (const state of states) {
    const { name, policy } = policyOf(state)
    const separator = limits === '' ? '' : ', '
    policies += separator + policy
    limits += `${separator}${name};r=${integer(state.remaining)};t=${seconds(state.resetMs)}`
  }
  return ['RateLimit-Policy', policies, 'RateLimit', limits]
}

type Policy = { readonly quota: number; readonly windowMs: number; readonly name: string; readonly policy: string }

/** What is said of a limit in every answer is the same. By limit and unit. */
const policies = new Map<string, Policy>()
/** More than a configuration has; of reloads only the newest are of use. */
const policiesMax = 1_000

function policyOf(state: LimitState): Policy {
  const { limit, unit, quota, windowMs } = state
  // A limit may have several quotas, and each must have a name of its own. No id has a colon.
  const key = unit === undefined ? limit : `${limit}:${unit}`
  const known = policies.get(key)
  if (known?.quota === quota && known.windowMs === windowMs) return known
  const name = quoted(key)
  const made = {
    quota,
    windowMs,
    name,
    policy: `${name};q=${integer(quota)}${quotaUnit(state)};w=${seconds(windowMs)}`,
  }
  if (policies.size >= policiesMax) policies.clear()
  policies.set(key, made)
  return made
}

/** Requests are meant where there is none. */
function quotaUnit({ unit }: LimitState): string {
  switch (unit) {
    case undefined:
      return ''
    case 'bytes':
      return ';qu="content-bytes"'
    case 'cost':
      return ';qu="nanodollars"'
    case 'toolCalls':
      return ';qu="tool-calls"'
    default:
      return ';qu="tokens"'
  }
}

const waitMsMax = 60_000

/**
 * `Retry-After` in whole seconds and `retry-after-ms` as a flat list: official SDKs wait as long as they are told, so
 * they are never told more than a minute.
 */
export function retryAfterHeaders(waitMs: number): string[] {
  const ms = Math.min(Math.max(Math.ceil(waitMs), 1), waitMsMax)
  return ['Retry-After', String(Math.ceil(ms / 1000)), 'retry-after-ms', String(ms)]
}

const plain = /^[A-Za-z0-9._-]*$/

/** RFC 9651 §3.3.3: printable ASCII in quotes, with `"` and `\` escaped. */
function quoted(text: string): string {
  if (plain.test(text)) return `"${text}"`
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')}"`
}

/** RFC 9651 §3.3.1: at most 15 digits. */
function integer(value: number): number {
  return Math.min(Math.max(Math.trunc(value), 0), 999_999_999_999_999)
}

function seconds(ms: number): number {
  return integer(Math.ceil(ms / 1000))
}
