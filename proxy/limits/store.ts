// Owns what outlives a reload of the configuration: counts, slots in flight and the connection to Redis. Limiters come
// and go over it.
import type { Clock } from '../lib/clock.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import type { RedisPlan, StorePlan } from './compile-store.ts'
import { MemoryCounters } from './memory.ts'
import { connectRedis, RedisCounters, type RedisClient } from './redis.ts'
import { Slots } from './slots.ts'
import type { StoreEvent } from './store-event.ts'

export type Store = {
  readonly memory: MemoryCounters
  readonly redis?: RedisCounters
  readonly slots: Slots
  /** How many processes share Redis. */
  readonly replicas: number
  readonly onEvent: (event: StoreEvent) => void
  /** True: everything can be counted where the plan says. False: Redis was not there within `timeoutMs`; it may still come. */
  ready(timeoutMs: number): Promise<boolean>
  close(): void
}

export type StoreContext = {
  readonly clock: Clock
  readonly onEvent: (event: StoreEvent) => void
  readonly resolveSecret: ResolveSecret
  /** For tests: a client in the place of ioredis. */
  readonly connect?: (plan: RedisPlan, resolveSecret: ResolveSecret) => RedisClient
  /** For tests: keys that memory holds for each limit. */
  readonly keysMax?: number
}

/** Does not wait for Redis and does not fail without it. Throws only what `resolveSecret` throws. */
export function openStore(plan: StorePlan, context: StoreContext): Store {
  const { clock, onEvent, resolveSecret, connect = connectRedis } = context
  const memory = new MemoryCounters(clock, context.keysMax)
  const slots = new Slots()
  if (plan.redis === undefined) {
    return { memory, slots, replicas: 1, onEvent, ready: () => Promise.resolve(true), close: () => memory.close() }
  }
  const redis = new RedisCounters(connect(plan.redis, resolveSecret), plan.redis.prefix, clock, onEvent)
  return {
    memory,
    redis,
    slots,
    replicas: plan.replicas,
    onEvent,
    ready: (timeoutMs) => redis.ready(timeoutMs),
    close: () => {
      redis.close()
      memory.close()
    },
  }
}
