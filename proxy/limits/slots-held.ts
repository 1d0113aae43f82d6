// Owns the concurrency slots of one request: all that it needs are taken or none, and all are given back. How many are
// taken altogether is counted in slots.ts.
import type { Limit } from './compile.ts'
import type { Admitted, Refused } from './limiter.ts'
import type { Slots } from './slots.ts'

export type Asked = { readonly limit: Limit; readonly key: string }

export type Held = Pick<Admitted, 'release' | 'stand'> & { readonly exceeded: readonly string[] }

/** When a slot is free again depends on how long others take, so this is only a pause against hammering. */
const slotRetryMs = 1000

export function holdSlots(asked: readonly Asked[], slots: Slots, standing: boolean): Held | Refused {
  let held: string[] = []
  const exceeded: string[] = []
  const giveBack = (names: readonly string[]): void => {
    for (const name of names) slots.release(name)
  }
  const release = (): void => giveBack(held.splice(0))
  for (const { limit, key } of asked) {
    if (limit.concurrency === undefined) continue
    const name = slotName(limit, key, standing)
    if (slots.acquire(name, limit.concurrency)) held.push(name)
    else if (limit.shadow) exceeded.push(limit.id)
    else {
      release()
      const { id } = limit
      return { ok: false, code: 'concurrency-limited', limit: id, retryAfterMs: slotRetryMs, states: [], open: [] }
    }
  }
  const stand = (): string | undefined => {
    if (held.length === 0 || standing) return undefined
    const taken: string[] = []
    for (const { limit, key } of asked) {
      if (limit.concurrency === undefined) continue
      const name = slotName(limit, key, true)
      if (slots.acquire(name, limit.concurrency)) taken.push(name)
      else if (!limit.shadow) {
        giveBack(taken)
        return limit.id
      }
    }
    release()
    held = taken
    return undefined
  }
  return { release, stand, exceeded }
}

/** As many streams may stand as requests may be in flight, beside each other. No id of a limit has a colon. */
function slotName({ slots }: Limit, key: string, standing: boolean): string {
  return standing ? `standing:${slots}/${key}` : `${slots}/${key}`
}
