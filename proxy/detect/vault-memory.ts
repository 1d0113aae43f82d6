// Owns what tokens stand for beyond the exchange that issued them: by caller, for a time, within a bound, in the memory
// of this process. It does not know what a token looks like.
import type { Clock, Timer } from '../lib/clock.ts'
import type { RestorePlace } from './options.ts'

/** Where a value may come back: in answers, and in what tools are sent. */
export type Terms = { readonly restore: readonly RestorePlace[]; readonly restoreTo: readonly string[] }

export type Kept = Terms & { readonly entity: string; readonly value: string }

/** What is kept of one caller. Tokens are known by their body, or by `#` and their digits (`form`). */
export type KeptOfCaller = {
  readonly get: (token: string) => Kept | undefined
  readonly keep: (token: string, form: TokenForm, kept: Kept) => void
  readonly size: number
  /** Entities and forms of what may be there. */
  readonly entities: ReadonlySet<string>
  readonly forms: ReadonlySet<TokenForm>
  /** Bit n: some token is a number of n digits. */
  readonly numberLengths: number
}

export type TokenForm = 'word' | 'mail' | 'number'

/** `queuedUntilMs` is what `untilMs` was when the entry took its place in the queue, `next` the one behind it there. */
type Entry = {
  readonly caller: Caller
  readonly token: string
  kept: Kept
  untilMs: number
  queuedUntilMs: number
  next: Entry | undefined
}

/** Values of ordinary length; of longer ones fewer are kept. */
const charactersPerEntry = 256
const sweepMs = 30_000

export class VaultMemory {
  readonly #clock: Clock
  readonly #ttlMs: number
  readonly #entriesMax: number
  /** No more than there are principals. */
  readonly #callers = new Map<string, Caller>()
  /**
   * In the order in which they were to end when they were queued: what is kept again, as most is, keeps its place. They leave
   * at the front; a Set would look through the places of all that left before, a hundred thousand of them.
   */
  #first: Entry | undefined
  #last: Entry | undefined
  #size = 0
  #characters = 0
  #sweeping: Timer | undefined

  constructor(clock: Clock, ttlMs: number, entriesMax: number) {
    this.#clock = clock
    this.#ttlMs = ttlMs
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#size
  }

  of(name: string): KeptOfCaller {
    let caller = this.#callers.get(name)
    if (caller === undefined) this.#callers.set(name, (caller = new Caller(this)))
    return caller
  }

  isOver({ untilMs }: Entry): boolean {
    return untilMs <= this.#clock.monotonic()
  }

  keep(caller: Caller, token: string, kept: Kept): void {
    const nowMs = this.#clock.monotonic()
    const untilMs = nowMs + this.#ttlMs
    const before = caller.entries.get(token)
    if (before === undefined) {
      const entry = { caller, token, kept, untilMs, queuedUntilMs: untilMs, next: undefined }
      this.#queue(entry)
      caller.entries.set(token, entry)
    } else {
      this.#characters -= before.kept.value.length
      before.kept = kept
      before.untilMs = untilMs
    }
    this.#characters += kept.value.length
    this.#trim(nowMs)
    this.#sweeping ??= this.#clock.after(sweepMs, () => this.#sweep())
  }

  close(): void {
    this.#sweeping?.cancel()
    this.#first = this.#last = undefined
    this.#size = 0
    for (const caller of this.#callers.values()) caller.clear()
  }

  #trim(nowMs: number): void {
    for (let entry = this.#first; entry !== undefined; entry = this.#first) {
      const isFull = this.#size > this.#entriesMax || this.#characters > this.#entriesMax * charactersPerEntry
      if (entry.queuedUntilMs > nowMs && !isFull) return
      this.#leave(entry)
      if (entry.untilMs > entry.queuedUntilMs) {
        entry.queuedUntilMs = entry.untilMs
        this.#queue(entry)
      } else this.#forget(entry)
    }
  }

  #queue(entry: Entry): void {
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
    this.#size += 1
  }

  /** The first does. */
  #leave(entry: Entry): void {
    this.#first = entry.next
    if (this.#first === undefined) this.#last = undefined
    entry.next = undefined
    this.#size -= 1
  }

  #forget({ caller, token, kept }: Entry): void {
    this.#characters -= kept.value.length
    caller.entries.delete(token)
    if (caller.entries.size === 0) caller.clear()
  }

  #sweep(): void {
    this.#trim(this.#clock.monotonic())
    this.#sweeping = this.#size === 0 ? undefined : this.#clock.after(sweepMs, () => this.#sweep())
  }
}

class Caller implements KeptOfCaller {
  readonly entries = new Map<string, Entry>()
  readonly entities = new Set<string>()
  readonly forms = new Set<TokenForm>()
  numberLengths = 0
  readonly #memory: VaultMemory

  constructor(memory: VaultMemory) {
    this.#memory = memory
  }

  get size(): number {
    return this.entries.size
  }

  get(token: string): Kept | undefined {
    const entry = this.entries.get(token)
    return entry === undefined || this.#memory.isOver(entry) ? undefined : entry.kept
  }

  keep(token: string, form: TokenForm, kept: Kept): void {
    this.#memory.keep(this, token, kept)
    this.entities.add(kept.entity)
    this.forms.add(form)
    if (form === 'number') this.numberLengths |= 1 << (token.length - 1)
  }

  clear(): void {
    this.entries.clear()
    this.entities.clear()
    this.forms.clear()
    this.numberLengths = 0
  }
}
