// Owns what is done so that a body is not kept as long as its answer lasts: undici keeps the bytes that it is given, but of what
// it iterates over it keeps only the object.

/** Below, of an answer that is over soon, telling what comes in pieces costs more time than the bytes take room. */
const largeFromBytes = 16 * 1024

export function isPassing(body: unknown, lasting: boolean): body is Uint8Array {
  return body instanceof Uint8Array && (lasting ? body.byteLength > 0 : body.byteLength >= largeFromBytes)
}

type Result = IteratorResult<Uint8Array, undefined>

/** One piece, which is forgotten when it is taken. Sent with a Content-Length beside it, it is not chunked. */
export class PassingBody implements AsyncIterableIterator<Uint8Array, undefined> {
  #bytes: Uint8Array | undefined

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  next(): Promise<Result> {
    const value = this.#bytes
    this.#bytes = undefined
    return Promise.resolve(value === undefined ? { done: true, value } : { done: false, value })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
