// Owns how long a client of a WebSocket may go without reading. It does not know what is sent.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Peer, Piece } from '../lib/peer.ts'
import { WrappedPeer } from '../lib/wrapped-peer.ts'
import type { ClientPeer } from '../pipeline/client.ts'

export class PatientPeer extends WrappedPeer implements ClientPeer {
  readonly #clock: Clock
  readonly #writeTimeoutMs: number
  fault: Fault | undefined

  constructor(peer: Peer, clock: Clock, writeTimeoutMs: number) {
    super(peer)
    this.#clock = clock
    this.#writeTimeoutMs = writeTimeoutMs
  }

  override send(piece: Piece): Promise<void> | undefined {
    const written = super.send(piece)
    if (written === undefined) return undefined
    const timer = this.#clock.after(this.#writeTimeoutMs, () => {
      this.fault = new Fault('client-stalled')
      this.destroy()
    })
    return written.finally(() => timer.cancel())
  }
}
