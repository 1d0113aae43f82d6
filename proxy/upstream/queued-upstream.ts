// Owns an upstream that is given no more requests at the same time than it may have (`concurrency`). An exchange keeps its
// place through all its attempts until the upstream has said everything; only streams that stay open give it up at their
// head, because nothing is being worked on.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { AdaptiveLimit, type Limit } from './adaptive-limit.ts'
import type { Cancellation, UpgradeRequest, UpstreamAnswer, UpstreamEvent, UpstreamRequest } from './answer.ts'
import type { BreakerState } from './breaker.ts'
import type { BreakerMode, BreakerPart } from './breakers.ts'
import { isStream } from './opening.ts'
import type { ConcurrencySettings } from './settings.ts'
import type { Upstream } from './upstream.ts'
import { WaitingRoom } from './waiting-room.ts'

type Deps = { readonly clock: Clock; readonly random: () => number; readonly onEvent: (event: UpstreamEvent) => void }

/** What is queued for. */
type Queueable = Upstream & {
  /** Whether a request of this group would be refused now, so that nothing of it is sent. */
  refuses(group: string): boolean
}

export class QueuedUpstream implements Upstream {
  readonly id: string
  readonly basePath: string
  readonly #upstream: Queueable
  readonly #clock: Clock
  readonly #room: WaitingRoom
  readonly #adaptive: AdaptiveLimit | undefined
  readonly #queueTimeoutMs: number
  readonly #limit: Limit

  constructor(upstream: Queueable, settings: ConcurrencySettings, { clock, random, onEvent }: Deps) {
    const { max, adaptive, queue, queueTimeoutMs } = settings
    this.id = upstream.id
    this.basePath = upstream.basePath
    this.#upstream = upstream
    this.#clock = clock
    this.#queueTimeoutMs = queueTimeoutMs
    this.#adaptive = adaptive ? new AdaptiveLimit(max, clock, random) : undefined
    this.#limit = this.#adaptive ?? { current: max }
    this.#room = new WaitingRoom({
      limit: this.#limit,
      queue,
      queueTimeoutMs,
      clock,
      onRefused: (why) => onEvent({ type: 'queue-refused', upstream: this.id, why }),
    })
  }

  async send(request: UpstreamRequest, signal: Cancellation): Promise<UpstreamAnswer> {
    const { group = '', headAtMs = Infinity, priority } = request
    // Who would be refused anyway need not wait for it.
    if (request.onPanic === undefined && this.#upstream.refuses(group)) return this.#upstream.send(request, signal)
    await this.#room.enter(signal, headAtMs, priority)
    const place = new Place(this.#room)
    try {
      const answer = await this.#upstream.send(request, signal)
      this.#learn(answer)
      if (request.standing === true || (request.method === 'GET' && isStream(answer.headers))) {
        place.leave()
        return answer
      }
      return { ...answer, body: new WatchedBody(answer.body, place), settle: settling(answer, place) }
    } catch (error) {
      if (error instanceof Fault && isOverload(error, this.#clock.monotonic() < headAtMs)) this.#learnOverload()
      place.leave()
      throw error
    }
  }

  /** A WebSocket may stay open for hours with nothing to do, so it keeps its place only until it is there. */
  async open(request: UpgradeRequest, signal: Cancellation): Promise<UpstreamAnswer> {
    if (request.onPanic === undefined && this.#upstream.refuses(request.group ?? ''))
      return this.#upstream.open(request, signal)
    await this.#room.enter(signal, Infinity, request.priority)
    try {
      return await this.#upstream.open(request, signal)
    } finally {
      this.#room.leave()
    }
  }

  state(): BreakerState {
    return this.#upstream.state()
  }

  parts(): readonly BreakerPart[] {
    return this.#upstream.parts()
  }

  mode(): BreakerMode {
    return this.#upstream.mode()
  }

  override(to: BreakerMode): void {
    this.#upstream.override(to)
  }

  refusedMs(group: string): number {
    return Math.max(this.#upstream.refusedMs(group), this.#room.full ? this.#queueTimeoutMs : 0)
  }

  heldMs(group: string): number | undefined {
    return this.#room.full ? undefined : this.#upstream.heldMs(group)
  }

  limit(): number {
    return this.#limit.current
  }

  close(): Promise<void> {
    return this.#upstream.close()
  }

  /** The time to the head counts: how long an answer is says nothing about how busy the upstream is. */
  #learn({ status, attempts }: UpstreamAnswer): void {
    if (this.#adaptive === undefined) return
    if (status === 503 || status === 529) return this.#learnOverload()
    const firstByteMs = attempts.at(-1)?.firstByteMs
    if (status >= 300 || firstByteMs === undefined) return
    this.#adaptive.answered(firstByteMs, this.#room.underWay)
  }

  #learnOverload(): void {
    this.#adaptive?.overloaded()
  }
}

/** A caller's own deadline says nothing about the upstream: any client could close it. */
function isOverload({ code }: Fault, inTime: boolean): boolean {
  return (code === 'upstream-timeout' && inTime) || code === 'overloaded'
}

class Place {
  #room: WaitingRoom | undefined

  constructor(room: WaitingRoom) {
    this.#room = room
  }

  /** May be called again. */
  leave(): void {
    const room = this.#room
    this.#room = undefined
    room?.leave()
  }
}

function settling(answer: UpstreamAnswer, place: Place): UpstreamAnswer['settle'] {
  return (outcome) => {
    answer.settle(outcome)
    place.leave()
  }
}

type Result = IteratorResult<Uint8Array, undefined>

/** The same body; when it ends, however it does, the place is free. */
class WatchedBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #body: AsyncIterator<Uint8Array, undefined>
  readonly #place: Place

  constructor(body: UpstreamAnswer['body'], place: Place) {
    this.#body = body[Symbol.asyncIterator]()
    this.#place = place
  }

  next(): Promise<Result> {
    return this.#body.next().then(
      (result) => {
        if (result.done === true) this.#place.leave()
        return result
      },
      (error: unknown) => {
        this.#place.leave()
        throw error
      },
    )
  }

  async return(): Promise<Result> {
    this.#place.leave()
    return (await this.#body.return?.()) ?? { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
