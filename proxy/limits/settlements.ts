// Owns the corrections that a store could not be told, or of which nobody knows whether it was: they are kept in their order and
// told again, so that what was reserved before an outage is settled after it. It does not know how a store is told.
import type { Clock, Timer } from '../lib/clock.ts'
import type { Correction } from './counters.ts'

/** `unknown`: it may have been counted, or may still be. `refused`: surely not. */
export type Told = 'told' | 'unknown' | 'refused'

export type SettlementsOptions = {
  /** A store that has been told one of a number tells this process's lower ones from new ones, and counts none twice. */
  readonly tell: (number: number, corrections: readonly Correction[]) => Promise<Told>
  readonly clock: Clock
  /** Called for each that there is no room for. */
  readonly onDropped: () => void
  /** How many were dropped, once all others are told, or that are given up in the end. */
  readonly onLost: (count: number) => void
}

type Kept = { readonly number: number; readonly corrections: readonly Correction[] }

/** As many as there may be requests under way, and some 10 MB. */
export const keptMax = 10_000
const retryMsMin = 1_000
const retryMsMax = 30_000

export class Settlements {
  readonly #options: SettlementsOptions
  /** By number. */
  #kept: Kept[] = []
  #last = 0
  #telling = false
  #closed = false
  #dropped = 0
  #retry: Timer | undefined
  #retryMs = retryMsMin

  constructor(options: SettlementsOptions) {
    this.#options = options
  }

  get waiting(): number {
    return this.#kept.length
  }

  /** Nobody waits for it. `reachable`: the store may be told at once. */
  add(corrections: readonly Correction[], reachable: boolean): void {
    const settlement = { number: ++this.#last, corrections }
    // None may overtake another: the store would take the earlier one for told.
    if (reachable && this.#kept.length === 0) void this.#try(settlement)
    else this.#keep(settlement)
  }

  /** The store can be told again. */
  async resume(): Promise<void> {
    if (this.#telling) return
    this.#telling = true
    this.#retry?.cancel()
    this.#retry = undefined
    try {
      // One by one: a later one that is told makes the store take an earlier one for told, too. And a store that is just back
      // has to answer requests besides.
      for (let [next] = this.#kept; next !== undefined; [next] = this.#kept) {
        if ((await this.#options.tell(next.number, next.corrections)) !== 'told') return this.#later()
        this.#kept.splice(this.#kept.indexOf(next), 1)
      }
      this.#retryMs = retryMsMin
      this.#reportLost(0)
    } finally {
      this.#telling = false
    }
  }

  close(): void {
    this.#closed = true
    this.#retry?.cancel()
    this.#reportLost(this.#kept.length)
    this.#kept = []
  }

  async #try(settlement: Kept): Promise<void> {
    const told = await this.#options.tell(settlement.number, settlement.corrections)
    if (told === 'told') return
    // Later ones may have been told since: under its own number this one would be taken for told.
    this.#keep(told === 'refused' ? { ...settlement, number: ++this.#last } : settlement)
    if (!this.#telling && this.#retry === undefined) this.#later()
  }

  /** Several that were told at once may come back in any order. */
  #keep(settlement: Kept): void {
    if (this.#kept.length >= keptMax) {
      this.#dropped += 1
      return this.#options.onDropped()
    }
    let at = this.#kept.length
    while (at > 0 && (this.#kept[at - 1] as Kept).number > settlement.number) at -= 1
    this.#kept.splice(at, 0, settlement)
  }

  #later(): void {
    if (this.#closed) return
    this.#retry = this.#options.clock.after(this.#retryMs, () => {
      this.#retry = undefined
      void this.resume()
    })
    this.#retryMs = Math.min(2 * this.#retryMs, retryMsMax)
  }

  #reportLost(more: number): void {
    const lost = this.#dropped + more
    this.#dropped = 0
    if (lost > 0) this.#options.onLost(lost)
  }
}
