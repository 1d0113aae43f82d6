// Owns which classes of requests are refused while the gateway has too much to do. It does not know whose they are.
import type { Clock } from '../lib/clock.ts'
import { priorities, type Priority } from '../lib/priority.ts'

export type Signal = {
  readonly name: SignalName
  /** Up to here all is well. */
  readonly max: number
  readonly read: () => number
}
export type SignalName = 'event-loop' | 'inflight'

/** At how many times the maximum of the worst signal each class is refused, in the order of `priorities`. */
const refusedAbove = [1, 1.25, 1.5, 2]
/** A class that is refused is let in again well below, and not at once. */
const letInBelow = 0.8
const refusedMsMin = 1_000

export class Shedder {
  readonly #signals: readonly Signal[]
  readonly #clock: Clock
  /** How many classes are refused. */
  #refused = 0
  #sinceMs = 0
  #worst: SignalName = 'inflight'

  constructor(signals: readonly Signal[], clock: Clock) {
    this.#signals = signals
    this.#clock = clock
  }

  /** Because of what a request of this class is refused now; undefined: it is not. */
  refuses(priority: Priority): SignalName | undefined {
    this.#update()
    return priorities.indexOf(priority) < this.#refused ? this.#worst : undefined
  }

  #update(): void {
    let pressure = 0
    let worst = this.#worst
    for (const { name, max, read } of this.#signals) {
      const share = read() / max
      if (share <= pressure) continue
      pressure = share
      worst = name
    }
    const above = refusedAbove.filter((at) => pressure > at).length
    if (above > this.#refused) {
      this.#worst = worst
      return this.#refuse(above)
    }
    if (this.#refused === 0 || this.#clock.monotonic() - this.#sinceMs < refusedMsMin) return
    const stillAbove = refusedAbove.filter((at) => pressure > at * letInBelow).length
    if (stillAbove < this.#refused) this.#refuse(stillAbove)
  }

  #refuse(classes: number): void {
    this.#refused = classes
    this.#sinceMs = this.#clock.monotonic()
  }
}
