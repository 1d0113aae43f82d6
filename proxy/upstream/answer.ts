// Owns the shapes of what is sent to an upstream and what comes back.
import type { FaultCode } from '../errors.ts'

export type UpstreamRequest = {
  readonly method: string
  /** Path and query to send, beginning with `/`; the url's own path is already part of it. */
  readonly path: string
  /** Flat list name, value, name, value … in wire order, hop-by-hop and credentials already removed. */
  readonly headers: readonly string[]
  /** Bytes can be replayed; a stream cannot, so it is never retried once it was touched. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly idempotent: boolean
  /** Model or similar, so that a cooldown hits only what was limited. */
  readonly group?: string
}

/** What one attempt came to, for the record and the metrics. Times in milliseconds. */
export type Attempt = {
  readonly outcome: 'answered' | FaultCode
  readonly status?: number
  readonly connectMs?: number
  readonly firstByteMs?: number
  readonly waitedMs: number
}

export type UpstreamAnswer = {
  readonly status: number
  /** Flat list in wire order, hop-by-hop headers removed. */
  readonly headers: readonly string[]
  /** Pull to read: nothing is buffered beyond a high-water mark. Throws Fault `upstream-truncated` / `upstream-timeout` when cut off. */
  readonly body: AsyncIterable<Uint8Array>
  /** Called once, when the exchange knows how the answer ended; it feeds the breaker. */
  settle(outcome: StreamOutcome): void
  readonly attempts: readonly Attempt[]
}

/**
 * `complete`: ended cleanly. `broken`: the upstream's fault after the head (truncated, stalled, in-band error, missing
 * terminal event). `neutral`: the client went away or we stopped it.
 */
export type StreamOutcome = 'complete' | 'broken' | 'neutral'
