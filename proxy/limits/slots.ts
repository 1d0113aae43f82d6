// Owns how many requests are in flight under each key of a concurrency limit. In this process only: a count that
// outlives a crashed process would refuse for ever.

export class Slots {
  readonly #held = new Map<string, number>()

  /** False: `max` slots of this key are taken. */
  acquire(key: string, max: number): boolean {
    const held = this.#held.get(key) ?? 0
    if (held >= max) return false
    this.#held.set(key, held + 1)
    return true
  }

  release(key: string): void {
    const held = this.#held.get(key) ?? 0
    if (held <= 1) this.#held.delete(key)
    else this.#held.set(key, held - 1)
  }

  /** Keys with at least one slot taken. */
  get size(): number {
    return this.#held.size
  }
}
