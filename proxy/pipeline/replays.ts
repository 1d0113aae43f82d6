// Owns the answers that are kept for requests with an Idempotency-Key: whoever sends the same again gets what the upstream
// said the first time, judged and filtered anew. Memory only, and bounded; it does not know what a request is.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Cancellation, UpstreamAnswer } from '../upstream/answer.ts'

export type Replays = {
  /**
   * `scope` is the caller, the route and the key; `request` tells one request from another. Faults: `key-reused`, and
   * whatever `send` throws. Whoever comes while the first is under way waits for it; if there is nothing to keep of that,
   * the next one sends.
   */
  answer(asked: Asked, send: () => Promise<UpstreamAnswer>): Promise<UpstreamAnswer>
}

export type Asked = {
  readonly scope: string
  readonly request: string
  readonly keepMs: number
  readonly signal: Cancellation
}

const entriesMax = 1000
const bytesMax = 64 * 1024 * 1024
const answerBytesMax = 1024 * 1024
/** These say "not now" or "not you": what is done about it should change the answer. */
const notKept: ReadonlySet<number> = new Set([401, 402, 408, 409, 425, 429])

type Kept = Pick<UpstreamAnswer, 'status' | 'headers' | 'contentLength' | 'scrub'> & { readonly body: Uint8Array }
type Entry = {
  readonly request: string
  untilMs: number
  kept: Kept | undefined
  /** Resolves when the first one has ended, one way or the other. */
  readonly ended: Promise<void>
}

export function openReplays(clock: Clock): Replays {
  return new BoundedReplays(clock)
}

class BoundedReplays implements Replays {
  readonly #clock: Clock
  /** Oldest first. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0
  /** Of answers that are still coming. */
  readonly #room: Room = { takenBytes: 0 }

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async answer(asked: Asked, send: () => Promise<UpstreamAnswer>): Promise<UpstreamAnswer> {
    for (;;) {
      const entry = this.#find(asked.scope)
      if (entry === undefined) return this.#first(asked, send)
      if (entry.request !== asked.request) throw new Fault('key-reused')
      if (entry.kept !== undefined) return replayed(entry.kept)
      await untilEnded(entry.ended, asked.signal)
    }
  }

  #find(scope: string): Entry | undefined {
    const entry = this.#entries.get(scope)
    if (entry === undefined || entry.untilMs > this.#clock.monotonic()) return entry
    this.#forget(scope, entry)
    return undefined
  }

  async #first({ scope, request, keepMs }: Asked, send: () => Promise<UpstreamAnswer>): Promise<UpstreamAnswer> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    // Not to be forgotten while it is under way, however long that takes.
    const entry: Entry = { request, untilMs: Infinity, kept: undefined, ended }
    this.#entries.set(scope, entry)
    try {
      const answer = await send()
      return recorded(answer, this.#room, (kept) => {
        if (kept === undefined) this.#forget(scope, entry)
        else this.#keep(scope, entry, kept, keepMs)
        end()
      })
    } catch (error) {
      this.#forget(scope, entry)
      end()
      throw error
    }
  }

  #keep(scope: string, entry: Entry, kept: Kept, keepMs: number): void {
    entry.kept = kept
    entry.untilMs = this.#clock.monotonic() + keepMs
    this.#bytes += kept.body.length
    // To the end of the line: those that have ended longest go first.
    this.#entries.delete(scope)
    this.#entries.set(scope, entry)
    for (const [oldest, one] of this.#entries) {
      if (this.#entries.size <= entriesMax && this.#bytes <= bytesMax) break
      if (one.kept !== undefined) this.#forget(oldest, one)
    }
  }

  #forget(scope: string, entry: Entry): void {
    if (this.#entries.get(scope) !== entry) return
    this.#entries.delete(scope)
    this.#bytes -= entry.kept?.body.length ?? 0
  }
}

/** The answer with a copy of its body made as it is read; `onEnd` is told once, with nothing where it is not to be kept. */
function recorded(answer: UpstreamAnswer, room: Room, onEnd: (kept: Kept | undefined) => void): UpstreamAnswer {
  const { status, headers, contentLength, scrub } = answer
  if (status >= 500 || notKept.has(status) || answer.elsewhere === true) {
    // At once: another upstream may be asked before anybody settles this.
    onEnd(undefined)
    return answer
  }
  const copy = new Copy(answer.body, room)
  let settled = false
  return {
    ...answer,
    body: copy,
    settle(outcome) {
      answer.settle(outcome)
      if (settled) return
      settled = true
      const whole = outcome === 'complete' ? copy.whole : undefined
      copy.giveUp()
      onEnd(whole === undefined ? undefined : { status, headers, contentLength, scrub, body: whole })
    },
  }
}

/** What copies under way hold together: slow answers could otherwise hold a megabyte each. */
type Room = { takenBytes: number }

class Copy implements AsyncIterable<Uint8Array> {
  readonly #body: AsyncIterable<Uint8Array>
  #chunks: Uint8Array[] = []
  readonly #room: Room
  #size = 0
  #ended = false
  #givenUp = false

  constructor(body: AsyncIterable<Uint8Array>, room: Room) {
    this.#body = body
    this.#room = room
  }

  /** Undefined where it was not read to its end, or is too long to be kept, or too many others were under way. */
  get whole(): Uint8Array | undefined {
    return this.#ended && !this.#givenUp ? Buffer.concat(this.#chunks) : undefined
  }

  giveUp(): void {
    if (!this.#givenUp) this.#room.takenBytes -= this.#size
    this.#givenUp = true
    this.#chunks = []
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for await (const chunk of this.#body) {
      this.#add(chunk)
      yield chunk
    }
    this.#ended = true
  }

  #add(chunk: Uint8Array): void {
    const { length } = chunk
    if (this.#size + length > answerBytesMax || this.#room.takenBytes + length > bytesMax) this.giveUp()
    if (this.#givenUp) return
    this.#size += length
    this.#room.takenBytes += length
    this.#chunks.push(Uint8Array.from(chunk))
  }
}

function replayed({ status, headers, contentLength, scrub, body }: Kept): UpstreamAnswer {
  return {
    status,
    headers: [...headers, 'idempotency-replayed', 'true'],
    contentLength,
    scrub,
    body: (async function* () {
      if (body.length > 0) yield body
    })(),
    attempts: [],
    replayed: true,
    settle: () => undefined,
  }
}

function untilEnded(ended: Promise<void>, signal: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal.reason instanceof Fault ? signal.reason : new Fault('client-aborted'))
    }
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave)
    void ended.then(() => {
      signal.removeEventListener('abort', leave)
      resolve()
    })
  })
}
