// Owns what the two ends of a connection that has left HTTP have in common, so that whoever relays between them need not
// know whether they carry bytes or messages. It knows nothing of what is said.

/** Bytes as they come, or one whole message: text is a string. */
export type Piece = Uint8Array | string

export interface Peer {
  /**
   * What arrives, in order, to whoever pulls: nothing is read beyond a high-water mark. Never throws; when it ends,
   * `ending` says why. It is iterated once.
   */
  pieces(): AsyncIterable<Piece>
  readonly ending: Ending | undefined
  /** Undefined: taken. Else resolves when there is room again, or nobody left to write to. */
  send(piece: Piece): Promise<void> | undefined
  /** Says goodbye behind what was sent; the connection ends once the other side has heard it, or soon after. */
  close(code: number, reason: string): void
  /** Ends the connection at once, unless a goodbye is under way. */
  destroy(): void
  /** Set by whoever wants to know: a sign of life that is no piece. */
  onBeat?: (() => void) | undefined
  /** Calls once the connection is gone, at once if it is. */
  whenGone(run: () => void): void
}

/**
 * `closed`: as the protocol says, with its code and reason where it has such. `gone`: without a goodbye. `malformed`: what
 * came was no protocol, or more than may come; the other side was told.
 */
export type Ending =
  | { readonly how: 'closed'; readonly code: number; readonly reason: string }
  | { readonly how: 'gone' }
  | { readonly how: 'malformed'; readonly message: string }

/** Counts content, not framing. */
export type Meter = { bytesIn: number; bytesOut: number }

/** RFC 6455 section 7.4.1. */
export const normalClosure = 1000
export const noStatus = 1005
