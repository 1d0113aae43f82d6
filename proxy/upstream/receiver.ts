// Owns one attempt from dispatch to the last byte: its deadlines, its cancellation, its head and its body. It speaks
// undici's handler interface and reports an outcome; what the outcome means is judged elsewhere.
import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import { nowhere } from '../lib/roster.ts'
import type { Cancellation } from './answer.ts'
import { Body, type BodySource } from './body.ts'
import type { Progress } from './classify.ts'
import type { Carried, Wire } from './connection.ts'
import type { Credential } from './credential.ts'
import type { Deadline, Deadlines } from './deadlines.ts'
import { faultOf, type Stage } from './failure.ts'
import { answerHead, isRelayable, type AnswerHead } from './head.ts'
import type { Timeouts } from './settings.ts'
import type { Attendant } from './upload.ts'

export type Failure = { readonly fault: Fault; readonly progress: Progress }

/** Told of each step as it happens: whoever awaits the outcome learns of it only after the bytes behind it came in. */
export interface Observer {
  head(head: AnswerHead): void
  content(): void
  /** `ours`: it was not the upstream that ended it. */
  end(fault: Fault | undefined, ours: boolean, durationMs: number): void
}

export type ReceiverOptions = {
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly timeouts: Timeouts
  readonly credential: Credential | undefined
  /** Cookies are relayed. */
  readonly cookies: boolean
  readonly signal: Cancellation
  readonly head: boolean
  /** The body comes from a client as it goes out (upload.ts). */
  readonly streamsBody: boolean
  readonly totalAtMs: number
  /** When the caller stops waiting for the head; Infinity where it said nothing. */
  readonly headAtMs: number
  /** Says why no connection was there in time. */
  readonly connectFault: () => Fault
  readonly observer: Observer
}

const interimMax = 8
// Reading the rest of a failed answer spares a connection, but only if there is little of it.
const discardedBytesMax = 64 * 1024
// An upstream that nobody reads for so long may give up, and its reader is why.
const restMsMax = 1000

export class Receiver implements Carried, Deadline, BodySource, Attendant {
  readonly #options: ReceiverOptions
  readonly #startedMs: number
  readonly body: Body
  wire: Wire | undefined
  dueMs: number
  slot = nowhere
  #connectMs: number | undefined
  #firstByteMs: number | undefined

  #resolve: (outcome: AnswerHead | Failure) => void = ignore
  #controller: Dispatcher.DispatchController | undefined
  #stage: Stage = 'connecting'
  #done = false
  #reused = false
  #closeDelimited = false
  #interim = 0
  #contentSeen = false
  /** Whose turn it is while a body is on its way; `over` where all of it was sent. */
  #upload: 'client' | 'upstream' | 'over'
  #pausedMs = Infinity
  /** The answer was left unread for so long that whatever became of it says nothing about the upstream. */
  rested = false
  /** It was not the upstream that ended it. */
  endedByUs = false
  /** Another attempt beside it was quicker. */
  superseded = false
  #discarded: number | undefined

  constructor(options: ReceiverOptions) {
    this.#options = options
    this.#startedMs = options.clock.monotonic()
    this.dueMs = Math.min(this.#startedMs + options.timeouts.connectMs, options.totalAtMs, options.headAtMs)
    this.#upload = options.streamsBody ? 'client' : 'over'
    this.body = new Body(this)
    options.deadlines.add(this)
    options.signal.addEventListener('abort', this)
  }

  /** To be called once, before it is dispatched. Nothing of it is kept: answers last longer than anybody waits for their heads. */
  begun(): Promise<AnswerHead | Failure> {
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** Stops the attempt at once, destroying its connection. */
  cancel(fault: Fault, ours: boolean): void {
    if (this.#done) return
    this.#finish(fault, ours)
    this.#controller?.abort(fault)
  }

  /** What has come so far was no content; what comes next is taken for some. */
  awaitContent(): void {
    this.#contentSeen = false
  }

  /** Nobody wants this answer: lets it run out if it is short, so that its connection can be used again. */
  discard(): void {
    if (this.#done) return
    this.#discarded = 0
    this.#await(this.#options.timeouts.connectMs)
    this.#controller?.resume()
  }

  /** The caller's signal. */
  handleEvent(): void {
    const { reason } = this.#options.signal
    this.cancel(reason instanceof Fault ? reason : new Fault('client-aborted'), true)
  }

  expire(): void {
    const { clock, totalAtMs, headAtMs, connectFault } = this.#options
    if (this.#stage !== 'body' && clock.monotonic() >= headAtMs)
      return this.cancel(new Fault('upstream-timeout', 'The time that the caller allows is over.'), true)
    if (this.#stage === 'connecting') return this.cancel(connectFault(), false)
    if (this.#stage !== 'body' && this.#upload === 'client')
      return this.cancel(
        new Fault('upstream-timeout', 'The request took all the time that this upstream may take.'),
        true,
      )
    // A long answer that is cut off by our own cap says nothing about the upstream's health.
    const ours = this.#stage === 'body' && clock.monotonic() >= totalAtMs
    this.cancel(
      new Fault('upstream-timeout', ours ? 'The answer took longer than this upstream may take.' : undefined),
      ours,
    )
  }

  resume(): void {
    if (this.#done) return
    this.#noteRest()
    this.#await(this.#options.timeouts.idleMs)
    this.#controller?.resume()
  }

  /** Ends it for another attempt that was quicker. */
  supersede(): void {
    this.superseded = true
    this.abandon()
  }

  abandon(): void {
    this.cancel(new Fault('client-aborted'), true)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Cancelled while it waited for a connection: nothing has been written and nothing will be.
    if (this.#done) return controller.abort(new Fault('client-aborted'))
    this.#controller = controller
    this.#stage = 'waiting'
    this.#reused = (this.wire?.served ?? 0) > 0
    this.#connectMs = this.elapsedMs()
    this.#await(this.#upload === 'client' ? Infinity : this.#options.timeouts.firstByteMs)
  }

  clientAwaited(): void {
    this.#upload = 'client'
    if (this.#awaitsHead && !this.#done) this.#await(Infinity)
  }

  clientGave(whole: boolean): void {
    this.#upload = whole ? 'over' : 'upstream'
    if (this.#awaitsHead && !this.#done) this.#await(this.#options.timeouts.firstByteMs)
  }

  /** An interim answer is not the one that is waited for. */
  get #awaitsHead(): boolean {
    return this.#stage === 'waiting' || this.#stage === 'head'
  }

  onResponseStarted(): void {
    this.#stage = 'head'
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // They are slices of what was read together with them, which would be kept as long as the answer lasts.
    controller.rawHeaders = null
    if (this.#done) return
    if (status < 200) {
      if (status === 101 || ++this.#interim > interimMax) this.cancel(new Fault('upstream-invalid'), false)
      return
    }
    if (!isRelayable(headers)) return this.cancel(new Fault('upstream-invalid'), false)
    const head = answerHead(status, headers, this.#options.credential, this.#options.cookies)
    this.#stage = 'body'
    this.#closeDelimited = head.closeDelimited && !this.#options.head
    this.#firstByteMs = this.elapsedMs()
    this.#await(this.#options.timeouts.idleMs)
    this.#options.observer.head(head)
    this.#settle(head)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return
    if (this.#discarded !== undefined) {
      this.#discarded += chunk.byteLength
      if (this.#discarded > discardedBytesMax) this.abandon()
      return
    }
    if (!this.#contentSeen) {
      this.#contentSeen = true
      this.#options.observer.content()
    }
    if (this.body.push(chunk)) return this.#await(this.#options.timeouts.idleMs)
    controller.pause()
    this.#pausedMs = this.#options.clock.monotonic()
    // While the reader is the slow one, only the total counts.
    this.#await(Infinity)
  }

  onResponseEnd(): void {
    if (this.wire !== undefined) this.wire.served++
    if (this.#done) return
    // The client takes a reset for the end of an answer that ends with its connection.
    const cut = this.#closeDelimited && this.wire?.failed === true
    this.#finish(cut ? new Fault('upstream-truncated') : undefined, false)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#done) return
    // A Fault is the request body's own: what the client sent broke off or was refused. One that is cut off by the upstream
    // may have been too long or too slow for it.
    const ours = error instanceof Fault || (this.#awaitsHead && this.#upload !== 'over')
    this.#finish(faultOf(error, this.#stage, this.#options.credential), ours)
  }

  #finish(fault: Fault | undefined, ours: boolean): void {
    this.#done = true
    this.endedByUs = ours
    const { deadlines, signal, observer } = this.#options
    deadlines.remove(this)
    signal.removeEventListener('abort', this)
    if (this.#stage !== 'body') {
      const written = this.#stage !== 'connecting'
      const progress = { written, answering: this.#stage === 'head', reused: this.#reused, ours }
      return this.#settle({ fault: fault ?? new Fault('upstream-invalid'), progress })
    }
    this.#noteRest()
    if (fault === undefined) this.body.end()
    else this.body.fail(fault)
    observer.end(fault, ours || this.rested, this.elapsedMs())
  }

  #noteRest(): void {
    if (this.#options.clock.monotonic() - this.#pausedMs >= restMsMax) this.rested = true
    this.#pausedMs = Infinity
  }

  #settle(outcome: AnswerHead | Failure): void {
    const resolve = this.#resolve
    this.#resolve = ignore
    resolve(outcome)
  }

  /** Sets the deadline of what is now awaited; the total always counts. */
  #await(forMs: number): void {
    const { clock, deadlines, totalAtMs, headAtMs } = this.#options
    const lastMs = this.#stage === 'body' ? totalAtMs : Math.min(totalAtMs, headAtMs)
    deadlines.move(this, Math.min(clock.monotonic() + forMs, lastMs))
  }

  timings(): { connectMs?: number; firstByteMs?: number } {
    return {
      ...(this.#connectMs === undefined ? {} : { connectMs: this.#connectMs }),
      ...(this.#firstByteMs === undefined ? {} : { firstByteMs: this.#firstByteMs }),
    }
  }

  /** Since the attempt began. */
  elapsedMs(): number {
    return this.#options.clock.monotonic() - this.#startedMs
  }
}

function ignore(): void {}
