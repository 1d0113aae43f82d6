// Owns what is remembered between exchanges: the memory of this process, and behind it, where gateways share, Redis.
// Memory is asked while text is restored; Redis before, for the tokens that a request shows.
import type { Clock } from '../lib/clock.ts'
import { VaultMemory, type Kept, type KeptOfCaller } from './vault-memory.ts'
import type { VaultPlan } from './vault-options.ts'
import type { VaultRedis } from './vault-redis.ts'

export type VaultStore = {
  /** What is kept of one caller. */
  readonly of: (caller: string) => KeptOfCaller
  /** Whether `recall` has anybody to ask. */
  readonly isShared: boolean
  /** Brings what other gateways kept of the caller into memory. False: nobody answered, so such tokens stay tokens. */
  readonly recall: (caller: string, tokens: Iterable<string>) => Promise<boolean>
  /** Resolves once everybody can be asked, or after `timeoutMs`. */
  readonly ready: (timeoutMs: number) => Promise<void>
  readonly close: () => void
}

/** Of a request that shows more tokens than this that are not known here, the rest stay tokens. */
const recalledMax = 256

export function openVaultStore(plan: VaultPlan, clock: Clock, redis?: VaultRedis): VaultStore {
  const memory = new VaultMemory(clock, plan.ttlMs, plan.entriesMax)
  const sharing = new Map<string, KeptOfCaller>()
  return {
    isShared: redis !== undefined,
    of(caller) {
      const kept = memory.of(caller)
      if (redis === undefined) return kept
      let shared = sharing.get(caller)
      if (shared === undefined) sharing.set(caller, (shared = new Shared(kept, caller, redis)))
      return shared
    },
    async recall(caller, tokens) {
      if (redis === undefined) return true
      const kept = memory.of(caller)
      const unknown: string[] = []
      for (const token of tokens) {
        if (unknown.length < recalledMax && kept.get(token) === undefined) unknown.push(token)
      }
      if (unknown.length === 0) return true
      const answered = await redis.get(caller, unknown)
      for (const [index, found] of (answered ?? []).entries()) {
        const token = unknown[index]
        if (found !== undefined && token !== undefined) kept.keep(token, found.form, found.kept)
      }
      return answered !== undefined
    },
    ready: (timeoutMs) => redis?.ready(timeoutMs) ?? Promise.resolve(),
    close() {
      memory.close()
      redis?.close()
    },
  }
}

/** Numbers are not shared: every long number of a request would have to be asked for. */
class Shared implements KeptOfCaller {
  readonly #kept: KeptOfCaller
  readonly #caller: string
  readonly #redis: VaultRedis

  constructor(kept: KeptOfCaller, caller: string, redis: VaultRedis) {
    this.#kept = kept
    this.#caller = caller
    this.#redis = redis
  }

  get size(): number {
    return this.#kept.size
  }

  get entities(): KeptOfCaller['entities'] {
    return this.#kept.entities
  }

  get forms(): KeptOfCaller['forms'] {
    return this.#kept.forms
  }

  get numberLengths(): number {
    return this.#kept.numberLengths
  }

  get(token: string): Kept | undefined {
    return this.#kept.get(token)
  }

  keep(token: string, form: Parameters<KeptOfCaller['keep']>[1], kept: Kept): void {
    this.#kept.keep(token, form, kept)
    if (form !== 'number') this.#redis.put(this.#caller, token, { form, kept })
  }
}
