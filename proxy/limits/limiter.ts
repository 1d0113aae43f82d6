// Owns the interface of limiting: who is counted, what a refusal says, what is reserved, what must be given back.
import type { Unit } from './options.ts'

/** What a limit can be counted by, as far as it is known before the body was read. */
export type LimitSubject = {
  readonly principal: string
  readonly org?: string | undefined
  readonly team?: string | undefined
  readonly roles?: readonly string[]
  readonly ip: string
  readonly route: string
  /** The first that is asked. */
  readonly upstream: string
  /** Others may be asked in its place. */
  readonly severalUpstreams?: boolean
  /** What the head announces of the body; where it announces no length, the most that may come. */
  readonly bytes?: number | undefined
  /** It stays open for as long as it likes, waiting for what may never come: it takes slots of its own. */
  readonly standing?: boolean
}

/** What the body says. */
export type Demand = {
  readonly model?: string
  /** What the upstream calls it, where that is not what was asked for: prices are by that name. */
  readonly billedModel?: string
  /** Types of actions. */
  readonly actions: readonly string[]
  /** Names of the tools that are called now. */
  readonly tools: readonly string[]
  /** Estimated. */
  readonly inputTokens: number
  /** For all answers that are asked for; absent where the request names no maximum. */
  readonly outputTokensMax?: number
  /** No maximum can be sent on: a limit's own bounds nothing. */
  readonly unbounded?: true
  /** How many answers are asked for at once. */
  readonly answers: number
  /** How long the body was that announced no length. */
  readonly bytes?: number
}

/** What became of it: tokens as they are billed, `input` without what came from or went to a cache. */
export type Spent = {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
  readonly bytes: number
  /** More of it is, or was, made, and nobody will say how much: what was reserved for it stays. */
  readonly unfinished?: true
}

/** State of one quota after it was consumed, for the RateLimit headers. Times in milliseconds. */
export type LimitState = {
  readonly limit: string
  /** Requests where absent. */
  readonly unit?: Unit
  readonly quota: number
  readonly windowMs: number
  readonly remaining: number
  readonly resetMs: number
}

export type Refused = {
  readonly ok: false
  readonly code: 'rate-limited' | 'concurrency-limited' | 'quota-exhausted' | 'store-unavailable' | 'price-unknown'
  readonly limit: string
  readonly retryAfterMs: number
  /** It asks for more than the limit ever gives at once. */
  readonly tooLarge?: true
  readonly states: readonly LimitState[]
  readonly open: readonly string[]
}

export type Admitted = {
  readonly ok: true
  readonly states: readonly LimitState[]
  /** What was decided without the store: `store:<limit id>` for each; empty when all is well. */
  readonly open: readonly string[]
  /** Limits in shadow mode that would have refused. */
  readonly exceeded: readonly string[]
  /** No answer may be longer than this; absent where no limit says so. */
  readonly maxTokens?: number
  /** What is settled depends on how many tokens are used. */
  readonly countsTokens?: true
  /** Gives back concurrency slots. Idempotent; must be called whatever the end of the exchange. */
  release(): void
  /**
   * Changes the slots for those of streams that stay open. The id of a limit: all of its are taken, and nothing has
   * changed.
   */
  stand(): string | undefined
  /**
   * Present where a limit must know the body: then nothing is counted before, and this asks all limits in one step. A
   * request that ends before is counted when it is released. Again for another upstream: what was reserved for the one
   * before is given back, and what is counted is not counted twice.
   */
  reserve?(demand: Demand, upstream?: string): Admission | Promise<Admission>
  /**
   * Present where something was reserved: puts it right. What goes on says so again and again, each time with all that it has
   * used. `undefined`: nothing was produced, and whatever is said after that counts nothing.
   */
  settle?(spent: Spent | undefined): void
}

export type Admission = Admitted | Refused

export interface Limiter {
  /** Some limit wants to know how long bodies are. */
  readonly countsBytes: boolean
  /** Refusals consume nothing of the limits that would have admitted. A promise only where a store must be asked. */
  admit(subject: LimitSubject): Admission | Promise<Admission>
}
