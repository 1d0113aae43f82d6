// Owns how many requests are in flight under each key of a concurrency limit. In this process only: a count that
// outlives a crashed process would refuse for ever.

/** Keys of which nothing is held are forgotten by so many at a time; why not at once stands in lib/roster.ts. */
const idleMax = 1_024

export class Slots {
  readonly #held = new Map<string, number>()
  /** Keys of which nothing is held. */
  #idle = 0

  /** False: `max` slots of this key are taken. */
  acquire(key: string, max: number): boolean {
    const held = this.#held.get(key)
    if ((held ?? 0) >= max) return false
    if (held === 0) this.#idle -= 1
    this.#held.set(key, (held ?? 0) + 1)
    return true
  }

  release(key: string): void {
    const held = this.#held.get(key) ?? 0
    if (held === 0) return
    this.#held.set(key, held - 1)
    if (held > 1) return
    this.#idle += 1
    if (this.#idle > idleMax) this.#forgetIdle()
  }

  /** Keys with at least one slot taken. */
  get size(): number {
    return this.#held.size - this.#idle
  }

  #forgetIdle(): void {
    for (const [key, held] of this.#held) if (held === 0) this.#held.delete(key)
    this.#idle = 0
  }
}
