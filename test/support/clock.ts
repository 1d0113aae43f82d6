// A clock that moves only when a test says so.
import type { Clock, Timer } from '../../proxy/lib/clock.ts'

type Pending = { dueMs: number; run: () => void }

export class ManualClock implements Clock {
  #elapsedMs = 0
  #startMs: number
  readonly #pending = new Set<Pending>()

  constructor(start = '2026-11-21T00:00:00.000Z') {
    this.#startMs = Date.parse(start)
  }

  now(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, run: () => void): Timer {
    const pending = { dueMs: this.#elapsedMs + delayMs, run }
    this.#pending.add(pending)
    return { cancel: () => void this.#pending.delete(pending) }
  }

  /** Moves time on, running what falls due in order of its due time. */
  advance(byMs: number): void {
    const endMs = this.#elapsedMs + byMs
    for (;;) {
      const next = [...this.#pending].filter((p) => p.dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0]
      if (next === undefined) break
      this.#pending.delete(next)
      this.#elapsedMs = next.dueMs
      next.run()
    }
    this.#elapsedMs = endMs
  }

  /** Time passes while the process stands still: whatever fell due meanwhile runs late, and only once. */
  standStill(forMs: number): void {
    this.#elapsedMs += forMs
    const due = [...this.#pending].filter((p) => p.dueMs <= this.#elapsedMs).sort((a, b) => a.dueMs - b.dueMs)
    for (const pending of due) if (this.#pending.delete(pending)) pending.run()
  }

  /** Sets the wall clock: no time passes, and nothing falls due. */
  jump(byMs: number): void {
    this.#startMs += byMs
  }

  /** How many timers are waiting: zero means nothing was leaked. */
  get waiting(): number {
    return this.#pending.size
  }
}
