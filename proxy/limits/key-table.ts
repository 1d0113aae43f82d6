// Owns the entries of one namespace in memory: a bounded number of keys, no timer per key. It does not know what is in an
// entry but when it has nothing more to say.

export type Expiring = { expiresAtMs: number }

/**
 * Two generations of keys. A key is entered into the young one; when the young one is a life old, whatever of the old one
 * was not touched since has expired, and it is dropped whole. So forgetting costs nothing per key.
 */
export class KeyTable<Entry extends Expiring> {
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  #youngSinceMs: number
  #oldExpiresMs: number
  #youngExpiresMs: number
  readonly #lifeMs: number
  readonly #keysMax: number

  /** No entry expires later than `lifeMs` after it was last put. */
  constructor(lifeMs: number, keysMax: number, nowMs: number) {
    this.#lifeMs = lifeMs
    this.#keysMax = keysMax
    this.#youngSinceMs = nowMs
    this.#youngExpiresMs = nowMs
    this.#oldExpiresMs = nowMs
  }

  find(key: string, nowMs: number): Entry | undefined {
    const entry = this.#young.get(key) ?? this.#old.get(key)
    return entry !== undefined && entry.expiresAtMs > nowMs ? entry : undefined
  }

  /** Also whenever an entry's expiry has changed. True: the table was full, and keys that had not expired were forgotten. */
  put(key: string, entry: Entry, nowMs: number): boolean {
    this.sweep(nowMs)
    const full = this.#young.size >= this.#keysMax / 2 && !this.#young.has(key)
    const forgotten = full && this.#old.size > (this.#old.has(key) ? 1 : 0) && this.#oldExpiresMs > nowMs
    if (full) this.#rotate(nowMs)
    this.#old.delete(key)
    this.#young.set(key, entry)
    this.#youngExpiresMs = Math.max(this.#youngExpiresMs, entry.expiresAtMs)
    return forgotten
  }

  /** Drops what has expired. True: nothing is left. */
  sweep(nowMs: number): boolean {
    // What is owed to a bucket, and a day of 25 hours, may last longer than a life.
    if (nowMs - this.#youngSinceMs >= this.#lifeMs && this.#oldExpiresMs <= nowMs) this.#rotate(nowMs)
    if (this.#oldExpiresMs <= nowMs && this.#old.size > 0) this.#old = new Map()
    return this.size === 0
  }

  /** Keys held, expired ones included. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  #rotate(nowMs: number): void {
    this.#old = this.#young
    this.#oldExpiresMs = this.#youngExpiresMs
    this.#young = new Map()
    this.#youngSinceMs = nowMs
    this.#youngExpiresMs = nowMs
  }
}
