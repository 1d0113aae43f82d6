// Owns how late the event loop runs, as an average over the last seconds: one long pause is no overload.
import type { Clock, Timer } from '../lib/clock.ts'

const everyMs = 50
const averagedOverMs = 2_000
/** A process that was stopped for a minute was not busy for a minute. */
const countedMsMax = 1_000

export class LoopDelay {
  readonly #clock: Clock
  #timer: Timer
  #sinceMs: number
  #averageMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.monotonic()
    this.#timer = this.#arm()
  }

  get ms(): number {
    return this.#averageMs
  }

  close(): void {
    this.#timer.cancel()
  }

  #arm(): Timer {
    return this.#clock.after(everyMs, () => this.#tick())
  }

  #tick(): void {
    const nowMs = this.#clock.monotonic()
    const elapsedMs = Math.min(nowMs - this.#sinceMs, countedMsMax)
    const lateMs = Math.max(0, elapsedMs - everyMs)
    this.#averageMs += (lateMs - this.#averageMs) * (1 - Math.exp(-elapsedMs / averagedOverMs))
    this.#sinceMs = nowMs
    this.#timer = this.#arm()
  }
}
