// Owns the pipeline's view of the client's connection. server/ fills it in over node:http; the pipeline never sees a
// socket.
import type { Fault } from '../errors.ts'
import type { Peer } from '../lib/peer.ts'
import type { Cancellation } from '../upstream/answer.ts'
import type { Runtime } from './runtime.ts'

/** What an accepted upgrade is to be. */
export type Accepting = {
  readonly carries: 'bytes' | 'messages'
  /** Flat list, beyond what the handshake itself needs. */
  readonly headers: readonly string[]
  readonly subprotocol: string | undefined
  readonly messageBytesMax: number
  /** How long the caller may be here under a configuration, on the wall clock: asked again when another is taken over. */
  staysUntilMs(runtime: Runtime): number
}

/** `fault`: `client-stalled` where the client did not take what was sent. */
export type ClientPeer = Peer & { readonly fault: Fault | undefined }

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
  /** Where the head asks for an upgrade: answers 101. The connection is the caller's from then on. */
  accept?(accepting: Accepting): ClientPeer
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
