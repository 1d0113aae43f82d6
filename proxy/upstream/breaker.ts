// Owns one circuit breaker: closed, open, half-open. It counts verdicts and does not know what they are about (breakers.ts)
// nor how an outcome became one (classify.ts).
import type { Clock } from '../lib/clock.ts'
import { Window } from './window.ts'

export type BreakerState = 'closed' | 'open' | 'half-open'
export type BreakerSettings = {
  readonly consecutive: number
  readonly ratio: number
  readonly minimum: number
  readonly windowMs: number
  readonly openMs: number
  readonly openMaxMs: number
}

export type Verdict = 'success' | 'failure' | 'neutral'

/** What others are told while a probe is out: nobody knows how long it takes. */
export const probeWaitMs = 1000
const probesToClose = 2
const retryAfterMaxMs = 60_000

export type BreakerDeps = {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly onState: (state: BreakerState) => void
}

export class Breaker {
  readonly #settings: BreakerSettings
  readonly #deps: BreakerDeps
  readonly #failuresOfAll: Window

  #state: BreakerState = 'closed'
  #consecutive = 0
  #trips = 0
  #openMs = 0
  #openUntilMs = 0
  #usedMs: number
  #closedSinceMs: number
  // Half-open: each opening is one era, so that a verdict from an earlier one is not taken for a probe's.
  #era = 0
  #probe: Probe | undefined
  #probeUntilMs = 0
  #proved = 0

  constructor(settings: BreakerSettings, deps: BreakerDeps) {
    this.#settings = settings
    this.#deps = deps
    this.#failuresOfAll = new Window(settings.windowMs)
    this.#closedSinceMs = this.#usedMs = deps.clock.monotonic()
  }

  /** `open` lasts until someone is admitted as a probe, even when its time is over. */
  get state(): BreakerState {
    return this.#state
  }

  /** When it was last told of something, or asked for while it was not closed. Monotonic milliseconds. */
  get usedMs(): number {
    return this.#usedMs
  }

  /** A new one would do the same: it is closed, nothing of the last while speaks against it, and its trips are forgiven. */
  get isQuiet(): boolean {
    if (this.#state !== 'closed' || this.#consecutive > 0) return false
    const nowMs = this.#deps.clock.monotonic()
    return this.#failuresOfAll.first(nowMs) === 0 && this.#tripsAt(nowMs) === 0
  }

  /** How long the next attempt would be refused; zero when it would be admitted. */
  refusedMs(): number {
    if (this.#state === 'closed') return 0
    const nowMs = (this.#usedMs = this.#deps.clock.monotonic())
    if (this.#state === 'open') return Math.max(0, this.#openUntilMs - nowMs)
    return this.#probe === undefined || nowMs >= this.#probeUntilMs ? 0 : probeWaitMs
  }

  /**
   * An attempt begins that is not refused. While closed there is nothing to hold, and its verdict is for `record`. `forMs`: a
   * probe that has come to nothing for so long keeps the next one no longer.
   */
  enter(forMs: number): Probe | undefined {
    if (this.#state === 'closed') return undefined
    if (this.#state === 'open') {
      this.#proved = 0
      this.#become('half-open')
    }
    this.#probeUntilMs = this.#deps.clock.monotonic() + forMs
    this.#probe = new Probe(this, this.#era)
    return this.#probe
  }

  /** An attempt that was not a probe, or a probe's stream after it had proved itself. */
  record(verdict: Verdict, retryAfterMs = 0): void {
    if (this.#state !== 'closed' || verdict === 'neutral') return
    const nowMs = (this.#usedMs = this.#deps.clock.monotonic())
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
  judgeProbe(probe: Probe, verdict: Verdict, retryAfterMs = 0): void {
    if (probe.era !== this.#era || this.#state !== 'half-open') return
    if (probe === this.#probe) this.#probe = undefined
    if (verdict === 'failure') this.#trip(this.#deps.clock.monotonic(), retryAfterMs)
    else if (verdict === 'success' && ++this.#proved >= probesToClose) this.#close()
  }

  /** A probe that had proved itself broke off later: the proof was worth nothing. */
  withdrawProbe({ era }: Probe): void {
    if (this.#state === 'half-open' && era === this.#era) this.#trip(this.#deps.clock.monotonic(), 0)
    else this.record('failure')
  }

  #ratioReached(nowMs: number): boolean {
    const all = this.#failuresOfAll.second(nowMs)
    return all >= this.#settings.minimum && this.#failuresOfAll.first(nowMs) / all >= this.#settings.ratio
  }

  /** Healthy time forgives: one trip for each length of the last opening spent closed. */
  #tripsAt(nowMs: number): number {
    if (this.#state !== 'closed' || this.#openMs === 0) return this.#trips
    return Math.max(0, this.#trips - Math.floor((nowMs - this.#closedSinceMs) / this.#openMs))
  }

  #trip(nowMs: number, retryAfterMs: number): void {
    this.#trips = this.#tripsAt(nowMs) + 1
    const { openMs, openMaxMs } = this.#settings
    const jitter = 0.75 + this.#deps.random() * 0.5
    const chosenMs = Math.min(openMaxMs, Math.min(openMaxMs, openMs * 2 ** (this.#trips - 1)) * jitter)
    this.#openMs = Math.max(chosenMs, Math.min(retryAfterMs, retryAfterMaxMs))
    this.#openUntilMs = nowMs + this.#openMs
    this.#era++
    this.#probe = undefined
    this.#become('open')
  }

  #close(): void {
    this.#consecutive = 0
    this.#failuresOfAll.clear()
    this.#closedSinceMs = this.#deps.clock.monotonic()
    this.#become('closed')
  }

  #become(state: BreakerState): void {
    this.#state = state
    this.#deps.onState(state)
  }
}

/** Holds the one place that a half-open breaker has. */
export class Probe {
  readonly #breaker: Breaker
  readonly era: number
  #proved = false

  constructor(breaker: Breaker, era: number) {
    this.#breaker = breaker
    this.era = era
  }

  /** It has proved itself, however long it goes on. May be called again. */
  prove(): void {
    if (this.#proved) return
    this.#proved = true
    this.#breaker.judgeProbe(this, 'success')
  }

  /** To be called once. */
  end(verdict: Verdict, retryAfterMs?: number): void {
    if (!this.#proved) this.#breaker.judgeProbe(this, verdict, retryAfterMs)
    else if (verdict === 'failure') this.#breaker.withdrawProbe(this)
  }
}
