// Owns what is done so that a large body is not kept as long as its answer lasts: undici keeps the bytes that it is given,
// but of what it iterates over it keeps only the object.

/** Below, telling what comes in pieces costs more time than the bytes take room. */
const largeFromBytes = 16 * 1024

export function isLarge(body: unknown): body is Uint8Array {
  return body instanceof Uint8Array && body.byteLength >= largeFromBytes
}

/** One piece, which is forgotten when it is taken. Sent with a Content-Length beside it, it is not chunked. */
export class LargeBody implements AsyncIterable<Uint8Array> {
  #bytes: Uint8Array | undefined

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const bytes = this.#bytes
    this.#bytes = undefined
    if (bytes !== undefined) yield bytes
  }
}
