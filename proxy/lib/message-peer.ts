// Owns one end of a WebSocket (RFC 6455): whole messages, read only as fast as they are taken, and bounds on what costs
// something without saying anything. It does not know what the messages mean, nor which side of the proxy it is.
import type { WebSocket } from 'ws'
import { noStatus, type Ending, type Meter, type Peer, type Piece } from './peer.ts'

/** For both sides alike. Compression is off: a message would be as large as its sender likes once it is inflated. */
export function socketOptions(messageBytesMax: number) {
  return {
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
    maxFragments: fragmentsMax,
    maxBufferedChunks: fragmentsMax,
    // Of a client that does not read its pongs; one that only sends pings is told so before.
    maxPendingAutoPongs: 2 * beatsMax,
    closeTimeout: goodbyeMs,
  } as const
}

const fragmentsMax = 16 * 1024
/** How long the other side may take to answer a goodbye. */
const goodbyeMs = 1000
/** Beyond this a writer waits. */
const queuedBytesMax = 64 * 1024
/** Pings and pongs between two messages. An honest client sends one every few seconds. */
const beatsMax = 1000
/** RFC 6455 section 5.5: a control frame holds 125 bytes, two of them the code. */
const reasonBytesMax = 123

export class MessagePeer implements Peer {
  readonly #socket: WebSocket
  readonly #meter: Meter
  #queue: Piece[] = []
  #wake: (() => void) | undefined
  #beats = 0
  #malformed: string | undefined
  #closed = false
  ending: Ending | undefined
  onBeat: (() => void) | undefined

  constructor(socket: WebSocket, meter: Meter = { bytesIn: 0, bytesOut: 0 }) {
    this.#socket = socket
    this.#meter = meter
    socket.on('message', (data: Buffer, isBinary) => this.#take(data, isBinary))
    socket.on('ping', () => this.#beat())
    socket.on('pong', () => this.#beat())
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('WS_ERR_') === true) this.#malformed ??= error.message
    })
    socket.on('close', (code, reason) => this.#end(code, reason))
  }

  async *pieces(): AsyncGenerator<Piece> {
    for (;;) {
      const piece = this.#queue.shift()
      if (piece !== undefined) yield piece
      else if (this.ending !== undefined) return
      else {
        if (this.#socket.isPaused) this.#socket.resume()
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
    }
  }

  send(piece: Piece): Promise<void> | undefined {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return undefined
    this.#meter.bytesOut += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length
    let written: () => void = () => {}
    socket.send(piece, { binary: typeof piece !== 'string' }, () => written())
    if (socket.bufferedAmount <= queuedBytesMax) return undefined
    return new Promise((resolve) => {
      written = resolve
    })
  }

  close(code: number, reason: string): void {
    this.#closed = true
    // The answer to the goodbye must be read; what else comes before it is not.
    this.#queue = []
    if (this.#socket.isPaused) this.#socket.resume()
    if (mayBeSent(code)) this.#socket.close(code, shortened(reason))
    else this.#socket.close()
  }

  destroy(): void {
    if (!this.#closed) this.#socket.terminate()
  }

  whenGone(run: () => void): void {
    if (this.#socket.readyState === this.#socket.CLOSED) run()
    else this.#socket.once('close', run)
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#beats = 0
    if (this.#closed) return
    this.#meter.bytesIn += data.length
    this.#queue.push(isBinary ? data : data.toString('utf8'))
    this.#socket.pause()
    this.#stir()
  }

  #beat(): void {
    this.#beats += 1
    this.onBeat?.()
    if (this.#beats <= beatsMax || this.#malformed !== undefined) return
    this.#malformed = 'More pings than anybody needs.'
    this.close(policyViolation, this.#malformed)
  }

  #end(code: number, reason: Buffer): void {
    this.ending =
      this.#malformed !== undefined
        ? { how: 'malformed', message: this.#malformed }
        : code === abnormalClosure
          ? { how: 'gone' }
          : { how: 'closed', code, reason: reason.toString('utf8') }
    this.#stir()
  }

  #stir(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

const abnormalClosure = 1006
const policyViolation = 1008

/** Some codes say what no frame said, and stand in none (RFC 6455 section 7.4.1). */
function mayBeSent(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== noStatus && code !== abnormalClosure) || code >= 3000
  )
}

function shortened(reason: string): string {
  let text = reason
  while (Buffer.byteLength(text) > reasonBytesMax) text = text.slice(0, -1)
  return text
}
