// Owns the credentials of one upstream: which of them is used next, and which are to be left alone until when. It does
// not know what a credential is or how an outcome became a rest.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { Cooldown } from './cooldown.ts'

export type Slot<Holding> = {
  /** How the record and the metrics name it; never the value. Absent where there is only one. */
  readonly name: string | undefined
  readonly holding: Holding
  /** Group → until when. */
  readonly groups: Cooldown
  /** Every group: the credential itself was refused. */
  readonly whole: Cooldown
}

// What is refused without a time to come back: a quota that is used up, a key that was revoked.
const refusedMs = 60_000
const everyGroup = ''

/** One credential is used until it must rest; then the next one is. */
export class Keyring<Holding> {
  readonly #slots: readonly Slot<Holding>[]
  #current = 0

  constructor(entries: readonly { readonly name: string; readonly holding: Holding }[], clock: Clock) {
    this.#slots = entries.map(({ name, holding }) => ({
      name: entries.length === 1 ? undefined : name,
      holding,
      groups: new Cooldown(clock),
      whole: new Cooldown(clock),
    }))
  }

  /**
   * Throws the Fault of the one that is ready soonest when none is. Where all were refused and none asked to wait, that may
   * have been what one caller sent, so the others are not refused for it.
   */
  pick(group: string): Slot<Holding> {
    let soonest: Fault | undefined
    let refused: Slot<Holding> | undefined
    for (let turn = 0; turn < this.#slots.length; turn++) {
      const index = (this.#current + turn) % this.#slots.length
      const slot = this.#slots[index] as Slot<Holding>
      const resting = restOf(slot, group)
      if (resting === undefined) {
        this.#current = index
        return slot
      }
      if (soonest === undefined || waitOf(resting) < waitOf(soonest)) soonest = resting
      if (slot.groups.resting(group) === undefined) refused ??= slot
    }
    if (refused !== undefined) return refused
    throw soonest ?? new Fault('internal')
  }

  /** Whether `pick` throws. */
  refuses(group: string): boolean {
    return this.#slots.every((slot) => slot.groups.resting(group) !== undefined)
  }

  /** Another than those that were tried, if one is ready. */
  other(tried: readonly Slot<Holding>[], group: string): Slot<Holding> | undefined {
    return this.#slots.find((slot) => !tried.includes(slot) && restOf(slot, group) === undefined)
  }

  /** How long none is as good as ever: one that was only refused is used all the same where there is no other. */
  restingMs(group: string): number {
    return Math.min(...this.#slots.map((slot) => waitOf(restOf(slot, group))))
  }

  /** What an answer of this status with `forMs` to wait means. A 503 speaks of the upstream, so all of them rest. */
  rest(slot: Slot<Holding>, group: string, status: number, forMs: number | undefined): void {
    if (status === 503) for (const each of this.#slots) each.groups.start(group, forMs ?? 0, status)
    else if (forMs !== undefined) slot.groups.start(group, forMs, status)
    else if (this.#slots.length === 1) return
    else if (status === 429) slot.groups.start(group, refusedMs, status)
    else if (status === 401 || status === 402) slot.whole.start(everyGroup, refusedMs, status)
  }
}

function restOf(slot: Slot<unknown>, group: string): Fault | undefined {
  return slot.whole.resting(everyGroup) ?? slot.groups.resting(group)
}

function waitOf(fault: Fault | undefined): number {
  return fault === undefined ? 0 : (fault.details.retryAfterMs ?? 0)
}
