// Owns the pipeline's view of the client's connection. server/ fills it in over node:http; the pipeline never sees a
// socket.
import type { Cancellation } from '../upstream/answer.ts'

export interface Client {
  /**
   * Aborts when the exchange must end before the answer is complete. The reason is a Fault: `client-aborted`,
   * `request-malformed` (the body's framing broke) or `shutting-down`.
   */
  readonly signal: Cancellation
  /** The connection is gone: nobody is left to answer. */
  readonly gone: boolean
  /** The head of the answer was written, so a refusal can only be in-band. */
  readonly headSent: boolean
  /** What arrived of the body so far, and what was written of the answer's body, in bytes. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** The request announces a body (Content-Length above zero, or chunked). */
  readonly hasBody: boolean
  /** The whole body. Faults: `body-too-large`, `body-timeout`, `client-aborted`, `request-malformed`. */
  readBody(bytesMax: number): Promise<Uint8Array>
  /** The body as it comes, under the same limits and faults. */
  streamBody(bytesMax: number): AsyncIterable<Uint8Array>
  /** `headers` is a flat list. Without a Content-Length in it the body is chunked. */
  start(status: number, headers: readonly string[]): void
  /** Sends the head at once; without this it waits for the first byte of the body. */
  flush(): void
  /** Resolves when the client can take more. Faults: `client-aborted`, `client-stalled`. */
  write(chunk: Uint8Array | string): Promise<void> | undefined
  end(last?: Uint8Array | string): void
  /**
   * After `end`: undefined when everything was taken, else resolves when it is. Faults: `client-aborted`,
   * `client-stalled`.
   */
  flushed(): Promise<void> | undefined
  /** Breaks the connection, so that what was sent cannot look whole. */
  destroy(): void
  /** The same, after the client has had a moment to read `last`. */
  breakOff(last: string): void
}
