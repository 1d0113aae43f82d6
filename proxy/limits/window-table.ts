// Owns the counts of one namespace in memory: fixed windows, a bounded number of keys, no timer per key. It does not
// know quotas.

type Entry = { used: number; readonly resetAtMs: number }

/**
 * Two generations of keys. A key is entered into the young one and never moves; when the young one is a window old, all
 * of the old one has expired and is dropped whole. So forgetting costs nothing per key, and no key outlives two windows.
 */
export class WindowTable {
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
  #youngSinceMs: number
  #youngLastMs: number
  #oldLastMs: number
  readonly #windowMs: number
  readonly #keysMax: number

  constructor(windowMs: number, keysMax: number, nowMs: number) {
    this.#windowMs = windowMs
    this.#keysMax = keysMax
    this.#youngSinceMs = nowMs
    this.#youngLastMs = nowMs
    this.#oldLastMs = nowMs
  }

  /** The key's open window, or undefined before its first request and after its end. */
  find(key: string, nowMs: number): Entry | undefined {
    const entry = this.#young.get(key) ?? this.#old.get(key)
    return entry !== undefined && entry.resetAtMs > nowMs ? entry : undefined
  }

  /** Opens a window with one request in it. True: the table was full and keys with open windows were forgotten for it. */
  open(key: string, nowMs: number): boolean {
    this.sweep(nowMs)
    const full = this.#young.size >= this.#keysMax / 2
    const forgotten = full && this.#old.size > 0 && this.#oldLastMs + this.#windowMs > nowMs
    if (full) this.#rotate(nowMs)
    this.#young.set(key, { used: 1, resetAtMs: nowMs + this.#windowMs })
    this.#youngLastMs = nowMs
    return forgotten
  }

  /** Drops what has expired. True: nothing is left. */
  sweep(nowMs: number): boolean {
    if (nowMs - this.#youngSinceMs >= this.#windowMs) this.#rotate(nowMs)
    if (this.#oldLastMs + this.#windowMs <= nowMs && this.#old.size > 0) this.#old = new Map()
    return this.size === 0
  }

  /** Keys held, expired ones included. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  #rotate(nowMs: number): void {
    this.#old = this.#young
    this.#oldLastMs = this.#youngLastMs
    this.#young = new Map()
    this.#youngSinceMs = nowMs
  }
}
