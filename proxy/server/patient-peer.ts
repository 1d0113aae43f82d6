// Owns how long a client of a WebSocket may go without reading. It does not know what is sent.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ending, Peer, Piece } from '../lib/peer.ts'
import type { ClientPeer } from '../pipeline/client.ts'

export class PatientPeer implements ClientPeer {
  readonly #peer: Peer
  readonly #clock: Clock
  readonly #writeTimeoutMs: number
  fault: Fault | undefined

  constructor(peer: Peer, clock: Clock, writeTimeoutMs: number) {
    this.#peer = peer
    this.#clock = clock
    this.#writeTimeoutMs = writeTimeoutMs
  }

  get ending(): Ending | undefined {
    return this.#peer.ending
  }

  set onBeat(run: (() => void) | undefined) {
    this.#peer.onBeat = run
  }

  pieces(): AsyncIterable<Piece> {
    return this.#peer.pieces()
  }

  send(piece: Piece): Promise<void> | undefined {
    const written = this.#peer.send(piece)
    if (written === undefined) return undefined
    const timer = this.#clock.after(this.#writeTimeoutMs, () => {
      this.fault = new Fault('client-stalled')
      this.#peer.destroy()
    })
    return written.finally(() => timer.cancel())
  }

  close(code: number, reason: string): void {
    this.#peer.close(code, reason)
  }

  destroy(): void {
    this.#peer.destroy()
  }

  whenGone(run: () => void): void {
    this.#peer.whenGone(run)
  }
}
