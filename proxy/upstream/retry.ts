// Owns whether and when an attempt is repeated: the number of attempts, the budget that keeps retries a small share of
// the traffic, the backoff. What may be repeated at all is classify.ts's judgement.
import type { Clock } from '../lib/clock.ts'
import type { UpstreamRequest } from './answer.ts'
import type { Judgement } from './classify.ts'
import type { RetrySettings } from './settings.ts'
import { Window } from './window.ts'

const budgetWindowMs = 10_000
// One retry a second is always allowed, so that a quiet upstream is retried too.
const budgetFloor = budgetWindowMs / 1000
const backoffFirstMs = 250
const backoffMaxMs = 8000
const retryAfterMaxMs = 60_000
const replayBytesMax = 1024 * 1024

export class Retry {
  readonly #settings: RetrySettings
  readonly #clock: Clock
  readonly #random: () => number
  readonly #requestsAndRetries = new Window(budgetWindowMs)

  constructor(settings: RetrySettings, clock: Clock, random: () => number) {
    this.#settings = settings
    this.#clock = clock
    this.#random = random
  }

  /** Each request earns a share of a retry. */
  deposit(): void {
    this.#requestsAndRetries.addFirst(this.#clock.monotonic())
  }

  /**
   * Milliseconds to wait before the next attempt, which is then paid for; undefined when this one stands.
   * `attempts` have been made; `remainingMs` is left of the total deadline.
   */
  withdraw(request: UpstreamRequest, judgement: Judgement, attempts: number, remainingMs: number): number | undefined {
    if (attempts >= this.#settings.attempts || !this.#mayRepeat(request, judgement)) return undefined
    const delayMs = this.#delayMs(judgement, attempts)
    if (delayMs === undefined || delayMs >= remainingMs) return undefined
    return this.#pay() ? delayMs : undefined
  }

  /**
   * Pays for one more attempt that waits for nobody and counts against no number of attempts: with another credential, or
   * beside one that takes long.
   */
  withdrawExtra({ body }: UpstreamRequest): boolean {
    return isReplayable(body) && this.#pay()
  }

  /** Whether another upstream may be asked instead. That is no retry of this one's, so nothing is paid for it here. */
  mayPassOn(request: UpstreamRequest, judgement: Judgement): boolean {
    if (!(request.body === undefined || request.body instanceof Uint8Array)) return false
    return judgement.elsewhere === true || this.#mayRepeat(request, judgement)
  }

  /** Of the requests of the last while a share, or one a second where that is more. */
  #pay(): boolean {
    const nowMs = this.#clock.monotonic()
    const { budget } = this.#settings
    const allowed = budget > 0 ? Math.max(budgetFloor, this.#requestsAndRetries.first(nowMs) * budget) : 0
    if (this.#requestsAndRetries.second(nowMs) + 1 > allowed) return false
    this.#requestsAndRetries.addSecond(nowMs)
    return true
  }

  #mayRepeat({ body, idempotent }: UpstreamRequest, { repeatable }: Judgement): boolean {
    if (repeatable === 'never') return false
    // A stream is touched only once the request is being written.
    if (repeatable === 'unsent') return true
    if (!isReplayable(body)) return false
    return idempotent || this.#settings.unsafe || (repeatable !== 'idempotent' && this.#settings.repeatAnswered)
  }

  /** Full jitter over an exponential backoff, on top of what the upstream asked for. */
  #delayMs({ repeatable, retryAfterMs = 0 }: Judgement, attempts: number): number | undefined {
    if (repeatable === 'race') return 0
    if (retryAfterMs > retryAfterMaxMs) return undefined
    return retryAfterMs + this.#random() * Math.min(backoffMaxMs, backoffFirstMs * 2 ** (attempts - 1))
  }
}

function isReplayable(body: UpstreamRequest['body']): boolean {
  return body === undefined || (body instanceof Uint8Array && body.byteLength <= replayBytesMax)
}
