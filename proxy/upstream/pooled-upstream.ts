// Owns one upstream: its connections, credential, breaker and retries behind one `send`. It does not know routes,
// policies or what the bytes mean, and it never follows a redirect.
import type { Pool } from 'undici'
import { Fault } from '../errors.ts'
import { appended } from '../lib/appended.ts'
import type { Attempt, Cancellation, UpgradeRequest, UpstreamAnswer, UpstreamRequest } from './answer.ts'
import {
  answeredAttempt,
  answerOf,
  causeOf,
  failedAs,
  heldOpen,
  lettingGo,
  nothingMore,
  pause,
  reasonOf,
  settlePeer,
  withElsewhere,
} from './answering.ts'
import type { BreakerState } from './breaker.ts'
import { Breakers, type BreakerMode, type BreakerPart, type Pass } from './breakers.ts'
import {
  judgeAnswer,
  judgeBreak,
  judgeFailure,
  judgeOpening,
  judgeQuota,
  mayBeQuota,
  type Judgement,
} from './classify.ts'
import { Deadlines } from './deadlines.ts'
import { hedge } from './hedge.ts'
import { requestHeaders, type AnswerHead } from './head.ts'
import { openKeys, type Key, type Keys } from './keys.ts'
import { awaitOpening, isStream, readQuota } from './opening.ts'
import { isPassing, PassingBody } from './passing-body.ts'
import { openPool } from './pool.ts'
import { Receiver, type Failure } from './receiver.ts'
import { Retry } from './retry.ts'
import { readAdvice } from './retry-after.ts'
import { scrubBody } from './scrub.ts'
import { groupOf, type Reported, type Sending } from './sending.ts'
import type { UpstreamSettings } from './settings.ts'
import { Upload } from './upload.ts'
import type { Upstream, UpstreamDeps } from './upstream.ts'
import { Watch, type OnEnd } from './watch.ts'

/** An attempt under way. */
type Underway = { readonly receiver: Receiver; readonly outcome: Promise<Outcome> }

type Made = { readonly receiver: Receiver; readonly pass: Pass; readonly key: Key }
type Answered = Made & { readonly judgement: Judgement; readonly head: AnswerHead }
type Outcome = Answered | (Made & { readonly judgement: Judgement; readonly fault: Fault })
type ReadOpening = NonNullable<UpstreamRequest['readOpening']>

export class PooledUpstream implements Upstream {
  readonly id: string
  readonly basePath: string
  readonly #settings: UpstreamSettings
  readonly #deps: UpstreamDeps
  readonly #pool: Pool
  readonly #deadlines: Deadlines
  readonly #breakers: Breakers
  readonly #retry: Retry
  readonly #keys: Keys
  #carried = 0
  #closed: Promise<void> | undefined
  /** One for all attempts: each holds it as long as it lasts. */
  readonly #connectFault = (): Fault =>
    this.#carried > this.#settings.connections
      ? new Fault('overloaded', 'All connections to the upstream are taken.', { retryAfterMs: 1000, elsewhere: true })
      : new Fault('upstream-timeout', 'The connection to the upstream took too long.')

  /** One for all of them, too. */
  readonly #onEnd: OnEnd = (pass, fault, ours, durationMs) => {
    this.#carried--
    if (fault === undefined) pass?.content()
    else pass?.end(judgeBreak(ours))
    this.#deps.onEvent({ type: 'end', upstream: this.id, outcome: fault?.code ?? 'complete', durationMs })
  }

  constructor(id: string, settings: UpstreamSettings, deps: UpstreamDeps) {
    const { clock, random, onEvent, lookup, resolve } = deps
    this.id = id
    this.basePath = settings.basePath
    this.#settings = settings
    this.#deps = deps
    this.#deadlines = new Deadlines(clock)
    const onState = (part: BreakerPart): void => onEvent({ type: 'breaker', upstream: id, part })
    this.#breakers = new Breakers(settings.breaker, { clock, random, onState })
    this.#retry = new Retry(settings.retry, clock, random)
    this.#pool = openPool(settings, clock, lookup)
    this.#keys = openKeys(id, settings, { clock, deadlines: this.#deadlines, resolve, lookup })
  }

  async send(request: UpstreamRequest, signal: Cancellation): Promise<UpstreamAnswer> {
    const sending = this.#begin(request, signal)
    this.#retry.deposit()
    for (let waitedMs = 0; ;) {
      const outcome = await this.#attempt(sending, waitedMs)
      const { judgement, pass, receiver, key } = outcome
      const retryMs = this.#retryMs(sending, judgement)
      if (retryMs === undefined) {
        const elsewhere = !signal.aborted && this.#retry.mayPassOn(request, judgement)
        if ('fault' in outcome) throw elsewhere ? withElsewhere(outcome.fault) : outcome.fault
        const { credential, scrub } = key.holding
        const body = scrubBody(receiver.body, credential)
        sending.request = lettingGo(request)
        return { ...answerOf(outcome.head, receiver, body, pass), scrub, attempts: sending.attempts, elsewhere }
      }
      if ('head' in outcome) receiver.discard()
      this.#deps.onEvent({ type: 'retry', upstream: this.id, waitMs: retryMs })
      if (retryMs > 0) await pause(retryMs, this.#deps.clock, signal)
      sending.raced ||= judgement.repeatable === 'race'
      waitedMs = retryMs
    }
  }

  async open(request: UpgradeRequest, signal: Cancellation): Promise<UpstreamAnswer> {
    if (this.#closed !== undefined) throw new Fault('shutting-down')
    if (signal.aborted) throw reasonOf(signal)
    const group = groupOf(request.group)
    const key = this.#keys.ring.pick(group)
    const pass = this.#admit(group, request, false)
    const startedMs = this.#deps.clock.monotonic()
    const headers = this.#headers(request.headers, key)
    const switching = await key.holding.switchboard.dial(request, headers, signal)
    const { judgement, timings, status } = switching
    const answered = {
      ...(status === undefined ? {} : { status }),
      ...(judgement.quota === true ? { quota: true as const } : {}),
    }
    const outcome = status === undefined && 'fault' in switching ? switching.fault.code : 'answered'
    const reported: Reported = { attempts: [], request, key }
    const cause = 'fault' in switching ? causeOf(switching.fault, judgement) : undefined
    this.#report(reported, { outcome, ...answered, ...timings, waitedMs: 0 }, cause)
    if ('fault' in switching) {
      this.#rest(key, group, status ?? 0, judgement)
      if (status !== undefined) pass.answered(status)
      pass.end(judgement.verdict, judgement.retryAfterMs, judgement.unreached)
      const { repeatable, elsewhere } = judgement
      // What was answered was no switch, so nothing has happened.
      throw elsewhere === true || repeatable === 'unsent' || repeatable === 'answered'
        ? withElsewhere(switching.fault)
        : switching.fault
    }
    pass.answered(101)
    pass.content()
    const { peer } = switching
    peer.whenGone(() => {
      const durationMs = this.#deps.clock.monotonic() - startedMs
      this.#deps.onEvent({ type: 'end', upstream: this.id, outcome: peer.fault?.code ?? 'complete', durationMs })
    })
    const settle = settlePeer(peer, pass)
    return {
      ...nothingMore,
      status: 101,
      headers: switching.headers,
      peer,
      attempts: reported.attempts,
      settle,
      elsewhere: false,
    }
  }

  state(): BreakerState {
    return this.#breakers.state
  }

  parts(): readonly BreakerPart[] {
    return this.#breakers.parts()
  }

  mode(): BreakerMode {
    return this.#breakers.mode
  }

  override(to: BreakerMode): void {
    this.#breakers.override(to)
  }

  refusedMs(named: string): number {
    const group = groupOf(named)
    return Math.max(this.#breakers.refusedMs(group), this.#keys.ring.restingMs(group))
  }

  /** Whether it would not be sent anywhere; where this is false, another upstream may still be the better one (`refusedMs`). */
  refuses(named: string): boolean {
    const group = groupOf(named)
    return this.#breakers.refusedMs(group) > 0 || this.#keys.ring.refuses(group)
  }

  heldMs(named: string): number | undefined {
    const group = groupOf(named)
    const heldMs = this.mode() === 'auto' ? this.#breakers.refusedMs(group) : 0
    return heldMs > 0 && this.#keys.ring.restingMs(group) === 0 ? heldMs : undefined
  }

  limit(): undefined {
    return undefined
  }

  close(): Promise<void> {
    this.#closed ??= this.#pool.close().then(() => this.#deadlines.close())
    return this.#closed
  }

  #begin(request: UpstreamRequest, signal: Cancellation): Sending {
    if (this.#closed !== undefined) throw new Fault('shutting-down')
    if (signal.aborted) throw reasonOf(signal)
    const { headAtMs = Infinity } = request
    const group = groupOf(request.group)
    const key = this.#keys.ring.pick(group)
    const totalAtMs = this.#deps.clock.monotonic() + this.#settings.timeouts.totalMs
    return { request, group, signal, totalAtMs, headAtMs, attempts: [], tried: [], key, raced: false }
  }

  #attempt(sending: Sending, waitedMs: number): Promise<Outcome> {
    const first = this.#start(sending, waitedMs)
    const { hedgeAfterMs } = this.#settings
    if (hedgeAfterMs === undefined || sending.request.hedgeable !== true) return first.outcome
    const second = (): Underway | undefined => this.#startSecond(sending)
    return hedge(first, second, hedgeAfterMs, this.#deps.clock)
  }

  #startSecond(sending: Sending): Underway | undefined {
    if (!this.#breakers.isClosed(sending.group) || !this.#retry.withdrawExtra(sending.request)) return undefined
    this.#deps.onEvent({ type: 'retry', upstream: this.id, waitMs: 0 })
    return this.#start(sending, 0)
  }

  #start(sending: Sending, waitedMs: number): Underway {
    const { signal, totalAtMs, headAtMs, key, group } = sending
    const { method, path, headers, body, readOpening } = sending.request
    const streamsBody = body !== undefined && !(body instanceof Uint8Array)
    const pass = this.#admit(group, sending.request, streamsBody)
    const watch = new Watch(
      pass,
      (head, seen) => {
        const judgement = this.#judgeHead(head, sending, key, pass)
        seen.judgement = judgement
        seen.held = readOpening !== undefined && head.status === 200 && isStream(head.headers)
        if (!seen.held && !mayBeQuota(head.status, judgement))
          this.#report(sending, answeredAttempt(head, judgement, receiver, waitedMs))
      },
      this.#onEnd,
    )
    const receiver = new Receiver({
      clock: this.#deps.clock,
      deadlines: this.#deadlines,
      timeouts: this.#settings.timeouts,
      credential: key.holding.credential,
      cookies: this.#settings.cookies,
      signal,
      head: method === 'HEAD',
      streamsBody,
      totalAtMs,
      headAtMs,
      connectFault: this.#connectFault,
      observer: watch,
    })
    this.#carried++
    const begun = receiver.begun()
    const sent = this.#headers(headers, key)
    const passes = isPassing(body, sending.request.lasting === true)
    if (passes) sent.push('content-length', String(body.byteLength))
    const carried = passes ? new PassingBody(body) : streamsBody ? new Upload(body, receiver) : (body ?? null)
    // An iterable that is not a stream is missing from undici's types, though it is documented.
    this.#pool.dispatch({ method, path, headers: sent, body: carried as Uint8Array | null }, receiver)
    const outcome = begun.then((came): Outcome | Promise<Outcome> => {
      if (!('status' in came)) return this.#failed(sending, came, { receiver, pass, key }, waitedMs)
      const answered = { judgement: watch.judgement as Judgement, receiver, pass, key, head: came }
      if (!watch.held)
        return mayBeQuota(came.status, answered.judgement) ? this.#limited(sending, answered, waitedMs) : answered
      return this.#opened(sending, answered, waitedMs, readOpening as ReadOpening).finally(() => {
        watch.held = false
      })
    })
    return { receiver, outcome }
  }

  #failed(sending: Sending, { fault, progress }: Failure, made: Made, waitedMs: number): Outcome {
    this.#carried--
    const judgement = judgeFailure(fault.code, progress, sending.raced)
    made.pass.end(judgement.verdict, judgement.retryAfterMs, judgement.unreached)
    const outcome = failedAs(fault, made.receiver)
    this.#report(sending, { outcome, ...made.receiver.timings(), waitedMs }, causeOf(fault, judgement))
    return { judgement, ...made, fault }
  }

  /** Whether waiting helps may stand in the body alone. */
  async #limited(sending: Sending, answered: Answered, waitedMs: number): Promise<Outcome> {
    const { receiver, head } = answered
    const said = await awaitOpening(receiver.body, readQuota, this.#deps.clock)
    const judgement = said === 'exhausted' ? judgeQuota(answered.judgement) : answered.judgement
    this.#report(sending, answeredAttempt(head, judgement, receiver, waitedMs))
    return { ...answered, judgement }
  }

  /** Waits for the beginning of a stream; one that begins with an error is a failed attempt. */
  async #opened(sending: Sending, answered: Answered, waitedMs: number, read: ReadOpening): Promise<Outcome> {
    const { receiver, pass, head, key } = answered
    const opening = await awaitOpening(receiver.body, read, this.#deps.clock)
    if (opening === 'content' || opening === 'late') {
      this.#report(sending, answeredAttempt(head, answered.judgement, receiver, waitedMs))
      if (opening === 'late') receiver.awaitContent()
      else pass.content()
      return answered
    }
    const judgement = judgeOpening(opening, readAdvice(head.headers, this.#deps.clock.now()))
    const { fault } = receiver.body.peek()
    // What broke off, or was ended by us, has said nothing of an error.
    const ended = opening === 'broken' ? fault : undefined
    const outcome = ended === undefined ? 'error-event' : failedAs(ended, receiver)
    // When it was we who ended it, this says nothing about the upstream.
    const verdict = receiver.endedByUs ? 'neutral' : judgement.verdict
    const cause = ended === undefined ? undefined : causeOf(ended, { verdict })
    this.#report(sending, { ...answeredAttempt(head, judgement, receiver, waitedMs), outcome }, cause)
    pass.end(verdict, judgement.retryAfterMs)
    // Nobody has seen its head, so it need not be told that it went well.
    if (fault !== undefined) return { judgement, receiver, pass, key, fault }
    if (judgement.elsewhere === true) this.#rest(key, sending.group, 429, judgement)
    return { ...answered, judgement }
  }

  #headers(headers: readonly string[], { holding }: Key): string[] {
    return requestHeaders(headers, holding.credential, this.#settings.cookies, this.#keys.headers)
  }

  /** What an answer's status says; what a success is worth shows only when its body has come. */
  #judgeHead(head: AnswerHead, { group }: Sending, key: Key, pass: Pass): Judgement {
    const judgement = judgeAnswer(head.status, readAdvice(head.headers, this.#deps.clock.now()))
    pass.answered(head.status)
    if (judgement.verdict !== 'success') pass.end(judgement.verdict, judgement.retryAfterMs)
    // Nothing that it may still say counts, and another credential may be tried at once.
    else if (judgement.elsewhere === true) pass.content()
    this.#rest(key, group, head.status, judgement)
    return judgement
  }

  #rest(key: Key, group: string, status: number, { cooldownMs, elsewhere }: Judgement): void {
    if (cooldownMs === undefined && elsewhere !== true) return
    this.#keys.ring.rest(key, group, status, cooldownMs)
    if (key.name !== undefined) this.#deps.onEvent({ type: 'rest', upstream: this.id, credential: key.name, status })
  }

  #report(reported: Reported, made: Attempt, cause?: string): void {
    const { request, key } = reported
    const attempt = key.name === undefined ? made : { ...made, credential: key.name }
    reported.attempts = appended(reported.attempts, attempt)
    request.onAttempt?.(attempt)
    this.#deps.onEvent({ type: 'attempt', upstream: this.id, attempt, ...(cause === undefined ? {} : { cause }) })
    if (made.quota === true)
      this.#deps.onEvent({
        type: 'quota',
        upstream: this.id,
        ...(key.name === undefined ? {} : { credential: key.name }),
      })
  }

  #admit(group: string, { onPanic }: Pick<UpstreamRequest, 'onPanic'>, uploads: boolean): Pass {
    const admitted = this.#breakers.admit(group, onPanic, uploads)
    if ('retryAfterMs' in admitted) throw heldOpen(admitted)
    return admitted
  }

  /** How long to wait before the next attempt; undefined when there is to be none. */
  #retryMs(sending: Sending, judgement: Judgement): number | undefined {
    const { request, group, attempts, totalAtMs, headAtMs, signal, tried } = sending
    // A breaker that this attempt has opened refuses the next: better to relay what the upstream said.
    if (signal.aborted || this.#closed !== undefined || this.#breakers.refusedMs(group) > 0) return undefined
    if (judgement.elsewhere === true) {
      tried.push(sending.key)
      const other = this.#keys.ring.other(tried, group)
      if (other !== undefined && this.#retry.withdrawExtra(request)) {
        sending.key = other
        return 0
      }
    }
    if (judgement.repeatable === 'never') return undefined
    const remainingMs = Math.min(totalAtMs, headAtMs) - this.#deps.clock.monotonic()
    return this.#retry.withdraw(request, judgement, attempts.length, remainingMs)
  }
}
