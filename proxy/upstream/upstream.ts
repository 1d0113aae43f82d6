// Owns what an upstream is to those who ask it, whoever stands behind it.
import type { Clock } from '../lib/clock.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import type { Cancellation, UpgradeRequest, UpstreamAnswer, UpstreamEvent, UpstreamRequest } from './answer.ts'
import type { BreakerState } from './breaker.ts'
import type { BreakerMode, BreakerPart } from './breakers.ts'
import type { Lookup } from './egress.ts'

export interface Upstream {
  readonly id: string
  /** The url's own path without a trailing slash, to be put before the path of each request. */
  readonly basePath: string
  /**
   * Resolves with the head of an answer, whatever its status. Throws a Fault: `breaker-open`, `rate-limited` (the
   * upstream asked for a pause), `upstream-*`, `overloaded` (all connections taken), `shutting-down`, the signal's reason
   * if that is a Fault and else `client-aborted`, or whatever Fault the request's body threw.
   */
  send(request: UpstreamRequest, signal: Cancellation): Promise<UpstreamAnswer>
  /**
   * The same for an upgrade to a WebSocket, in one attempt. An upstream that does not switch is a Fault `upstream-invalid`,
   * whatever it answers.
   */
  open(request: UpgradeRequest, signal: Cancellation): Promise<UpstreamAnswer>
  /** Of the worst of its breakers. */
  state(): BreakerState
  /** Each of its breakers. */
  parts(): readonly BreakerPart[]
  /** Of the breakers. */
  mode(): BreakerMode
  /** An operator's hand on the breakers; `auto` lets go. */
  override(to: BreakerMode): void
  /**
   * How long a request of this group had better be sent elsewhere: by a breaker, a rest that was asked for or credentials that
   * were all refused. Mostly zero. Where there is nowhere else the last of these does not keep it from being sent.
   */
  refusedMs(group: string): number
  /**
   * How long its breakers alone hold requests of this group, by their own counting; undefined where they do not, or where
   * more than that is in the way (a rest that was asked for, an operator's hand).
   */
  heldMs(group: string): number | undefined
  /** How many may be under way at the same time now; undefined where nobody waits. */
  limit(): number | undefined
  /** Lets what is in flight finish; new requests are refused with `shutting-down`. May be called again. */
  close(): Promise<void>
}

export type UpstreamDeps = {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly resolve: ResolveSecret
  readonly onEvent: (event: UpstreamEvent) => void
  /** Name resolution; absent, the system's. */
  readonly lookup?: Lookup
}
