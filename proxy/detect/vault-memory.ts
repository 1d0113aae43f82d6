// Owns what tokens stand for beyond the exchange that issued them: by caller, for a time, within a bound, in the memory
// of this process. It does not know what a token looks like.
import type { Clock, Timer } from '../lib/clock.ts'
import type { RestorePlace } from './options.ts'

/** Where a value may come back: in answers, and in what tools are sent. */
export type Terms = { readonly restore: readonly RestorePlace[]; readonly restoreTo: readonly string[] }

export type Kept = Terms & { readonly entity: string; readonly value: string }

/** What is kept of one caller. Tokens are known by their body, or by their digits (`form`). */
export type KeptOfCaller = {
  readonly get: (token: string) => Kept | undefined
  readonly keep: (token: string, form: TokenForm, kept: Kept) => void
  readonly size: number
  /** Entities and forms of what may be there. */
  readonly entities: ReadonlySet<string>
  readonly forms: ReadonlySet<TokenForm>
}

export type TokenForm = 'word' | 'mail' | 'number'

type Entry = { readonly caller: Caller; readonly kept: Kept; readonly untilMs: number }

/** Values of ordinary length; of longer ones fewer are kept. */
const charactersPerEntry = 256
const sweepMs = 30_000

export class VaultMemory {
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #entriesMax: number
  /** No more than there are principals. */
  readonly #callers = new Map<string, Caller>()
  /** In the order in which they end. */
  readonly #entries = new Map<string, Entry>()
  #characters = 0
  #sweeping: Timer | undefined

  constructor(clock: Clock, ttlMs: number, entriesMax: number) {
    this.#clock = clock
    this.#ttlMs = ttlMs
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#entries.size
  }

  of(name: string): KeptOfCaller {
    let caller = this.#callers.get(name)
    if (caller === undefined) this.#callers.set(name, (caller = new Caller(name, this)))
    return caller
  }

  get(caller: Caller, token: string): Kept | undefined {
    const entry = this.#entries.get(caller.keyOf(token))
    return entry === undefined || entry.untilMs <= this.#clock.monotonic() ? undefined : entry.kept
  }

  keep(caller: Caller, token: string, kept: Kept): void {
    const nowMs = this.#clock.monotonic()
    const key = caller.keyOf(token)
    const before = this.#entries.get(key)
    if (before !== undefined) this.#forget(key, before)
    this.#entries.set(key, { caller, kept, untilMs: nowMs + this.#ttlMs })
    caller.size += 1
    this.#characters += kept.value.length
    this.#trim(nowMs)
    this.#sweeping ??= this.#clock.after(sweepMs, () => this.#sweep())
  }

  close(): void {
    this.#sweeping?.cancel()
    this.#entries.clear()
    this.#callers.clear()
  }

  #trim(nowMs: number): void {
    for (const [key, entry] of this.#entries) {
      const isFull = this.#entries.size > this.#entriesMax || this.#characters > this.#entriesMax * charactersPerEntry
      if (entry.untilMs > nowMs && !isFull) return
      this.#forget(key, entry)
    }
  }

  #forget(key: string, { caller, kept }: Entry): void {
    this.#entries.delete(key)
    this.#characters -= kept.value.length
    caller.size -= 1
    if (caller.size > 0) return
    caller.entities.clear()
    caller.forms.clear()
  }

  #sweep(): void {
    this.#trim(this.#clock.monotonic())
    this.#sweeping = this.#entries.size === 0 ? undefined : this.#clock.after(sweepMs, () => this.#sweep())
  }
}

class Caller implements KeptOfCaller {
  readonly name: string
  size = 0
  readonly entities = new Set<string>()
  readonly forms = new Set<TokenForm>()
  readonly #memory: VaultMemory

  constructor(name: string, memory: VaultMemory) {
    this.name = name
    this.#memory = memory
  }

  get(token: string): Kept | undefined {
    return this.size === 0 ? undefined : this.#memory.get(this, token)
  }

  keep(token: string, form: TokenForm, kept: Kept): void {
    this.#memory.keep(this, token, kept)
    this.entities.add(kept.entity)
    this.forms.add(form)
  }

  /** The length before the name keeps callers apart whatever they are called. */
  keyOf(token: string): string {
    return `${this.name.length}:${this.name}${token}`
  }
}
