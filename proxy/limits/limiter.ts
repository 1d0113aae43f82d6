// Owns the interface of limiting: who is counted, what a refusal says, what must be released.

/** Everything a limit can be counted by. `model` is known only after the body was read. */
export type LimitSubject = {
  readonly principal: string
  readonly org?: string
  readonly team?: string
  readonly ip: string
  readonly route: string
  readonly upstream: string
  readonly model?: string
  /** It stays open for as long as it likes, waiting for what may never come: it takes slots of its own. */
  readonly standing?: true
}

/** State of one limit after it was consumed, for the RateLimit headers. Times in milliseconds. */
export type LimitState = {
  readonly limit: string
  readonly quota: number
  readonly windowMs: number
  readonly remaining: number
  readonly resetMs: number
}

export type Admission =
  | {
      readonly ok: true
      readonly states: readonly LimitState[]
      /** What was decided without the store: `store:<limit id>` for each; empty when all is well. */
      readonly open: readonly string[]
      /** Gives back concurrency slots. Idempotent; must be called whatever the end of the exchange. */
      release(): void
      /**
       * Changes the slots for those of streams that stay open. The id of a limit: all of its are taken, and nothing has
       * changed.
       */
      stand(): string | undefined
    }
  | {
      readonly ok: false
      readonly code: 'rate-limited' | 'concurrency-limited' | 'quota-exhausted' | 'store-unavailable'
      readonly limit: string
      readonly retryAfterMs: number
      readonly states: readonly LimitState[]
      readonly open: readonly string[]
    }

export interface Limiter {
  /**
   * `head`: the limits that need no body, before it is read. `body`: the limits that are counted by model.
   * Refusals consume nothing of the limits that would have admitted. A promise only where a store must be asked.
   */
  admit(phase: 'head' | 'body', subject: LimitSubject): Admission | Promise<Admission>
}
