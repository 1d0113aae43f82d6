// Owns how many requests of one upstream are under way at the same time, and the queue of those that wait: of bounded
// length, in order of arrival, none for longer than its time. It does not know what is being asked.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Limit } from './adaptive-limit.ts'
import type { Cancellation } from './answer.ts'
import { reasonOf } from './answering.ts'

export type WaitingRoomOptions = {
  readonly limit: Limit
  readonly queue: number
  readonly queueTimeoutMs: number
  readonly clock: Clock
  readonly onRefused: (why: 'full' | 'late') => void
}

type Waiting = { admit(): void }

export class WaitingRoom {
  readonly #options: WaitingRoomOptions
  /** Sets keep their order. */
  readonly #waiting = new Set<Waiting>()
  #underWay = 0

  constructor(options: WaitingRoomOptions) {
    this.#options = options
  }

  get underWay(): number {
    return this.#underWay
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get full(): boolean {
    return !this.#hasRoom() && this.#waiting.size >= this.#options.queue
  }

  /**
   * Who was let in calls `leave` once. Throws a Fault: `overloaded` when the queue is full or the wait took too long, or
   * the signal's reason. `latestMs`: when the caller stops waiting, monotonic.
   */
  enter(signal: Cancellation, latestMs: number): Promise<void> | undefined {
    if (this.#hasRoom() && this.#waiting.size === 0) {
      this.#underWay++
      return undefined
    }
    if (this.#waiting.size >= this.#options.queue) throw this.#refusal('full')
    return this.#wait(signal, latestMs)
  }

  leave(): void {
    this.#underWay--
    this.#admitNext()
  }

  /** Those who may now; also to be called when the limit may have grown. */
  #admitNext(): void {
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom()) return
      waiting.admit()
    }
  }

  #hasRoom(): boolean {
    return this.#underWay < this.#options.limit.current
  }

  #wait(signal: Cancellation, latestMs: number): Promise<void> {
    const { clock, queueTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const end = (fault?: Fault): void => {
        this.#waiting.delete(waiting)
        timer.cancel()
        signal.removeEventListener('abort', onAbort)
        if (fault !== undefined) return reject(fault)
        this.#underWay++
        resolve()
      }
      const waiting = { admit: () => end() }
      const onAbort = (): void => end(reasonOf(signal))
      const forMs = Math.max(0, Math.min(queueTimeoutMs, latestMs - clock.monotonic()))
      const timer = clock.after(forMs, () => end(this.#refusal('late')))
      this.#waiting.add(waiting)
      signal.addEventListener('abort', onAbort)
    })
  }

  #refusal(why: 'full' | 'late'): Fault {
    this.#options.onRefused(why)
    const message =
      why === 'full'
        ? 'The upstream has as much to do as it may have, and the queue before it is full.'
        : 'The upstream has as much to do as it may have, and the wait for it took too long.'
    // Nothing was sent, so another upstream may be asked.
    return new Fault('overloaded', message, { retryAfterMs: this.#options.queueTimeoutMs, elsewhere: true })
  }
}
