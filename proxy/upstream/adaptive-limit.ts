// Owns how many requests an upstream is given at the same time when nobody has said how many it can take: the number
// follows the latency (after Envoy's adaptive concurrency and Netflix' gradient). It does not know who waits.
import type { Clock } from '../lib/clock.ts'

/** How many may be under way now. */
export interface Limit {
  readonly current: number
}

const startingAt = 20
const smallest = 2
/** A window ends when it has lasted as long and has as many latencies. */
const windowMs = 1_000
const windowSamples = 10
/** What the latency may be above the best before the limit falls. */
const headroom = 1.25
const gradientMin = 0.5
const gradientMax = 1.5
/** After an answer that says "overloaded", once a window. */
const backOff = 0.8
/** How often the best latency is measured anew, because prompts and models change; up to `jitter` later. */
const periodMs = 60_000
const jitter = 0.15
/** A measurement that has not enough latencies by then is given up. */
const measuringMsMax = 10_000

export class AdaptiveLimit implements Limit {
  readonly #max: number
  readonly #clock: Clock
  readonly #random: () => number
  #limit: number
  /** What an answer takes when the upstream is not busy. */
  #bestMs: number | undefined
  #measureAtMs: number
  #measuring = false
  #window: Window

  constructor(max: number, clock: Clock, random: () => number) {
    this.#max = max
    this.#clock = clock
    this.#random = random
    this.#limit = Math.min(max, startingAt)
    this.#measureAtMs = this.#nextMeasureMs()
    this.#window = emptyWindow(clock.monotonic())
  }

  /** While the best latency is measured, half: the limit is never far above what the upstream can take. */
  get current(): number {
    return Math.max(smallestOf(this.#max), Math.floor(this.#measuring ? this.#limit / 2 : this.#limit))
  }

  /** An answer began `latencyMs` after its request; `underWay` were there with it. */
  answered(latencyMs: number, underWay: number): void {
    const window = this.#window
    const nowMs = this.#clock.monotonic()
    // Of a measurement only what was sent since it began.
    if (this.#measuring && nowMs - latencyMs < window.sinceMs) return this.#giveUpMeasuring(nowMs)
    window.latenciesMs.push(latencyMs)
    window.underWayMax = Math.max(window.underWayMax, underWay)
    const enough = window.latenciesMs.length >= windowSamples
    if (this.#measuring) {
      if (enough) this.#measured(nowMs)
      else this.#giveUpMeasuring(nowMs)
    } else if (enough && nowMs - window.sinceMs >= windowMs) this.#adjust(nowMs)
  }

  /** It said that it is overloaded, or did not answer in time. */
  overloaded(): void {
    const nowMs = this.#clock.monotonic()
    if (this.#window.backedOff) return
    this.#set(this.#limit * backOff)
    if (!this.#measuring) this.#window = emptyWindow(nowMs)
    this.#window.backedOff = true
  }

  #adjust(nowMs: number): void {
    const { latenciesMs, underWayMax } = this.#window
    const latencyMs = Math.max(median(latenciesMs), Number.MIN_VALUE)
    this.#bestMs = Math.min(this.#bestMs ?? Infinity, latencyMs)
    const gradient = Math.min(gradientMax, Math.max(gradientMin, (this.#bestMs * headroom) / latencyMs))
    const next = this.#limit * gradient + Math.sqrt(this.#limit)
    // A limit that was not reached says nothing about a higher one.
    if (next < this.#limit || underWayMax * 2 >= this.#limit) this.#set(next)
    this.#window = emptyWindow(nowMs)
    this.#measuring = nowMs >= this.#measureAtMs
  }

  #measured(nowMs: number): void {
    this.#bestMs = median(this.#window.latenciesMs)
    this.#endMeasuring(nowMs)
  }

  #giveUpMeasuring(nowMs: number): void {
    if (nowMs - this.#window.sinceMs >= measuringMsMax) this.#endMeasuring(nowMs)
  }

  #endMeasuring(nowMs: number): void {
    this.#measuring = false
    this.#measureAtMs = this.#nextMeasureMs()
    this.#window = emptyWindow(nowMs)
  }

  #nextMeasureMs(): number {
    return this.#clock.monotonic() + periodMs * (1 + jitter * this.#random())
  }

  #set(limit: number): void {
    this.#limit = Math.min(this.#max, Math.max(smallestOf(this.#max), limit))
  }
}

type Window = { readonly sinceMs: number; readonly latenciesMs: number[]; underWayMax: number; backedOff: boolean }

function emptyWindow(sinceMs: number): Window {
  return { sinceMs, latenciesMs: [], underWayMax: 0, backedOff: false }
}

function smallestOf(max: number): number {
  return Math.min(max, smallest)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
