// Owns one client that asks for a WebSocket: refused like any other until the upgrade is accepted, then an end of a
// connection that is no longer HTTP.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { Fault } from '../errors.ts'
import { BytePeer } from '../lib/byte-peer.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { loadSockets } from '../lib/late-packages.ts'
import { MessagePeer, socketOptions } from '../lib/message-peer.ts'
import { ServerResponse } from '../lib/node-http.ts'
import type { Accepting, ClientPeer } from '../pipeline/client.ts'
import type { Runtime } from '../pipeline/runtime.ts'
import { HttpClient, type ClientTimes } from './client.ts'
import { PatientPeer } from './patient-peer.ts'

export class UpgradeClient extends HttpClient {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #socket: Duplex
  readonly #clock: Clock
  readonly #times: ClientTimes
  readonly #early = (): void => this.#speaksEarly()
  readonly #left = (): void => void this.#socket.destroy()
  /** The configuration that holds now, which may be newer than that of the exchange. */
  #runtime: Runtime
  #expiry: Timer | undefined
  #accepted: { readonly accepting: Accepting; readonly peer: ClientPeer } | undefined

  /** `always`: headers of every answer. `first`: what came behind the head. */
  constructor(
    request: IncomingMessage,
    first: Uint8Array,
    runtime: Runtime,
    times: ClientTimes,
    always: readonly string[],
  ) {
    const response = responseOn(request)
    super(request, response, runtime.clock, times, always)
    this.#runtime = runtime
    this.#request = request
    this.#response = response
    this.#socket = request.socket
    this.#clock = runtime.clock
    this.#times = times
    // Read, so that a client that leaves is noticed; it has nothing to say before it is answered (RFC 6455 §4.1).
    this.#socket.on('error', () => {})
    this.#socket.on('data', this.#early)
    this.#socket.once('end', this.#left)
    if (first.length > 0) this.#speaksEarly()
  }

  accept(accepting: Accepting): ClientPeer {
    if (this.signal.reason !== undefined) throw this.signal.reason
    this.#socket.off('data', this.#early)
    this.#socket.off('end', this.#left)
    this.#response.detachSocket(this.#request.socket)
    const gone = this.handOver()
    this.#socket.once('close', () => {
      this.#expiry?.cancel()
      gone()
    })
    const peer = accepting.carries === 'bytes' ? this.#acceptBytes(accepting) : this.#acceptMessages(accepting)
    const patient = new PatientPeer(peer, this.#clock, this.#times.writeTimeoutMs)
    this.#accepted = { accepting, peer: patient }
    this.#check()
    return patient
  }

  /** Another configuration holds now. */
  recheck(runtime: Runtime): void {
    this.#runtime = runtime
    this.#check()
  }

  /** The process shuts down: a WebSocket that can be told so is, instead of being cut off at the deadline. */
  retire(): void {
    if (this.#accepted?.accepting.carries === 'messages') this.interrupt(new Fault('shutting-down'))
  }

  override destroy(): void {
    if (this.#accepted === undefined) super.destroy()
    else this.#accepted.peer.destroy()
  }

  /** Of a WebSocket that is being asked for, `#left` tells; of an open one, its own protocol. */
  override halfClosed(): void {}

  /** A key that is gone or has expired ends what it opened. */
  #check(): void {
    this.#expiry?.cancel()
    if (this.#accepted === undefined) return
    const leftMs = this.#accepted.accepting.staysUntilMs(this.#runtime) - this.#clock.now()
    if (leftMs <= 0) this.interrupt(new Fault('credentials-invalid', 'The agent key is no longer valid.'))
    else if (leftMs < Number.POSITIVE_INFINITY) this.#expiry = this.#clock.after(leftMs, () => this.#check())
  }

  #acceptBytes({ headers, subprotocol }: Accepting): BytePeer {
    const key = this.#request.headers['sec-websocket-key'] ?? ''
    const lines = ['HTTP/1.1 101 Switching Protocols', ...fixedLines, `sec-websocket-accept: ${acceptOf(key)}`]
    if (subprotocol !== undefined) lines.push(`sec-websocket-protocol: ${subprotocol}`)
    this.#socket.write(`${[...lines, ...headerLines(headers)].join('\r\n')}\r\n\r\n`)
    return new BytePeer(this.#socket, this)
  }

  #acceptMessages({ headers, subprotocol, messageBytesMax }: Accepting): MessagePeer {
    const server = new (loadSockets().WebSocketServer)({
      ...socketOptions(messageBytesMax),
      noServer: true,
      clientTracking: false,
      handleProtocols: () => subprotocol ?? false,
    })
    server.on('headers', (lines) => void lines.push(...headerLines(headers)))
    let accepted: MessagePeer | undefined
    server.handleUpgrade(this.#request, this.#socket, Buffer.alloc(0), (socket: WebSocket) => {
      accepted = new MessagePeer(socket, this)
    })
    // It calls back at once, unless it finds fault with a head that the envelope has let pass.
    if (accepted === undefined) throw new Fault('client-aborted')
    return accepted
  }

  #speaksEarly(): void {
    this.#socket.off('data', this.#early)
    this.interrupt(new Fault('request-malformed', 'Something was sent before the upgrade was answered.'))
  }
}

/** Answers on a socket that node:http has let go of. It cannot be kept alive: nobody would read its next request. */
function responseOn(request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request)
  const { socket } = request
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.destroySoon())
  return response
}

const fixedLines = ['upgrade: websocket', 'connection: Upgrade']

/** RFC 6455 §4.2.2. */
function acceptOf(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/** What Node would refuse to write (RFC 9110 §5.5) is left out. */
function headerLines(headers: readonly string[]): string[] {
  const lines: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const value = headers[at + 1] as string
    if (/^[\t\u0020-\u007e\u0080-\u00ff]*$/.test(value)) lines.push(`${headers[at]}: ${value}`)
  }
  return lines
}
