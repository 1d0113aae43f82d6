// Owns the data listener: it turns what node:http gives into exchanges, hands each to the pipeline with the Runtime that
// is current, and knows which are under way, so that a reload and a shutdown can wait for them.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Fault } from '../errors.ts'
import { createServer } from '../lib/node-http.ts'
import { Roster } from '../lib/roster.ts'
import { openExchange, type Exchange, type RequestHead } from '../pipeline/exchange.ts'
import { reject, run } from '../pipeline/pipeline.ts'
import type { Runtime } from '../pipeline/runtime.ts'
import type { Client } from '../pipeline/client.ts'
import { HttpClient, type ClientTimes } from './client.ts'
import { answerPreflight, corsHeaders, type Origins } from './cors.ts'
import { asksForSocket, readHead, normaliseIp, type EnvelopeLimits } from './envelope.ts'
import { Parking } from './parking.ts'
import { RawClient } from './raw-client.ts'
import { newRequestId } from './request-id.ts'
import { UpgradeClient } from './upgrade-client.ts'

export type ListenerOptions = {
  readonly host: string
  readonly port: number
  readonly headerBytesMax: number
  readonly connectionsMax: number
  readonly headersTimeoutMs: number
  readonly keepAliveTimeoutMs: number
  readonly envelope: EnvelopeLimits
  readonly times: ClientTimes
  /** Whose pages may read answers. */
  readonly origins: Origins
}

/** Reported to whoever swaps Runtimes, once the last exchange on a replaced one has ended. */
export type OnRetired = (runtime: Runtime) => void

/** After the deadline of a shutdown: for in-band errors to be read. */
const lastWordsMs = 2_000
/** An answer that is silent from one look to the next is parked. */
const silentMs = 200
/** Beyond these the system is left to refuse. */
const refusedAtOnceMax = 64

export class Listener {
  readonly #server: Server
  readonly #parking: Parking
  readonly #options: ListenerOptions
  readonly #underWay = new Roster<HttpClient>()
  /** Exchanges under way by their Runtime. */
  readonly #inflight = new Map<Runtime, number>()
  readonly #onRetired: OnRetired
  readonly #idle: (() => void)[] = []
  #runtime: Runtime
  #draining = false
  #looking = false
  #connections = 0
  /** Connections on which no request has come yet. */
  readonly #unused = new Set<Duplex>()
  /** One for all sockets: it is held by each of them. */
  readonly #onClosed: (this: Socket) => void

  constructor(runtime: Runtime, options: ListenerOptions, onRetired: OnRetired) {
    this.#runtime = runtime
    this.#options = options
    this.#onRetired = onRetired
    this.#server = this.#open(options)
    this.#parking = new Parking(this.#server)
    const forget = (socket: Socket): void => {
      this.#connections -= 1
      this.#unused.delete(socket)
    }
    this.#onClosed = function onClosed() {
      forget(this)
    }
  }

  #open(options: ListenerOptions): Server {
    const server = createServer({
      maxHeaderSize: options.headerBytesMax,
      headersTimeout: options.headersTimeoutMs,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      // The body has a timer of its own, which a stall cannot outlive by the interval of Node's check.
      requestTimeout: 0,
      connectionsCheckingInterval: 1000,
      // The envelope judges Host, with a refusal that is recorded.
      requireHostHeader: false,
      insecureHTTPParser: false,
      noDelay: true,
      // All others are requests like any: what they want to become is dropped, or refused with a record.
      shouldUpgradeCallback: asksForSocket,
    })
    // Not in the types, but what Node itself reads: otherwise the end of a client ends the answer cleanly, in its middle.
    Object.assign(server, { httpAllowHalfOpen: true })
    // One more than are served, so that the one too many can be told.
    server.maxConnections = options.connectionsMax + refusedAtOnceMax
    server.maxHeadersCount = 0
    server.on('connection', (socket: Socket) => this.#admit(socket))
    server.on('request', (request, response) => this.#accept(request, response))
    // Only `100-continue` is served; the envelope refuses the rest with a record.
    server.on('checkExpectation', (request, response) => this.#accept(request, response))
    server.on('upgrade', (request, socket, first) => this.#upgrade(request, socket, first))
    server.on('clientError', (error, socket) => this.#onParserError(error, socket))
    server.on('connect', ({ socket }) => this.#refuseDetached(new Fault('method-unsupported'), socket, 'CONNECT'))
    return server
  }

  /** Resolves with the address once the listener accepts. */
  listen(): Promise<AddressInfo> {
    return new Promise((resolve, fail) => {
      this.#server.once('error', fail)
      this.#server.listen({ host: this.#options.host, port: this.#options.port, backlog: 1024 }, () => {
        this.#server.off('error', fail)
        resolve(this.#server.address() as AddressInfo)
      })
    })
  }

  get runtime(): Runtime {
    return this.#runtime
  }

  get inflight(): number {
    return this.#underWay.size
  }

  /** New exchanges take `runtime`; those under way keep theirs, but whose key is gone loses its WebSockets. */
  swap(runtime: Runtime): void {
    const replaced = this.#runtime
    this.#runtime = runtime
    for (const client of this.#upgraded()) client.recheck(runtime)
    if ((this.#inflight.get(replaced) ?? 0) > 0) return
    this.#inflight.delete(replaced)
    this.#onRetired(replaced)
  }

  /**
   * Stops accepting and lets exchanges finish; at the deadline those left are ended in-band and broken off. A client that
   * does not take even that is not waited for.
   */
  async drain(deadlineMs: number): Promise<void> {
    const { clock } = this.#runtime
    this.#draining = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    // Before Node 26 the server takes these for busy.
    for (const socket of this.#unused) if ((socket as Socket).bytesRead === 0) socket.destroy()
    this.#parking.closeIdle()
    for (const client of this.#upgraded()) client.retire()
    const interrupt = clock.after(deadlineMs, () => {
      for (const client of this.#underWay.all()) client.interrupt(new Fault('shutting-down'))
    })
    const giveUp = clock.after(deadlineMs + lastWordsMs, () => this.#becomeIdle())
    if (this.#underWay.size > 0) await new Promise<void>((resolve) => this.#idle.push(resolve))
    interrupt.cancel()
    giveUp.cancel()
    this.#server.closeAllConnections()
    // The server has forgotten those that are parked, and those that are no longer HTTP.
    this.#parking.closeIdle()
    for (const client of this.#underWay.all()) client.cut()
    await closed
  }

  #upgraded(): UpgradeClient[] {
    return this.#underWay.all().filter((client) => client instanceof UpgradeClient)
  }

  #becomeIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }

  /** A connection too many is told so before it has asked anything: there is no exchange, only a refusal. */
  #admit(socket: Socket): void {
    if (this.#parking.isReturning(socket)) return
    this.#connections += 1
    this.#unused.add(socket)
    socket.on('close', this.#onClosed)
    socket.on('end', onHalfClosed)
    if (this.#connections <= this.#options.connectionsMax) return
    this.#runtime.metrics.connectionRefused()
    socket.end('HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
    socket.once('finish', () => socket.destroy())
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    const socket: Occupied = request.socket
    // A head that came too late: the connection is about to end.
    if (socket[sequel] !== undefined) return
    const runtime = this.#runtime
    const { envelope, times, origins } = this.#options
    const { head, fault } = readHead(request, envelope, runtime.policyHeaders)
    const isLast = this.#draining || closesAfter(request, fault)
    if (isLast) response.shouldKeepAlive = false
    // Asked by a browser before a page may ask anything: nothing is done, so there is no exchange.
    if (fault === undefined && answerPreflight(request, response, origins)) return
    this.#unused.delete(socket)
    const client = new HttpClient(request, response, runtime.clock, times, corsHeaders(request, origins))
    occupy(socket, client)
    // What is pipelined behind it would be done and never answered.
    if (isLast && !client.hasBody) socket[sequel] = null
    this.#track(runtime, client, head, fault)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, first: Uint8Array): void {
    if (this.#isBusy(socket)) return this.#refuseDetached(new Fault('upgrade-refused'), socket, 'GET')
    const runtime = this.#runtime
    const { envelope, times, origins } = this.#options
    const { head, fault } = readHead(request, envelope, runtime.policyHeaders, true)
    this.#unused.delete(socket)
    const client = new UpgradeClient(request, first, runtime, times, corsHeaders(request, origins))
    occupy(socket, client)
    this.#track(runtime, client, head, fault)
  }

  #track(runtime: Runtime, client: HttpClient, head: RequestHead, fault: Fault | undefined): void {
    this.#underWay.add(client)
    this.#inflight.set(runtime, (this.#inflight.get(runtime) ?? 0) + 1)
    runtime.metrics.inflight.inc()
    if (!this.#looking) this.#lookForSilence()
    // Not awaited: an async function of ours would be held as long as the exchange lasts.
    const ended = (): void => this.#ended(runtime, client)
    serveExchange(runtime, client, head, fault).then(ended, (error: unknown) => {
      ended()
      throw error
    })
  }

  #lookForSilence(): void {
    this.#looking = true
    this.#runtime.clock.after(silentMs, () => {
      this.#looking = false
      for (const client of this.#underWay.all()) client.restIn(this.#parking)
      if (this.#underWay.size > 0) this.#lookForSilence()
    })
  }

  #ended(runtime: Runtime, client: HttpClient): void {
    runtime.metrics.inflight.dec()
    this.#leave(runtime)
    client.whenSettled(() => this.#settled(client))
  }

  #settled(client: HttpClient): void {
    this.#underWay.remove(client)
    const socket: Occupied = client.socket
    if (socket[occupant] === client) {
      if (socket[sequel] !== undefined) this.#conclude(socket, client)
      // An idle connection holds nothing of its last exchange, unless the rest of its body is still to come.
      else if (!client.bodyPending) socket[occupant] = undefined
    }
    if (this.#underWay.size === 0) this.#becomeIdle()
  }

  #leave(runtime: Runtime): void {
    const left = (this.#inflight.get(runtime) ?? 1) - 1
    this.#inflight.set(runtime, left)
    if (left > 0 || runtime === this.#runtime) return
    this.#inflight.delete(runtime)
    this.#onRetired(runtime)
  }

  /** Nobody knows where a next request would begin, so the first error is the last, and the connection ends. */
  #onParserError(error: NodeJS.ErrnoException, socket: Occupied): void {
    if (socket[sequel] !== undefined) return
    const fault = parserFault(error)
    const client = socket[occupant]
    if (client?.bodyPending === true) {
      socket[sequel] = null
      this.#breakBody(client, fault)
    } else if (this.#isBusy(socket)) {
      // What came behind a whole request is no matter of that one, and is answered in its turn.
      socket[sequel] = fault ?? null
    } else if (fault === undefined || !socket.writable) {
      socket.destroy()
    } else {
      socket[sequel] = null
      this.#refuseRaw(fault, socket, '')
    }
  }

  /** There is no second exchange: it is the one under way that is refused, if it has not been answered and recorded already. */
  #breakBody(client: HttpClient, fault: Fault | undefined): void {
    if (this.#underWay.has(client)) {
      client.closeAfter()
      client.interrupt(fault ?? new Fault('client-aborted'))
    } else client.socket.destroySoon()
  }

  /** The last request on a connection is answered. Behind an answer that says so nothing is read. */
  #conclude(socket: Occupied, client: HttpClient): void {
    const fault = socket[sequel]
    if (fault instanceof Fault && client.keepsAlive && socket.writable) this.#refuseRaw(fault, socket, '')
    else client.socket.destroySoon()
  }

  /**
   * Of a connection that node:http has let go of. If something on it is still to be answered, it is cut: node:http would not
   * go on writing that answer when the client can take more, and ours would stand in its middle.
   */
  #refuseDetached(fault: Fault, socket: Duplex, method: string): void {
    if (this.#isBusy(socket)) {
      socket.destroy()
      for (const client of this.#underWay.all()) if (client.socket === socket) client.loseTurn()
    }
    this.#refuseRaw(fault, socket, method)
  }

  #isBusy(socket: Occupied): boolean {
    const client = socket[occupant]
    return client !== undefined && this.#underWay.has(client)
  }

  #refuseRaw(fault: Fault, socket: Duplex, method: string): void {
    const ip = normaliseIp((socket as Socket).remoteAddress ?? '')
    void serveExchange(this.#runtime, new RawClient(socket), { method, path: '', query: '', headers: [], ip }, fault)
  }
}

/**
 * Behind a head that two readers may understand differently nobody knows where the next one begins. A body of a plain
 * length is read away first all the same: a reset would take the refusal with it. HTTP/1.0 may come through a proxy that
 * does not know what keeping alive means (RFC 9112 §9.3).
 */
function closesAfter({ headers, httpVersionMinor }: IncomingMessage, fault: Fault | undefined): boolean {
  if (httpVersionMinor === 0) return true
  if (fault === undefined) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) === 0
}

/** Which exchange was begun last on a socket: a parser error names only the socket. */
const occupant = Symbol('occupant')
/** Where no request can follow any more: what is to be said when the last one is answered, or null for nothing. */
const sequel = Symbol('sequel')
type Occupied = Duplex & { [occupant]?: HttpClient | undefined; [sequel]?: Fault | null }

function occupy(socket: Occupied, client: HttpClient): void {
  socket[occupant] = client
}

function onHalfClosed(this: Occupied): void {
  this[occupant]?.halfClosed()
}

function serveExchange(runtime: Runtime, client: Client, head: RequestHead, fault: Fault | undefined): Promise<void> {
  const x = openExchange(newRequestId(), head, runtime.clock.monotonic())
  return fault === undefined ? run(x, runtime, client) : rejected(x, runtime, client, fault)
}

async function rejected(x: Exchange, runtime: Runtime, client: Client, fault: Fault): Promise<void> {
  reject(x, runtime, client, fault)
}

/** Undefined: no request was begun (a port scan, a reset), so there is nobody to answer. */
function parserFault(error: NodeJS.ErrnoException): Fault | undefined {
  const { code = '' } = error
  if (code === 'HPE_HEADER_OVERFLOW') return new Fault('headers-too-large')
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return new Fault('body-too-large', 'The chunk extensions are too large.')
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Fault('headers-timeout')
  if (code === 'HPE_INVALID_METHOD' && isRequestLine(error)) {
    return new Fault('method-unsupported', 'This method is not known here.', { status: 501 })
  }
  if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE') return new Fault('request-malformed')
  return undefined
}

/** HTTP, but for a method that the parser does not know (RFC 9110 §9.1); anything else is no HTTP. Requests may stand before it. */
function isRequestLine(error: NodeJS.ErrnoException): boolean {
  const { rawPacket, bytesParsed = 0 } = error as { rawPacket?: Buffer; bytesParsed?: number }
  if (rawPacket === undefined) return false
  const start = bytesParsed === 0 ? 0 : rawPacket.lastIndexOf('\n', bytesParsed - 1) + 1
  return /^[!#$%&'*+.^`|~\w-]{1,64} \S+ HTTP\/1\.[01]\r\n/.test(rawPacket.toString('latin1', start, start + 8192))
}
