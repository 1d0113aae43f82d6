// Owns waiting for many deadlines with one timer. Most deadlines are moved or met long before they are due, so moving
// one costs an assignment, and a timer is set again only when it fires or when something is due earlier.
import type { Clock, Timer } from '../lib/clock.ts'
import { Roster, type Enrolled } from '../lib/roster.ts'

export interface Deadline extends Enrolled {
  /** Monotonic milliseconds; Infinity while nothing is awaited. */
  dueMs: number
  /** Called once when due; the deadline is then forgotten. */
  expire(): void
}

export class Deadlines {
  readonly #clock: Clock
  readonly #live = new Roster<Deadline>()
  #timer: Timer | undefined
  #timerDueMs = Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  add(deadline: Deadline): void {
    this.#live.add(deadline)
    if (deadline.dueMs < this.#timerDueMs) this.#arm(deadline.dueMs)
  }

  move(deadline: Deadline, dueMs: number): void {
    deadline.dueMs = dueMs
    if (dueMs < this.#timerDueMs) this.#arm(dueMs)
  }

  remove(deadline: Deadline): void {
    this.#live.remove(deadline)
  }

  /** Drops the timer too; what is still waiting waits for ever. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#timerDueMs = Infinity
    this.#live.clear()
  }

  #arm(dueMs: number): void {
    this.#timer?.cancel()
    this.#timerDueMs = dueMs
    // Rounded up: a timer that fires a fraction early would only be set again.
    this.#timer = this.#clock.after(Math.max(0, Math.ceil(dueMs - this.#clock.monotonic())), () => this.#sweep())
  }

  #sweep(): void {
    this.#timer = undefined
    this.#timerDueMs = Infinity
    const nowMs = this.#clock.monotonic()
    let nextMs = Infinity
    for (const deadline of this.#live.all()) {
      // One that expired may have ended others.
      if (!this.#live.has(deadline)) continue
      if (deadline.dueMs <= nowMs) {
        this.#live.remove(deadline)
        deadline.expire()
      } else if (deadline.dueMs < nextMs) nextMs = deadline.dueMs
    }
    if (nextMs < this.#timerDueMs) this.#arm(nextMs)
  }
}
