// Owns how long somebody waits for the disk. Time in which this process itself stood still (a paused container, a machine
// that gave it no core) is not the disk's: what the disk answered meanwhile is heard only afterwards.
import type { Clock, Timer } from '../lib/clock.ts'

/** Since when somebody waits, or something is under way: milliseconds of the monotonic clock, and ticks. */
export type Since = { readonly ms: number; readonly tick: number }

/** However long a standstill was, it is one tick. */
const ticksPerTimeout = 4

export class Patience {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #onTick: () => boolean
  #tick = 0
  #timer: Timer | undefined

  /** `onTick` says whether anything is still waited for; it is called a few times in `timeoutMs` as long as it does. */
  constructor(clock: Clock, timeoutMs: number, onTick: () => boolean) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#onTick = onTick
  }

  /** From now on. */
  start(): Since {
    this.#timer ??= this.#next()
    return { ms: this.#clock.monotonic(), tick: this.#tick }
  }

  isOver(since: Since): boolean {
    return this.#tick - since.tick >= ticksPerTimeout && this.#clock.monotonic() - since.ms >= this.#timeoutMs
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #next(): Timer {
    return this.#clock.after(this.#timeoutMs / ticksPerTimeout, () => {
      this.#tick += 1
      this.#timer = this.#onTick() ? this.#next() : undefined
    })
  }
}
