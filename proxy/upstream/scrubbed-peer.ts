// Owns keeping the upstream's credential out of what it says in messages and at its goodbye. It does not know what they mean.
import type { Ending, Peer, Piece } from '../lib/peer.ts'
import { WrappedPeer } from '../lib/wrapped-peer.ts'
import type { Credential } from './credential.ts'
import { scrubText } from './scrub.ts'

/** The same peer where there is nothing to look for. */
export function scrubPeer(peer: Peer, credential: Credential | undefined): Peer {
  return credential === undefined || credential.forms.length === 0 ? peer : new ScrubbedPeer(peer, credential)
}

/** Whole messages: of a tunnel's bytes nobody knows where what they say begins. */
class ScrubbedPeer extends WrappedPeer {
  readonly #credential: Credential

  constructor(peer: Peer, credential: Credential) {
    super(peer)
    this.#credential = credential
  }

  override get ending(): Ending | undefined {
    const { ending } = this.peer
    return ending?.how === 'closed' ? { ...ending, reason: scrubText(ending.reason, this.#credential) } : ending
  }

  override async *pieces(): AsyncGenerator<Piece> {
    for await (const piece of this.peer.pieces()) yield this.#scrub(piece)
  }

  #scrub(piece: Piece): Piece {
    if (typeof piece === 'string') return scrubText(piece, this.#credential)
    // One character a byte, so that what is no text stays as it is.
    return Buffer.from(scrubText(Buffer.from(piece).toString('latin1'), this.#credential), 'latin1')
  }
}
