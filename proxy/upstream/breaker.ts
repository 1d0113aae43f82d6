// Owns the circuit breaker of one upstream: closed, open, half-open. It counts verdicts and does not know how an
// outcome became one (classify.ts) nor what an exchange is.
import type { Clock } from '../lib/clock.ts'
import { Window } from './window.ts'

export type BreakerState = 'closed' | 'open' | 'half-open'
export const breakerModes = ['auto', 'forced-open', 'disabled'] as const
/** `auto`: by its own counting. `forced-open`: nothing passes. `disabled`: everything does. */
export type BreakerMode = (typeof breakerModes)[number]
export type BreakerSettings = {
  readonly mode: BreakerMode
  readonly consecutive: number
  readonly ratio: number
  readonly minimum: number
  readonly windowMs: number
  readonly openMs: number
  readonly openMaxMs: number
}

export type Verdict = 'success' | 'failure' | 'neutral'

/** Permission for one attempt. Every pass comes to one verdict. */
export interface Pass {
  /** The first content has come: a probe has proved itself, however long its stream goes on. */
  content(): void
  /** `retryAfterMs`: how long the upstream asked to be left alone, if this verdict opens the breaker. */
  end(verdict: Verdict, retryAfterMs?: number): void
}

export type Refusal = { readonly retryAfterMs: number }

// What others are told while a probe is out: nobody knows how long it takes.
const probeWaitMs = 1000
const probesToClose = 2
const retryAfterMaxMs = 60_000

export class Breaker {
  readonly #settings: BreakerSettings
  readonly #clock: Clock
  readonly #random: () => number
  readonly #onState: (state: BreakerState) => void
  readonly #failuresOfAll: Window

  #state: BreakerState = 'closed'
  #override: Exclude<BreakerMode, 'auto'> | undefined
  #consecutive = 0
  #trips = 0
  #openMs = 0
  #openUntilMs = 0
  #closedSinceMs = 0
  // Half-open: each opening is one era, so that a verdict from an earlier one is not taken for a probe's.
  #era = 0
  #probing = false
  #proved = 0

  constructor(settings: BreakerSettings, clock: Clock, random: () => number, onState: (state: BreakerState) => void) {
    this.#settings = settings
    this.#clock = clock
    this.#random = random
    this.#onState = onState
    this.#failuresOfAll = new Window(settings.windowMs)
    this.#closedSinceMs = clock.monotonic()
    this.#override = settings.mode === 'auto' ? undefined : settings.mode
  }

  /** `open` lasts until someone is admitted as a probe, even when its time is over. */
  get state(): BreakerState {
    return this.#override === 'forced-open' ? 'open' : this.#override === 'disabled' ? 'closed' : this.#state
  }

  get mode(): BreakerMode {
    return this.#override ?? 'auto'
  }

  /** An operator's hand: `auto` gives the breaker back to itself, as it has become meanwhile. */
  override(to: BreakerMode): void {
    this.#override = to === 'auto' ? undefined : to
    this.#onState(this.state)
  }

  /** How long the next attempt would be refused; zero when it would be admitted. */
  refusedMs(): number {
    if (this.#override === 'disabled') return 0
    if (this.#override === 'forced-open') return this.#settings.openMaxMs
    if (this.#state === 'closed') return 0
    if (this.#state === 'half-open') return this.#probing ? probeWaitMs : 0
    return Math.max(0, this.#openUntilMs - this.#clock.monotonic())
  }

  admit(): Pass | Refusal {
    if (this.#override === 'disabled') return ignoredPass
    if (this.#override === undefined && this.#state === 'closed') return new ClosedPass(this)
    const refusedMs = this.refusedMs()
    // The refused must not all come back at the same moment.
    if (refusedMs > 0) return { retryAfterMs: refusedMs + this.#random() * probeWaitMs }
    if (this.#state === 'open') {
      this.#proved = 0
      this.#become('half-open')
    }
    this.#probing = true
    return new ProbePass(this, this.#era)
  }

  /** An attempt that was not a probe, or a probe's stream after it had proved itself. */
  record(verdict: Verdict, retryAfterMs = 0): void {
    if (this.#state !== 'closed' || verdict === 'neutral') return
    const nowMs = this.#clock.monotonic()
    this.#failuresOfAll.addSecond(nowMs)
    if (verdict === 'success') {
      this.#consecutive = 0
      return
    }
    this.#consecutive++
    this.#failuresOfAll.addFirst(nowMs)
    if (this.#consecutive >= this.#settings.consecutive || this.#ratioReached(nowMs)) this.#trip(nowMs, retryAfterMs)
  }

  /** The verdict of a probe. `neutral` gives the slot back and leaves the question open. */
  judgeProbe(era: number, verdict: Verdict, retryAfterMs = 0): void {
    if (era !== this.#era || this.#state !== 'half-open') return
    this.#probing = false
    if (verdict === 'failure') this.#trip(this.#clock.monotonic(), retryAfterMs)
    else if (verdict === 'success' && ++this.#proved >= probesToClose) this.#close()
  }

  /** A probe that had proved itself broke off later: the proof was worth nothing. */
  withdrawProbe(era: number): void {
    if (this.#state === 'half-open' && era === this.#era) this.#trip(this.#clock.monotonic(), 0)
    else this.record('failure')
  }

  #ratioReached(nowMs: number): boolean {
    const all = this.#failuresOfAll.second(nowMs)
    return all >= this.#settings.minimum && this.#failuresOfAll.first(nowMs) / all >= this.#settings.ratio
  }

  #trip(nowMs: number, retryAfterMs: number): void {
    if (this.#state === 'closed' && this.#openMs > 0) {
      // Healthy time forgives: one trip for each length of the last opening spent closed.
      this.#trips = Math.max(0, this.#trips - Math.floor((nowMs - this.#closedSinceMs) / this.#openMs))
    }
    this.#trips++
    const { openMs, openMaxMs } = this.#settings
    const jitter = 0.75 + this.#random() * 0.5
    const chosenMs = Math.min(openMaxMs, Math.min(openMaxMs, openMs * 2 ** (this.#trips - 1)) * jitter)
    this.#openMs = Math.max(chosenMs, Math.min(retryAfterMs, retryAfterMaxMs))
    this.#openUntilMs = nowMs + this.#openMs
    this.#era++
    this.#probing = false
    this.#become('open')
  }

  #close(): void {
    this.#consecutive = 0
    this.#failuresOfAll.clear()
    this.#closedSinceMs = this.#clock.monotonic()
    this.#become('closed')
  }

  #become(state: BreakerState): void {
    this.#state = state
    this.#onState(state)
  }
}

class ClosedPass implements Pass {
  readonly #breaker: Breaker
  #ended = false

  constructor(breaker: Breaker) {
    this.#breaker = breaker
  }

  content(): void {}

  end(verdict: Verdict, retryAfterMs?: number): void {
    if (this.#ended) return
    this.#ended = true
    this.#breaker.record(verdict, retryAfterMs)
  }
}

class ProbePass implements Pass {
  readonly #breaker: Breaker
  readonly #era: number
  #proved = false
  #ended = false

  constructor(breaker: Breaker, era: number) {
    this.#breaker = breaker
    this.#era = era
  }

  content(): void {
    if (this.#ended || this.#proved) return
    this.#proved = true
    this.#breaker.judgeProbe(this.#era, 'success')
  }

  end(verdict: Verdict, retryAfterMs?: number): void {
    if (this.#ended) return
    this.#ended = true
    if (!this.#proved) this.#breaker.judgeProbe(this.#era, verdict, retryAfterMs)
    else if (verdict === 'failure') this.#breaker.withdrawProbe(this.#era)
  }
}

const ignoredPass: Pass = { content() {}, end() {} }
