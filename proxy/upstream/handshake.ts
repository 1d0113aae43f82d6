// Owns one attempt to leave HTTP for a WebSocket (RFC 6455 section 4.1), from dialling to the head of the answer: its
// deadlines, its cancellation and what comes of it. Who builds the request, and who speaks afterwards, are others.
import type { ClientRequest, IncomingHttpHeaders } from 'node:http'
import { Fault } from '../errors.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Cancellation } from './answer.ts'
import type { Credential } from './credential.ts'
import { faultOf, type Stage } from './failure.ts'
import type { Timeouts } from './settings.ts'

export type Outcome =
  | { readonly how: 'switched'; readonly headers: IncomingHttpHeaders }
  /** The upstream's own answer, which is none to an upgrade: only its head counts. */
  | { readonly how: 'declined'; readonly status: number; readonly headers: IncomingHttpHeaders }
  | { readonly how: 'failed'; readonly fault: Fault; readonly written: boolean; readonly answering: boolean }

export type HandshakeOptions = {
  readonly clock: Clock
  readonly timeouts: Timeouts
  readonly credential: Credential | undefined
  readonly signal: Cancellation
}

export class Handshake {
  readonly outcome: Promise<Outcome>
  readonly timings: { connectMs?: number; firstByteMs?: number } = {}
  readonly #options: HandshakeOptions
  readonly #startedMs: number
  #request: ClientRequest | undefined
  #stage: Stage = 'connecting'
  #timer: Timer | undefined
  #resolve: (outcome: Outcome) => void = () => {}

  constructor(options: HandshakeOptions) {
    this.#options = options
    this.#startedMs = options.clock.monotonic()
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
    options.signal.addEventListener('abort', this)
    this.#await(options.timeouts.connectMs, 'The connection to the upstream took too long.')
  }

  /** To be told of the request before it is sent. */
  watch(request: ClientRequest, path: string, headers: readonly string[]): void {
    this.#request = request
    // As it was judged: what builds requests from URLs writes some characters otherwise.
    request.path = path
    for (let at = 0; at + 1 < headers.length; at += 2)
      request.appendHeader(headers[at] as string, headers[at + 1] as string)
    // The head was handed to a socket that is connected.
    request.once('finish', () => {
      if (this.#stage !== 'connecting') return
      this.#stage = 'waiting'
      this.timings.connectMs = this.#elapsedMs()
      this.#await(this.#options.timeouts.firstByteMs, undefined)
    })
    request.once('response', (answer) => {
      this.#settle({ how: 'declined', status: answer.statusCode ?? 0, headers: answer.headers })
      request.destroy()
    })
    request.once('error', (error) => this.fail(faultOf(error, this.#stage, this.#options.credential)))
  }

  switched(headers: IncomingHttpHeaders): void {
    this.#settle({ how: 'switched', headers })
  }

  /** Also for an answer that does not keep to the protocol. */
  fail(fault: Fault): void {
    const written = this.#stage !== 'connecting'
    this.#settle({ how: 'failed', fault, written, answering: false })
    this.#request?.destroy()
  }

  /** The caller's signal. */
  handleEvent(): void {
    const { reason } = this.#options.signal
    this.fail(reason instanceof Fault ? reason : new Fault('client-aborted'))
  }

  #settle(outcome: Outcome): void {
    if (outcome.how !== 'failed') this.timings.firstByteMs ??= this.#elapsedMs()
    this.#timer?.cancel()
    this.#options.signal.removeEventListener('abort', this)
    this.#resolve(outcome)
  }

  #await(forMs: number, message: string | undefined): void {
    this.#timer?.cancel()
    this.#timer = this.#options.clock.after(forMs, () => this.fail(new Fault('upstream-timeout', message)))
  }

  #elapsedMs(): number {
    return this.#options.clock.monotonic() - this.#startedMs
  }
}
