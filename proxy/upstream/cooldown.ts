// Owns leaving a group (a model) alone after the upstream said until when. It is not the breaker: other groups of the
// same upstream go on.
import type { Clock } from '../lib/clock.ts'
import { ownText } from '../lib/own-text.ts'
import { Fault } from '../errors.ts'

// Groups come from requests, so their number is bounded.
const groupsMax = 1000

type Rest = { readonly untilMs: number; readonly status: number }

export class Cooldown {
  readonly #clock: Clock
  readonly #rests = new Map<string, Rest>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  start(group: string, forMs: number, status: number): void {
    if (forMs <= 0) return
    const untilMs = this.#clock.monotonic() + forMs
    const current = this.#rests.get(group)
    if (current !== undefined && current.untilMs >= untilMs) return
    this.#rests.delete(group)
    if (this.#rests.size >= groupsMax) this.#forget()
    this.#rests.set(ownText(group), { untilMs, status })
  }

  /** What the upstream would answer, as long as the group is to be left alone. */
  resting(group: string): Fault | undefined {
    if (this.#rests.size === 0) return undefined
    const rest = this.#rests.get(group)
    if (rest === undefined) return undefined
    const retryAfterMs = rest.untilMs - this.#clock.monotonic()
    if (retryAfterMs <= 0) {
      this.#rests.delete(group)
      return undefined
    }
    const details = { retryAfterMs, elsewhere: true }
    return rest.status === 429
      ? new Fault('rate-limited', 'The upstream limits requests and asked to wait.', { limit: 'upstream', ...details })
      : new Fault('breaker-open', 'The upstream is not available and asked to wait.', details)
  }

  #forget(): void {
    const nowMs = this.#clock.monotonic()
    for (const [group, { untilMs }] of this.#rests) if (untilMs <= nowMs) this.#rests.delete(group)
    const oldest = this.#rests.keys().next()
    if (this.#rests.size >= groupsMax && oldest.done !== true) this.#rests.delete(oldest.value)
  }
}
