// Owns the concurrency slots of one request: all that it needs are taken or none, and all are given back. How many are
// taken altogether is counted in slots.ts.
import { appended } from '../lib/appended.ts'
import type { Limit } from './compile.ts'
import type { Admitted, Refused } from './limiter.ts'
import type { Slots } from './slots.ts'

export type Asked = { readonly limit: Limit; readonly key: string }

export type Held = Pick<Admitted, 'release' | 'stand'> & { readonly exceeded: readonly string[] }

/** When a slot is free again depends on how long others take, so this is only a pause against hammering. */
const slotRetryMs = 1000

export function holdSlots(asked: readonly Asked[], slots: Slots, standing: boolean): Held | Refused {
  let limited: readonly Asked[] = noneAsked
  for (const one of asked) if (one.limit.concurrency !== undefined) limited = appended(limited, one)
  if (limited.length === 0) return holdingNone
  let held = none
  let exceeded = none
  const release = (): void => {
    const names = held
    held = none
    giveBack(names, slots)
  }
  for (const { limit, key } of limited) {
    const name = slotName(limit, key, standing)
    if (slots.acquire(name, limit.concurrency as number)) held = appended(held, name)
    else if (limit.shadow) exceeded = appended(exceeded, limit.id)
    else {
      release()
      const { id } = limit
      return { ok: false, code: 'concurrency-limited', limit: id, retryAfterMs: slotRetryMs, states: [], open: [] }
    }
  }
  const stand = (): string | undefined => {
    if (held.length === 0 || standing) return undefined
    const taken: string[] = []
    for (const { limit, key } of limited) {
      const name = slotName(limit, key, true)
      if (slots.acquire(name, limit.concurrency as number)) taken.push(name)
      else if (!limit.shadow) {
        giveBack(taken, slots)
        return limit.id
      }
    }
    release()
    held = taken
    return undefined
  }
  return { release, stand, exceeded }
}

const none: readonly string[] = []
const noneAsked: readonly Asked[] = []
const holdingNone: Held = { release: () => undefined, stand: () => undefined, exceeded: none }

function giveBack(names: readonly string[], slots: Slots): void {
  for (const name of names) slots.release(name)
}

/** As many streams may stand as requests may be in flight, beside each other. No id of a limit has a colon. */
function slotName({ slots }: Limit, key: string, standing: boolean): string {
  return standing ? `standing:${slots}/${key}` : `${slots}/${key}`
}
