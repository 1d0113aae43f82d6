// Owns which of an answer's headers pass, and what becomes of those that do: redacted where a rule looks into headers,
// without what is said of the upstream's own origin, and with no longer a wait than anybody may be told.
import { bodyDigests } from '../lib/headers.ts'
import { parseRetryAfter } from '../upstream/retry-after.ts'
import type { Answered } from './exchange.ts'
import { AnswerRedaction } from './filters/answer-redaction.ts'
import type { Runtime } from './runtime.ts'
import { sealId, sessionHeader } from './session.ts'

/**
 * Flat list, of an answer as of a handshake. `reframed`: the bytes are not the upstream's own any more, so its length,
 * encoding and digests do not hold. Fault `content-blocked`.
 */
export function passedHeaders(x: Answered, runtime: Runtime, framing: 'as-is' | 'reframed'): string[] {
  const { headers } = x.answer
  const kept: string[] = []
  const redaction = x.route.answer.headers === undefined ? undefined : new AnswerRedaction(x, runtime)
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    if (name.startsWith('x-gatewright-') || ofItsOrigin.has(name)) continue
    if (framing === 'reframed' && reframedNames.has(name)) continue
    // A challenge to our credential: it would send the agent to log in wherever the server says.
    if (name === 'www-authenticate' && x.operation.action === 'asked') continue
    if (name === 'location' && repeatsElsewhere(x)) continue
    const value = headers[i + 1] as string
    const sent = headerSent(x, runtime, name, redaction?.header(name, value) ?? value)
    if (sent !== undefined) kept.push(name, sent)
  }
  return kept
}

/** What an upstream says of its own origin, which is not this one: another way to it, a reload, never without TLS. */
const ofItsOrigin = new Set(['alt-svc', 'refresh', 'strict-transport-security'])

/** SDKs go on there by themselves, past this proxy, with all that they have said here, as it was before redaction. */
function repeatsElsewhere({ answer: { status }, head: { method }, operation, route }: Answered): boolean {
  if (status < 300 || status > 399) return false
  if (route.protocol.name !== 'http' && operation.opaque !== true) return true
  return (status === 307 || status === 308) && method !== 'GET' && method !== 'HEAD'
}

function headerSent(x: Answered, runtime: Runtime, name: string, value: string): string | undefined {
  const unitMs = waits.get(name)
  if (unitMs !== undefined) return cappedWait(value.trim(), unitMs, runtime.clock.now())
  return name === sessionHeader && x.operation.action === 'asked' ? sealId(x, 'session', value, runtime) : value
}

/** What SDKs take for the time to wait, and what a number in it counts; the last is Azure's. */
const waits: ReadonlyMap<string, number> = new Map([
  ['retry-after', 1000],
  ['retry-after-ms', 1],
  ['x-ms-retry-after-ms', 1],
])

/**
 * SDKs wait as long as they are told, so an upstream may not tell them more than a minute either. Some read a number
 * whatever stands behind it, some its exponent, some a date of any form, by a clock of their own: only digits say the same
 * to all of them. Undefined: what is neither a number nor a date (RFC 9110 §10.2.3) is no advice, here or there.
 */
function cappedWait(value: string, unitMs: number, nowMs: number): string | undefined {
  const waitMs = /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) * unitMs : parseRetryAfter(value, nowMs)
  return waitMs === undefined ? undefined : String(Math.ceil(Math.min(Math.max(waitMs, 0), waitMsMax) / unitMs))
}

const waitMsMax = 60_000

const reframedNames = new Set(['content-length', 'content-encoding', ...bodyDigests, 'etag', 'accept-ranges'])
