// Owns remembering what was worked out lately, by text and within a bound. It does not know what is remembered.

/**
 * Two generations: what is asked for again moves into the younger one, and when that is full the older one is forgotten
 * as a whole. So a lookup costs no bookkeeping, and at most `charactersMax` UTF-16 units of keys are held.
 */
export class Recent<Value> {
  readonly #generationMax: number
  #younger = new Map<string, Value>()
  #older = new Map<string, Value>()
  #characters = 0

  constructor(charactersMax: number) {
    this.#generationMax = charactersMax / 2
  }

  get(key: string): Value | undefined {
    const value = this.#younger.get(key)
    if (value !== undefined) return value
    const before = this.#older.get(key)
    if (before !== undefined) this.set(key, before)
    return before
  }

  /** A key that is a generation long by itself is not remembered. */
  set(key: string, value: Value): void {
    const weight = key.length + entryWeight
    if (weight > this.#generationMax) return
    if (this.#characters + weight > this.#generationMax) {
      this.#older = this.#younger
      this.#younger = new Map()
      this.#characters = 0
    }
    if (!this.#younger.has(key)) this.#characters += weight
    this.#younger.set(key, value)
  }
}

/** What an entry takes beside its key, in the same units, so that many short keys are bounded, too. */
const entryWeight = 64
