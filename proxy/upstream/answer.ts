// Owns the shapes of what is sent to an upstream and what comes back.
import type { Gatherable } from '../lib/gather.ts'
import type { Fault, FaultCode } from '../errors.ts'
import type { Peer } from '../lib/peer.ts'
import type { Priority } from '../lib/priority.ts'
import type { BreakerPart } from './breakers.ts'

export type AbortListener = (() => void) | { handleEvent(): void }

/** What ends an exchange from outside. An AbortSignal is one; a reason that is a Fault is passed on. */
export interface Cancellation {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: AbortListener): void
  removeEventListener(type: 'abort', listener: AbortListener): void
}

export type UpstreamRequest = {
  readonly method: string
  /** Path and query to send, beginning with `/`; the url's own path is already part of it. */
  readonly path: string
  /** Flat list name, value, name, value … in wire order, hop-by-hop and credentials already removed. */
  readonly headers: readonly string[]
  /** Bytes can be replayed; a stream cannot, so it is never retried once it was touched. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly idempotent: boolean
  /** Model or similar, so that a cooldown or a breaker hits only what was limited or fails. */
  readonly group?: string | undefined
  /** Who goes first where requests must wait; normal where absent. */
  readonly priority?: Priority | undefined
  /** The caller's own deadline for the head of the answer, monotonic milliseconds. */
  readonly headAtMs?: number | undefined
  /** It asks for a stream that stays open. */
  readonly standing?: boolean
  /** Its answer is a stream, so what need not be kept until that is over should not be. */
  readonly lasting?: boolean
  /** A second attempt may be made beside one that takes long, where the upstream's options say so. */
  readonly hedgeable?: boolean
  /** Where it is there, a breaker that is open by its own counting refuses nothing, and this is told that it was. */
  readonly onPanic?: (() => void) | undefined
  /**
   * How a stream begins, given the bytes that have come of it; undefined while that cannot be told. With it, the answer
   * is held back for a moment, so that a stream that begins with an error is a failed attempt.
   */
  readonly readOpening?: ((bytes: Uint8Array) => Opening | undefined) | undefined
  /** Called for each attempt as it comes out, also when `send` throws in the end. */
  readonly onAttempt?: (attempt: Attempt) => void
}

/**
 * `limited`: who asks was limited. `exhausted`: what may be used or spent is used up. `failed`: it could not. `wrong`: what
 * was asked is. `refused`: it will not, and does not say why.
 */
export type FailedOpening = 'limited' | 'exhausted' | 'failed' | 'wrong' | 'refused'
export type Opening = 'content' | FailedOpening

/** An upgrade to a WebSocket: what it must not be told of the client's own handshake is left out already. */
export type UpgradeRequest = Pick<
  UpstreamRequest,
  'path' | 'headers' | 'group' | 'priority' | 'onPanic' | 'onAttempt'
> &
  (
    | { readonly carries: 'messages'; readonly messageBytesMax: number; readonly subprotocols: readonly string[] }
    /** `key` is the client's, whose handshake it is from end to end. */
    | { readonly carries: 'bytes'; readonly key: string }
  )

/**
 * What one attempt came to, for the record and the metrics. Times in milliseconds: `waitedMs` is the backoff before it,
 * `connectMs` until it had a connection (a pooled one takes next to nothing), `firstByteMs` until the answer's head.
 */
export type Attempt = {
  /** `error-event`: the answer's stream began with an error, or ended with nothing in it. `superseded`: another attempt beside it was quicker. `replayed`: none was made. */
  readonly outcome: 'answered' | 'error-event' | 'superseded' | 'replayed' | FaultCode
  readonly status?: number
  /** It said that what may be used or spent is used up. */
  readonly quota?: true
  /** Which of several credentials it was made with. */
  readonly credential?: string
  readonly connectMs?: number
  readonly firstByteMs?: number
  readonly waitedMs: number
}

/** Keeps the upstream's credential out of a body, whatever pieces it comes in. */
export type Scrub = (body: AsyncIterableIterator<Uint8Array, undefined>) => Gatherable

export type UpstreamAnswer = {
  /** 101 only where an upgrade was asked for, and then with a `peer`. */
  readonly status: number
  /** Flat list, names in lower case, repeated names in wire order; hop-by-hop headers and `content-length` removed. */
  readonly headers: readonly string[]
  /** As the upstream declared it; for HEAD and 304 it is the length of what is not sent. */
  readonly contentLength: number | undefined
  /** Neither a length nor chunks say where it ends: it ends with its connection, and may have been cut off anywhere. */
  readonly closeDelimited?: boolean
  /** Pull to read: nothing is buffered beyond a high-water mark. Throws Fault `upstream-truncated` / `upstream-timeout` when cut off. */
  readonly body: Gatherable
  /** In `body` the credential was looked for as it came: whoever decodes it looks again. Absent where there is none. */
  readonly scrub?: Scrub | undefined
  readonly peer?: UpstreamPeer
  /**
   * Called once, when the exchange knows how the answer ended; it feeds the breaker, and without it a success is not
   * counted. What the answer still holds is given up, unless it is `complete`.
   */
  settle(outcome: StreamOutcome): void
  readonly attempts: readonly Attempt[]
  /** It says that nothing was done, so another upstream may be asked instead. */
  readonly elsewhere?: boolean
  /** It was kept from an earlier request: the upstream was not asked. */
  readonly replayed?: boolean
}

export type UpstreamPeer = Peer & {
  /** Why we ended it; absent while it lives, and where it ended by itself. */
  readonly fault: Fault | undefined
  /** A sign of life from the client's side. */
  touch(): void
}

/**
 * `complete`: ended cleanly. `broken`: the upstream's fault after the head (truncated, stalled, in-band error, missing
 * terminal event). `neutral`: the client went away or we stopped it.
 */
export type StreamOutcome = 'complete' | 'broken' | 'neutral'

/** What the metrics listen to. */
export type UpstreamEvent =
  /** `cause`: why it failed, for operators, where that is held against the upstream. */
  | { readonly type: 'attempt'; readonly upstream: string; readonly attempt: Attempt; readonly cause?: string }
  | { readonly type: 'retry'; readonly upstream: string; readonly waitMs: number }
  /** `part` has changed. */
  | { readonly type: 'breaker'; readonly upstream: string; readonly part: BreakerPart }
  /** One of several credentials is left alone after an answer of this status. */
  | { readonly type: 'rest'; readonly upstream: string; readonly credential: string; readonly status: number }
  /** What may be used or spent there is used up. */
  | { readonly type: 'quota'; readonly upstream: string; readonly credential?: string }
  /** As many were under way as may be, and the queue was full, or the wait too long. */
  | { readonly type: 'queue-refused'; readonly upstream: string; readonly why: 'full' | 'late' }
  /** An answer's body came to its end; `durationMs` is since its attempt began. */
  | {
      readonly type: 'end'
      readonly upstream: string
      readonly outcome: 'complete' | FaultCode
      readonly durationMs: number
    }
