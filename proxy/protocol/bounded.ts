// Owns a set that forgets: of what a long conversation has said only the latest is kept.

export class Bounded {
  readonly #entries = new Set<string>()

  /** False where it was there already. */
  add(entry: string): boolean {
    if (this.#entries.has(entry)) return false
    if (this.#entries.size >= keptMax) this.#entries.delete(this.#entries.values().next().value as string)
    this.#entries.add(entry)
    return true
  }

  has(entry: string): boolean {
    return this.#entries.has(entry)
  }
}

const keptMax = 10_000
