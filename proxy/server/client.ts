// Owns one client's side of an exchange over node:http: reading its body under limits, writing the answer with
// backpressure, and breaking the connection so that a cut-off answer never looks whole.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Fault } from '../errors.ts'
import { systemClock, type Clock, type Timer } from '../lib/clock.ts'
import { resetConnection } from '../lib/reset.ts'
import { nowhere, type Enrolled } from '../lib/roster.ts'
import type { Client } from '../pipeline/client.ts'
import { Abort } from './abort.ts'
import type { Parking } from './parking.ts'
import { sendHead } from './send-head.ts'

export type ClientTimes = {
  readonly bodyTimeoutMs: number
  /** Bytes a second that a body must have on average once it takes longer than the grace; undefined: any. */
  readonly bodyRateMin?: number
  readonly writeTimeoutMs: number
}

/** What may still arrive of a body nobody wants, so that the client gets to read the refusal instead of a reset. */
const discardBytesMax = 16 * 1024 * 1024
const discardTimeoutMs = 5_000
/** Until the rate of a body counts: how long connections take to get going is not the client's doing. */
const bodyGraceMs = 5_000
const lastWordsMs = 500
/** What half a close leaves for an answer that is nearly there; a whole one looks the same, and waits for nobody. */
const halfClosedMs = 25
const nothing = new Uint8Array(0)
const nothingMore: readonly string[] = []

export class HttpClient implements Client, Enrolled {
  slot = nowhere
  readonly hasBody: boolean
  /** Zero where its length is not announced. */
  readonly #declaredBytes: number
  readonly signal = new Abort()
  bytesIn = 0
  bytesOut = 0
  headSent = false
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #clock: Clock
  readonly #times: ClientTimes
  readonly #always: readonly string[]
  #closed = false
  #parking: Parking | undefined
  /** How much was when it was asked last whether the answer is silent. */
  #said = -1
  #failBody: ((fault: Fault) => void) | undefined
  #onSettled: (() => void) | undefined

  /** `always`: headers of every answer, whoever makes it. */
  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    clock: Clock,
    times: ClientTimes,
    always: readonly string[] = nothingMore,
  ) {
    this.#request = request
    this.#response = response
    this.#clock = clock
    this.#times = times
    this.#always = always
    const { headers } = request
    this.#declaredBytes = Number(headers['content-length'] ?? 0)
    this.hasBody = headers['transfer-encoding'] !== undefined || this.#declaredBytes > 0
    response.on('close', () => this.#onClose())
    // Without a listener an aborted upload would be an uncaught 'error'; the response's close tells of it, too.
    request.on('error', ignore)
  }

  get gone(): boolean {
    return this.#closed
  }

  /** Calls when the last byte was handed to the system, or the connection is gone: only then may it be closed. */
  whenSettled(run: () => void): void {
    if (this.#response.writableFinished || this.#response.closed || this.#closed) run()
    else this.#onSettled = run
  }

  /** Another protocol goes on over the connection. To be called back when that is gone. */
  protected handOver(): () => void {
    this.headSent = true
    return () => {
      this.#closed = true
      this.#onSettled?.()
    }
  }

  get socket(): Socket {
    return this.#request.socket
  }

  /** Not all of the body has arrived, wanted or not. */
  get bodyPending(): boolean {
    return !this.#request.complete
  }

  /** Whether the connection can go on after the answer. */
  get keepsAlive(): boolean {
    return this.#response.shouldKeepAlive
  }

  closeAfter(): void {
    this.#response.shouldKeepAlive = false
  }

  /** Ends the exchange from outside: the parser failed on this connection, or the process is shutting down. */
  interrupt(fault: Fault): void {
    this.#failBody?.(fault)
    this.signal.abort(fault)
  }

  /** Parks the connection when nothing was said since the call before. */
  restIn(parking: Parking): void {
    const silent = this.headSent && this.bytesOut === this.#said
    this.#said = this.bytesOut
    const { writableLength, writableEnded } = this.#response
    if (!silent || this.#parking !== undefined || this.#closed || writableLength > 0 || writableEnded) return
    if (parking.park(this.#request)) this.#parking = parking
  }

  /** Whatever is under way. */
  cut(): void {
    this.#request.socket.destroy()
  }

  /** node:http has let go of the connection, and so tells only who has its turn that it is gone. */
  loseTurn(): void {
    if (this.#response.socket === null) this.#response.destroy()
  }

  /**
   * The client has ended its side: it says no more (RFC 9112 §9.6), or it is gone. What is not written soon is for nobody, and
   * its upstream must not go on for it.
   */
  halfClosed(): void {
    if (this.#isSaid()) return
    // Who only ends its side does so with the request; who does it in the middle of an answer is gone.
    if (this.headSent && !this.#response.writableEnded) this.#abandon()
    else systemClock.after(halfClosedMs, () => this.#isSaid() || this.#abandon())
  }

  #abandon(): void {
    this.destroy()
    this.#leave()
  }

  /** A response that waits for its turn has no socket. */
  #isSaid(): boolean {
    const { writableFinished, writableEnded, socket } = this.#response
    return this.#closed || writableFinished || (writableEnded && socket !== null)
  }

  async readBody(bytesMax: number): Promise<Uint8Array> {
    if (this.#declaredBytes > bytesMax) throw tooLarge(bytesMax)
    // A request is announced in the middle of a packet; what else is in the packet is there by the next microtask.
    if (!this.#isBodyHere()) await Promise.resolve()
    if (this.signal.reason !== undefined) throw this.signal.reason
    return this.#isBodyHere() ? this.#takeBody(bytesMax) : this.#awaitBody(bytesMax)
  }

  #isBodyHere(): boolean {
    const { complete, readableLength } = this.#request
    return complete || (readableLength > 0 && readableLength === this.#declaredBytes)
  }

  /** Most bodies come together with their head: there is nothing to wait for, and so nothing to time. */
  #takeBody(bytesMax: number): Uint8Array {
    const body = (this.#request.read() as Uint8Array | null) ?? nothing
    // The parser may still have to say that this was all, and the connection is free only when that was read, too.
    this.#request.resume()
    this.bytesIn += body.length
    if (this.bytesIn > bytesMax) throw tooLarge(bytesMax)
    return body
  }

  /** Without the iterator that streamBody needs. */
  #awaitBody(bytesMax: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = []
      const request = this.#request
      const settle = (fault?: Fault): void => {
        timer.cancel()
        this.#failBody = undefined
        request.off('data', onData)
        request.off('end', settle)
        if (fault !== undefined) reject(fault)
        else resolve(chunks.length === 1 ? (chunks[0] as Uint8Array) : Buffer.concat(chunks))
      }
      const onData = (chunk: Uint8Array): void => {
        this.bytesIn += chunk.length
        if (this.bytesIn > bytesMax) settle(tooLarge(bytesMax))
        else chunks.push(chunk)
      }
      const sinceMs = this.#clock.monotonic()
      const onLate = (): void => {
        const waitMs = this.#patienceMs(this.#clock.monotonic() - sinceMs)
        if (waitMs <= 0) settle(this.#tooLate())
        else timer = this.#clock.after(waitMs, onLate)
      }
      let timer = this.#clock.after(this.#patienceMs(0), onLate)
      this.#failBody = settle
      request.on('data', onData)
      request.once('end', settle)
    })
  }

  async *streamBody(bytesMax: number): AsyncGenerator<Uint8Array> {
    if (this.#declaredBytes > bytesMax) throw tooLarge(bytesMax)
    let timer: Timer | undefined
    let takenMs = 0
    let fail: (fault: Fault) => void = () => {}
    const failed = new Promise<never>((_, reject) => {
      fail = reject
    })
    this.#failBody = fail
    failed.catch(() => {})
    const chunks = this.#request.iterator({ destroyOnReturn: false })
    try {
      for (;;) {
        // Only the time that the client takes counts: while a chunk waits for the upstream, the client may not send.
        const sinceMs = this.#clock.monotonic()
        timer = this.#clock.after(this.#patienceMs(takenMs), () => fail(this.#tooLate()))
        const next = await Promise.race([chunks.next(), failed])
        timer.cancel()
        takenMs += this.#clock.monotonic() - sinceMs
        if (next.done === true) return
        const chunk = next.value as Uint8Array
        this.bytesIn += chunk.length
        if (this.bytesIn > bytesMax) throw tooLarge(bytesMax)
        yield chunk
      }
    } catch (error) {
      if (error instanceof Fault) throw error
      throw new Fault('client-aborted', undefined, { cause: error })
    } finally {
      timer?.cancel()
      this.#failBody = undefined
    }
  }

  /** How long to wait for more of a body that has taken the client `takenMs` so far. */
  #patienceMs(takenMs: number): number {
    const { bodyTimeoutMs, bodyRateMin } = this.#times
    const byRateMs = bodyRateMin === undefined ? Infinity : bodyGraceMs + (this.bytesIn / bodyRateMin) * 1000
    return Math.max(0, Math.min(bodyTimeoutMs, byRateMs) - takenMs)
  }

  /** Nobody waits for the rest, so the connection ends with the answer (RFC 9110 §15.5.9). */
  #tooLate(): Fault {
    this.closeAfter()
    return new Fault('body-timeout')
  }

  start(status: number, headers: readonly string[]): void {
    if (this.#closed) throw new Fault('client-aborted')
    try {
      this.#response.writeHead(
        status,
        this.#always.length === 0 ? (headers as string[]) : [...headers, ...this.#always],
      )
    } catch (cause) {
      // Node refuses characters that the upstream's parser let through.
      throw new Fault('upstream-invalid', undefined, { cause })
    }
    this.headSent = true
  }

  flush(): void {
    sendHead(this.#request, this.#response)
  }

  write(chunk: Uint8Array | string): Promise<void> | undefined {
    if (this.#closed) throw new Fault('client-aborted')
    const isTaken = typeof chunk === 'string' ? this.#writeText(chunk) : this.#writeBytes(chunk)
    return isTaken ? undefined : this.#until('drain')
  }

  end(last?: Uint8Array | string): void {
    if (typeof last === 'string') this.#endText(last)
    else {
      this.bytesOut += last?.length ?? 0
      this.#response.end(last)
    }
    if (this.hasBody && !this.#request.complete) this.#discardBody()
  }

  #writeBytes(chunk: Uint8Array): boolean {
    this.bytesOut += chunk.length
    return this.#response.write(chunk)
  }

  /** Of a text in UTF-8 Node counts the bytes, and has room for three times as many. */
  #writeText(text: string): boolean {
    const bytes = Buffer.byteLength(text)
    this.bytesOut += bytes
    return bytes === text.length ? this.#response.write(text, 'latin1') : this.#response.write(Buffer.from(text))
  }

  /** A head and a text of ASCII leave as one string; in UTF-8 the head would be written so as well, and it is Latin-1. */
  #endText(text: string): void {
    const bytes = Buffer.byteLength(text)
    this.bytesOut += bytes
    if (bytes === text.length) this.#response.end(text, 'latin1')
    else this.#response.end(Buffer.from(text))
  }

  flushed(): Promise<void> | undefined {
    const response = this.#response
    if (response.writableFinished || (response.writableLength === 0 && !this.#closed)) return undefined
    return this.#until('finish')
  }

  /** The missing last chunk tells that the answer is not whole; HTTP/1.0 has none, so there only a reset can say it. */
  destroy(): void {
    if (this.#closed || this.#response.writableFinished) return
    // A response that waits for its turn has no socket yet.
    const socket = this.#response.socket ?? this.#request.socket
    if (socket.destroyed) return
    if (this.#request.httpVersionMinor === 0) resetConnection(socket)
    else socket.destroy()
  }

  /**
   * Writes `last` (an in-band error) and breaks the connection only when the client has had time to read it: fetch
   * throws away what it has buffered as soon as the connection breaks. SDKs close it themselves once they have read it.
   */
  breakOff(last: string): void {
    this.bytesOut += Buffer.byteLength(last)
    if (last !== '') this.#response.write(last)
    systemClock.after(lastWordsMs, () => this.destroy())
  }

  #until(event: 'drain' | 'finish'): Promise<void> {
    if (this.#closed) return Promise.reject(new Fault('client-aborted'))
    return new Promise((resolve, reject) => {
      const settle = (fault?: Fault) => {
        timer.cancel()
        this.#response.off(event, onEvent)
        this.#response.off('close', onClose)
        if (fault === undefined) resolve()
        else reject(fault)
      }
      const onEvent = () => settle()
      const onClose = () => settle(new Fault('client-aborted'))
      const timer = this.#clock.after(this.#times.writeTimeoutMs, () => settle(new Fault('client-stalled')))
      this.#response.once(event, onEvent)
      this.#response.once('close', onClose)
    })
  }

  #discardBody(): void {
    const { socket } = this.#request
    const timer = this.#clock.after(discardTimeoutMs, () => socket.destroy())
    let discarded = 0
    this.#request.on('data', (chunk: Uint8Array) => {
      discarded += chunk.length
      if (discarded > discardBytesMax) socket.destroy()
    })
    // A connection that ends in a body of an answered request closes the socket, but not the request.
    const done = (): void => {
      timer.cancel()
      socket.off('close', done)
      this.#request.off('close', done)
    }
    socket.once('close', done)
    this.#request.once('close', done)
    this.#request.resume()
  }

  #onClose(): void {
    if (!this.#response.writableFinished) this.#leave()
    this.#parking?.answered(this.#request.socket)
    this.#onSettled?.()
  }

  #leave(): void {
    this.#closed = true
    const fault = new Fault('client-aborted')
    this.#failBody?.(fault)
    this.signal.abort(fault)
  }
}

function ignore(): void {}

function tooLarge(bytesMax: number): Fault {
  return new Fault('body-too-large', `The request body is larger than ${bytesMax} bytes.`)
}
