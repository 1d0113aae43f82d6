// Owns remembering what was worked out lately, by text and within a bound. It does not know what is remembered.

/**
 * Two generations: what is asked for again moves into the younger one, and when that is full the older one is forgotten
 * as a whole. So a lookup costs no bookkeeping, and at most `charactersMax` UTF-16 units of keys are held.
 */
export class Recent<Value> {
  readonly #generationMax: number
  #younger = new Generation<Value>()
  #older = new Generation<Value>()
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
      this.#younger = new Generation()
      this.#characters = 0
    }
    if (this.#younger.set(key, value)) this.#characters += weight
  }
}

/** What an entry takes beside its key, in the same units, so that many short keys are bounded, too. */
const entryWeight = 64

/** The few keys that are so long are compared one by one: others differ early, and a hash takes all of a key. */
const longMin = 1 << 13

class Generation<Value> {
  readonly #values = new Map<string, Value>()
  readonly #long: { readonly key: string; value: Value }[] = []

  get(key: string): Value | undefined {
    return key.length < longMin ? this.#values.get(key) : this.#find(key)?.value
  }

  /** Whether the key is new. */
  set(key: string, value: Value): boolean {
    if (key.length < longMin) {
      const { size } = this.#values
      return this.#values.set(key, value).size > size
    }
    const known = this.#find(key)
    if (known === undefined) this.#long.push({ key, value })
    else known.value = value
    return known === undefined
  }

  #find(key: string): { value: Value } | undefined {
    for (const one of this.#long) if (one.key === key) return one
    return undefined
  }
}
