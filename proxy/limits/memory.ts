// Owns counting in this process: all charges of a request in one synchronous step, so nothing can come in between.
import type { Clock, Timer } from '../lib/clock.ts'
import type { Charge, Correction, Count, Taken } from './counters.ts'
import { KeyTable } from './key-table.ts'
import { add, correct, fraction, lifeMs, look, openEntry, overshoot, type Entry, type Time } from './window-count.ts'
import type { Window } from './window.ts'

/** Keys of one namespace, so that a flood of addresses cannot push out the counts of principals. About 10 MB when full. */
export const keysMax = 65_536
const sweepMs = 30_000

export class MemoryCounters {
  readonly #tables = new Map<string, KeyTable<Entry>>()
  readonly #clock: Clock
  readonly #keysMax: number
  #sweeping: Timer | undefined

  constructor(clock: Clock, keysMaxOfNamespace: number = keysMax) {
    this.#clock = clock
    this.#keysMax = keysMaxOfNamespace
  }

  /** `forgotten`: namespaces that were full, so that the counts of other keys were given up. */
  take(charges: readonly Charge[]): Taken & { readonly forgotten: readonly string[] } {
    const time = this.#time(charges)
    let admitted = true
    const found = charges.map((charge) => {
      const known = this.#tables.get(charge.namespace)?.find(charge.key, time.elapsedMs)
      const entry = known ?? openEntry(charge.window)
      const count = look(entry, charge, time)
      if (charge.shadow !== true && overshoot(count.used, charge.quota, charge.amount) > fraction) admitted = false
      return { charge, entry, count, isNew: known === undefined }
    })
    const forgotten: string[] = []
    if (!admitted) return { admitted, counts: found.map(({ count }) => count), forgotten }
    const counts = found.map(({ charge, entry, count, isNew }): Count => {
      if (charge.amount === 0) return count
      add(entry, charge.window, time, charge.amount)
      // One that begins with its first request lasts no longer for what is counted in it. One of the calendar does where the
      // clock is set, and the next may begin before this one has expired.
      const moves = charge.window.kind !== 'first'
      if ((isNew || moves) && this.#table(charge, time.elapsedMs).put(charge.key, entry, time.elapsedMs))
        forgotten.push(charge.namespace)
      const { used, mark, expiresAtMs } = entry
      return { used, mark, waitMs: 0, resetMs: expiresAtMs - time.elapsedMs }
    })
    return { admitted, counts, forgotten }
  }

  correct(corrections: readonly Correction[]): void {
    const time = this.#time(corrections)
    for (const correction of corrections) {
      if (
        correction.delta < 0 &&
        this.#tables.get(correction.namespace)?.find(correction.key, time.elapsedMs) === undefined
      )
        continue
      const entry = this.#find(correction, time)
      correct(entry, correction, time)
      this.#table(correction, time.elapsedMs).put(correction.key, entry, time.elapsedMs)
    }
  }

  /** Keys held in all namespaces. */
  get size(): number {
    let size = 0
    for (const table of this.#tables.values()) size += table.size
    return size
  }

  close(): void {
    this.#sweeping?.cancel()
    this.#sweeping = undefined
    this.#tables.clear()
  }

  #time(counted: readonly Counted[]): Time {
    const calendar = counted.some(({ window }) => window.kind === 'calendar')
    return { elapsedMs: this.#elapsedMs(), wallMs: calendar ? this.#clock.now() : 0 }
  }

  /** Whole: sums of fractions are not exact, and a window of a minute would be said to end in 61 seconds. */
  #elapsedMs(): number {
    return Math.floor(this.#clock.monotonic())
  }

  /** A new one where there is none is not entered yet. */
  #find({ namespace, key, window }: Counted, { elapsedMs }: Time): Entry {
    return this.#tables.get(namespace)?.find(key, elapsedMs) ?? openEntry(window)
  }

  #table({ namespace, window }: Counted, nowMs: number): KeyTable<Entry> {
    let table = this.#tables.get(namespace)
    if (table === undefined) {
      table = new KeyTable(lifeMs(window), this.#keysMax, nowMs)
      this.#tables.set(namespace, table)
      this.#sweeping ??= this.#clock.after(sweepMs, () => this.#sweep())
    }
    return table
  }

  /** Also lets go of the tables of limits that a reload took away. */
  #sweep(): void {
    const nowMs = this.#elapsedMs()
    for (const [namespace, table] of this.#tables) if (table.sweep(nowMs)) this.#tables.delete(namespace)
    this.#sweeping = this.#tables.size === 0 ? undefined : this.#clock.after(sweepMs, () => this.#sweep())
  }
}

type Counted = { readonly namespace: string; readonly key: string; readonly window: Window }
