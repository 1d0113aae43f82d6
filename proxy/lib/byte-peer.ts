// Owns one end of a tunnel: bytes over a stream, with backpressure both ways. It does not know what they mean.
import type { Duplex } from 'node:stream'
import { noStatus, type Ending, type Meter, type Peer, type Piece } from './peer.ts'

export class BytePeer implements Peer {
  readonly #stream: Duplex
  readonly #meter: Meter
  ending: Ending | undefined

  constructor(stream: Duplex, meter: Meter = { bytesIn: 0, bytesOut: 0 }) {
    this.#stream = stream
    this.#meter = meter
    // What breaks shows in the pieces; without a listener it would be an uncaught 'error'.
    stream.on('error', () => {})
  }

  async *pieces(): AsyncGenerator<Piece> {
    try {
      for await (const chunk of this.#stream.iterator({ destroyOnReturn: false })) {
        const bytes = chunk as Uint8Array
        this.#meter.bytesIn += bytes.length
        yield bytes
      }
      this.ending = { how: 'closed', code: noStatus, reason: '' }
    } catch {
      this.ending = { how: 'gone' }
    }
  }

  send(piece: Piece): Promise<void> | undefined {
    const stream = this.#stream
    if (stream.destroyed || !stream.writable) return undefined
    this.#meter.bytesOut += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
    return stream.write(piece) ? undefined : drained(stream)
  }

  /** A tunnel has no goodbye but its end; who still sends into it then is not heard. */
  close(): void {
    const stream = this.#stream
    if (stream.destroyed) return
    stream.end(() => stream.destroy())
  }

  destroy(): void {
    this.#stream.destroy()
  }

  whenGone(run: () => void): void {
    if (this.#stream.closed) run()
    else this.#stream.once('close', run)
  }
}

function drained(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle)
      stream.off('close', settle)
      resolve()
    }
    stream.once('drain', settle)
    stream.once('close', settle)
  })
}
