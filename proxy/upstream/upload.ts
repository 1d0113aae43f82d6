// Owns telling, while a body passes from a client to an upstream, which of the two is waited for. It keeps nothing of it.

export interface Attendant {
  /** The next piece is the client's to send. */
  clientAwaited(): void
  /** A piece is the upstream's to take; `whole`: that was all. */
  clientGave(whole: boolean): void
}

type Result = IteratorResult<Uint8Array, undefined>

export class Upload implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #pieces: AsyncIterator<Uint8Array, undefined>
  readonly #attendant: Attendant

  constructor(body: AsyncIterable<Uint8Array>, attendant: Attendant) {
    this.#pieces = body[Symbol.asyncIterator]()
    this.#attendant = attendant
  }

  next(): Promise<Result> {
    this.#attendant.clientAwaited()
    return this.#pieces.next().then((result) => {
      this.#attendant.clientGave(result.done === true)
      return result
    })
  }

  async return(): Promise<Result> {
    await this.#pieces.return?.()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
