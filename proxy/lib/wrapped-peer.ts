// Owns handing on to a peer whatever is asked of whoever stands before it. What a wrapper does otherwise is its own.
import type { Ending, Peer, Piece } from './peer.ts'

export class WrappedPeer implements Peer {
  protected readonly peer: Peer

  constructor(peer: Peer) {
    this.peer = peer
  }

  get ending(): Ending | undefined {
    return this.peer.ending
  }

  set onBeat(run: (() => void) | undefined) {
    this.peer.onBeat = run
  }

  pieces(): AsyncIterable<Piece> {
    return this.peer.pieces()
  }

  send(piece: Piece): Promise<void> | undefined {
    return this.peer.send(piece)
  }

  close(code: number, reason: string): void {
    this.peer.close(code, reason)
  }

  destroy(): void {
    this.peer.destroy()
  }

  whenGone(run: () => void): void {
    this.peer.whenGone(run)
  }
}
