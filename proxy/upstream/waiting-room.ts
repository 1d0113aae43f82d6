// Owns how many requests of one upstream are under way at the same time, and the queue of those that wait: of bounded
// length, by class and then in order of arrival, none for longer than its time. It does not know what is being asked.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { priorities, type Priority } from '../lib/priority.ts'
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

type Waiting = { admit(): void; displace(): void }

export class WaitingRoom {
  readonly #options: WaitingRoomOptions
  /** By class, the lowest first. Sets keep their order. */
  readonly #queues = priorities.map(() => new Set<Waiting>())
  #waiting = 0
  #underWay = 0

  constructor(options: WaitingRoomOptions) {
    this.#options = options
  }

  get underWay(): number {
    return this.#underWay
  }

  get waiting(): number {
    return this.#waiting
  }

  get full(): boolean {
    return !this.#hasRoom() && this.#waiting >= this.#options.queue
  }

  /**
   * Who was let in calls `leave` once. Throws a Fault: `overloaded` when the queue is full (of this class and higher ones) or
   * the wait took too long, or the signal's reason. `latestMs`: when the caller stops waiting, monotonic.
   */
  enter(signal: Cancellation, latestMs: number, priority: Priority = 'normal'): Promise<void> | undefined {
    if (this.#hasRoom() && this.#waiting === 0) {
      this.#underWay++
      return undefined
    }
    // Who has left would not be told again, and would keep somebody else's place.
    if (signal.aborted) throw reasonOf(signal)
    const rank = priorities.indexOf(priority)
    if (this.#waiting >= this.#options.queue && !this.#displaceBelow(rank)) throw this.#refusal('full')
    return this.#wait(signal, latestMs, this.#queues[rank] as Set<Waiting>)
  }

  leave(): void {
    this.#underWay--
    this.#admitNext()
  }

  /** Those who may now; also to be called when the limit may have grown. */
  #admitNext(): void {
    if (this.#waiting === 0) return
    for (let rank = this.#queues.length - 1; rank >= 0; rank--) {
      for (const waiting of this.#queues[rank] as Set<Waiting>) {
        if (!this.#hasRoom()) return
        waiting.admit()
      }
    }
  }

  /** The last to come of the lowest class below. False: there is none. */
  #displaceBelow(rank: number): boolean {
    const lowest = this.#queues.slice(0, rank).find(({ size }) => size > 0)
    const last = lowest === undefined ? undefined : [...lowest].at(-1)
    last?.displace()
    return last !== undefined
  }

  #hasRoom(): boolean {
    return this.#underWay < this.#options.limit.current
  }

  #wait(signal: Cancellation, latestMs: number, queue: Set<Waiting>): Promise<void> {
    const { clock, queueTimeoutMs } = this.#options
    return new Promise((resolve, reject) => {
      const end = (fault?: Fault): void => {
        queue.delete(waiting)
        this.#waiting--
        timer.cancel()
        signal.removeEventListener('abort', onAbort)
        if (fault !== undefined) return reject(fault)
        this.#underWay++
        resolve()
      }
      const waiting = { admit: () => end(), displace: () => end(this.#refusal('full')) }
      const onAbort = (): void => end(reasonOf(signal))
      const forMs = Math.max(0, Math.min(queueTimeoutMs, latestMs - clock.monotonic()))
      const timer = clock.after(forMs, () => end(this.#refusal('late')))
      queue.add(waiting)
      this.#waiting++
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
