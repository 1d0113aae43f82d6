// Owns counting in this process: all charges of a request in one synchronous step, so nothing can come in between.
import type { Clock, Timer } from '../lib/clock.ts'
import type { Charge, Count, Taken } from './counters.ts'
import { WindowTable } from './window-table.ts'

/** Keys of one namespace, so that a flood of addresses cannot push out the counts of principals. About 10 MB when full. */
export const keysMax = 65_536
const sweepMs = 30_000

export class MemoryCounters {
  readonly #tables = new Map<string, WindowTable>()
  readonly #clock: Clock
  readonly #keysMax: number
  #sweeping: Timer | undefined

  constructor(clock: Clock, keysMaxOfNamespace: number = keysMax) {
    this.#clock = clock
    this.#keysMax = keysMaxOfNamespace
  }

  /** `forgotten`: namespaces that were full, so that the counts of other keys were given up. */
  take(charges: readonly Charge[]): Taken & { readonly forgotten: readonly string[] } {
    const nowMs = this.#clock.monotonic()
    let admitted = true
    const found = charges.map(({ namespace, key, quota }) => {
      const entry = this.#tables.get(namespace)?.find(key, nowMs)
      if ((entry?.used ?? 0) >= quota) admitted = false
      return entry
    })
    const forgotten: string[] = []
    const counts = charges.map((charge, index): Count => {
      const entry = found[index]
      if (entry === undefined) {
        if (admitted && this.#table(charge, nowMs).open(charge.key, nowMs)) forgotten.push(charge.namespace)
        return { used: admitted ? 1 : 0, resetMs: charge.windowMs }
      }
      if (admitted) entry.used += 1
      return { used: entry.used, resetMs: entry.resetAtMs - nowMs }
    })
    return { admitted, counts, forgotten }
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

  #table(charge: Charge, nowMs: number): WindowTable {
    let table = this.#tables.get(charge.namespace)
    if (table === undefined) {
      table = new WindowTable(charge.windowMs, this.#keysMax, nowMs)
      this.#tables.set(charge.namespace, table)
      this.#sweeping ??= this.#clock.after(sweepMs, () => this.#sweep())
    }
    return table
  }

  /** Also lets go of the tables of limits that a reload took away. */
  #sweep(): void {
    const nowMs = this.#clock.monotonic()
    for (const [namespace, table] of this.#tables) if (table.sweep(nowMs)) this.#tables.delete(namespace)
    this.#sweeping = this.#tables.size === 0 ? undefined : this.#clock.after(sweepMs, () => this.#sweep())
  }
}
