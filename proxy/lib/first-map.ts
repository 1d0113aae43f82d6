// Owns a map that mostly has one entry or none, and is kept for long: a Map has room for four from its first, 184 bytes.

/** As a Map, as far as it goes; the first entry stands before the others. */
export class FirstMap<Key, Value> {
  #key: Key | undefined
  #value: Value | undefined
  #hasFirst = false
  #others: Map<Key, Value> | undefined

  get size(): number {
    return (this.#hasFirst ? 1 : 0) + (this.#others?.size ?? 0)
  }

  get(key: Key): Value | undefined {
    return this.#isFirst(key) ? this.#value : this.#others?.get(key)
  }

  has(key: Key): boolean {
    return this.#isFirst(key) || this.#others?.has(key) === true
  }

  set(key: Key, value: Value): void {
    if (this.#hasFirst && this.#key !== key) {
      this.#others ??= new Map()
      this.#others.set(key, value)
      return
    }
    this.#key = key
    this.#value = value
    this.#hasFirst = true
  }

  keys(): Key[] {
    const others = this.#others === undefined ? [] : [...this.#others.keys()]
    return this.#hasFirst ? [this.#key as Key, ...others] : others
  }

  values(): Value[] {
    const others = this.#others === undefined ? [] : [...this.#others.values()]
    return this.#hasFirst ? [this.#value as Value, ...others] : others
  }

  clear(): void {
    this.#key = this.#value = this.#others = undefined
    this.#hasFirst = false
  }

  #isFirst(key: Key): boolean {
    return this.#hasFirst && this.#key === key
  }
}
