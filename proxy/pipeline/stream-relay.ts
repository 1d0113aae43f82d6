// Owns the loop of a stream that is filtered: what comes of the answer goes through the filter and to the client, until one of
// them ends. Neither an async function nor `for await`: while a stream is silent those keep its last piece and a kilobyte more,
// and ten thousand may be silent. It does not know what the filter does.
import type { Client } from './client.ts'
import type { Answered } from './exchange.ts'
import type { ByteFilter } from './filters/stream.ts'
import type { Runtime } from './runtime.ts'

export type Relayed = {
  readonly x: Answered
  readonly clock: Runtime['clock']
  readonly client: Client
  readonly filter: ByteFilter
  readonly body: AsyncIterable<Uint8Array, void>
  /** Whoever gives the body notes the waits for it. */
  readonly noted: boolean
}

type Result = IteratorResult<Uint8Array, void>

/**
 * Resolves when all was handed to the client, or the upstream's own error was: what is behind that is read by nobody, and is
 * given up when the answer is settled. However it ends, the filter is closed.
 */
export function relayStream(relayed: Relayed): Promise<void> {
  return new Promise((resolve, reject) => {
    new StreamRelay(relayed, resolve, reject).next()
  })
}

class StreamRelay {
  readonly #relayed: Relayed
  readonly #pieces: AsyncIterator<Uint8Array, void>
  readonly #resolve: () => void
  readonly #reject: (error: unknown) => void
  readonly #onResult: (result: Result) => void
  readonly #onBroken: (error: unknown) => void
  #sinceMs = 0

  constructor(relayed: Relayed, resolve: () => void, reject: (error: unknown) => void) {
    this.#relayed = relayed
    this.#pieces = relayed.body[Symbol.asyncIterator]()
    this.#resolve = resolve
    this.#reject = reject
    this.#onResult = (result) => this.#take(result)
    this.#onBroken = (error) => this.#broken(error)
  }

  next(): void {
    this.#sinceMs = this.#relayed.clock.monotonic()
    this.#pieces.next().then(this.#onResult, this.#onBroken)
  }

  #take({ done, value }: Result): void {
    if (!this.#relayed.noted) this.#note()
    if (done === true) this.#finish()
    else this.#write(this.#relayed.filter.push(value))
  }

  /** The upstream broke off: that was no work of ours. */
  #broken(error: unknown): void {
    if (!this.#relayed.noted) this.#note()
    this.#fail(error)
  }

  #write(texts: Iterator<string, void>): void {
    try {
      for (let text = texts.next(); text.done !== true; text = texts.next()) {
        const written = this.#relayed.client.write(text.value)
        if (written === undefined) continue
        return this.#while(
          written,
          () => this.#write(texts),
          (error) => this.#stop(error),
        )
      }
      if (this.#relayed.filter.failed) this.#end()
      else this.next()
    } catch (error) {
      this.#stop(error)
    }
  }

  #finish(): void {
    const { client, filter } = this.#relayed
    try {
      const tail = filter.end()
      const written = tail === '' ? undefined : client.write(tail)
      if (written === undefined) return this.#end()
      this.#while(
        written,
        () => this.#end(),
        (error) => this.#fail(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  #while(written: Promise<void>, then: () => void, otherwise: (error: unknown) => void): void {
    this.#sinceMs = this.#relayed.clock.monotonic()
    written.then(
      () => {
        this.#note()
        then()
      },
      (error: unknown) => {
        this.#note()
        otherwise(error)
      },
    )
  }

  /** Nobody reads the rest of the body. */
  #stop(reason: unknown): void {
    const failing = (): void => this.#fail(reason)
    const stopping = this.#pieces.return?.() ?? Promise.resolve()
    stopping.then(failing, failing)
  }

  #end(): void {
    this.#relayed.filter.close()
    this.#resolve()
  }

  #fail(error: unknown): void {
    try {
      this.#relayed.filter.close()
    } finally {
      this.#reject(error)
    }
  }

  /** What is left of the total is the proxy's own time. */
  #note(): void {
    const { x, clock } = this.#relayed
    x.trace.waitedMs += clock.monotonic() - this.#sinceMs
  }
}
