// Owns one upstream: its connections, credential, breaker and retries behind one `send`. It does not know routes,
// policies or what the bytes mean, and it never follows a redirect.
import { Pool } from 'undici'
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import type {
  Attempt,
  Cancellation,
  UpgradeRequest,
  UpstreamAnswer,
  UpstreamEvent,
  UpstreamPeer,
  UpstreamRequest,
} from './answer.ts'
import { Breaker, type BreakerState, type Pass } from './breaker.ts'
import { judgeAnswer, judgeBreak, judgeFailure, type Judgement } from './classify.ts'
import { Connection, openConnect } from './connection.ts'
import { Cooldown } from './cooldown.ts'
import { openCredential, type Credential } from './credential.ts'
import { Deadlines } from './deadlines.ts'
import type { Lookup } from './egress.ts'
import { requestHeaders, type AnswerHead } from './head.ts'
import type { UpstreamOptions } from './options.ts'
import { Receiver } from './receiver.ts'
import { Retry } from './retry.ts'
import { readAdvice } from './retry-after.ts'
import { scrubBody } from './scrub.ts'
import { compileUpstream, type UpstreamSettings } from './settings.ts'
import { Switchboard } from './switchboard.ts'

export interface Upstream {
  readonly id: string
  /** The url's own path without a trailing slash, to be put before the path of each request. */
  readonly basePath: string
  /**
   * Resolves with the head of an answer, whatever its status. Throws a Fault: `breaker-open`, `rate-limited` (the
   * upstream asked for a pause), `upstream-*`, `overloaded` (all connections taken), `shutting-down`, the signal's reason
   * if that is a Fault and else `client-aborted`, or whatever Fault the request's body threw.
   */
  send(request: UpstreamRequest, signal: Cancellation): Promise<UpstreamAnswer>
  /**
   * The same for an upgrade to a WebSocket, in one attempt. An upstream that does not switch is a Fault `upstream-invalid`,
   * whatever it answers.
   */
  open(request: UpgradeRequest, signal: Cancellation): Promise<UpstreamAnswer>
  state(): BreakerState
  /** An operator's hand on the breaker; `undefined` lets go. */
  override(to: 'forced-open' | 'disabled' | undefined): void
  /** Lets what is in flight finish; new requests are refused with `shutting-down`. May be called again. */
  close(): Promise<void>
}

export type UpstreamDeps = {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly resolve: ResolveSecret
  readonly onEvent: (event: UpstreamEvent) => void
  /** Name resolution; absent, the system's. */
  readonly lookup?: Lookup
}

/** Expects options without problems; throws a Fault otherwise, or when the credential cannot be had. */
export function openUpstream(id: string, options: UpstreamOptions, deps: UpstreamDeps): Upstream {
  const { settings, problems } = compileUpstream(options, ['upstreams', id])
  if (settings === undefined) throw new Fault('internal', problems.map((problem) => problem.message).join('; '))
  const credential =
    settings.credential === undefined ? undefined : openCredential(id, settings.credential, deps.resolve)
  return new PooledUpstream(id, settings, credential, deps)
}

// Below what servers commonly allow (node 5 s, nginx 75 s), so that it is we who close an idle socket.
const keepAliveMs = 4000
const keepAliveHintedMaxMs = 30_000
const answerHeadBytesMax = 64 * 1024
// A breaker that stays open longer than this is not worth waiting for.
const worthWaitingMs = 10_000

/** One exchange with its attempts so far. */
type Sending = {
  readonly request: UpstreamRequest
  readonly signal: Cancellation
  readonly headers: string[]
  readonly totalAtMs: number
  readonly attempts: Attempt[]
  raced: boolean
}

type Reported = { readonly attempts: Attempt[]; readonly request: Pick<UpstreamRequest, 'onAttempt'> }

type Outcome = { readonly judgement: Judgement; readonly receiver: Receiver; readonly pass: Pass } & (
  { readonly head: AnswerHead } | { readonly fault: Fault }
)

class PooledUpstream implements Upstream {
  readonly id: string
  readonly basePath: string
  readonly #settings: UpstreamSettings
  readonly #credential: Credential | undefined
  readonly #deps: UpstreamDeps
  readonly #pool: Pool
  readonly #deadlines: Deadlines
  readonly #breaker: Breaker
  readonly #retry: Retry
  readonly #cooldown: Cooldown
  readonly #switchboard: Switchboard
  #carried = 0
  #closed: Promise<void> | undefined

  constructor(id: string, settings: UpstreamSettings, credential: Credential | undefined, deps: UpstreamDeps) {
    const { clock, random, onEvent } = deps
    this.id = id
    this.basePath = settings.basePath
    this.#settings = settings
    this.#credential = credential
    this.#deps = deps
    this.#deadlines = new Deadlines(clock)
    this.#breaker = new Breaker(settings.breaker, clock, random, (state) =>
      onEvent({ type: 'breaker', upstream: id, state }),
    )
    this.#retry = new Retry(settings.retry, clock, random)
    this.#cooldown = new Cooldown(clock)
    this.#pool = openPool(settings, deps)
    const { lookup } = deps
    this.#switchboard = new Switchboard({ settings, credential, clock, deadlines: this.#deadlines, lookup })
  }

  async send(request: UpstreamRequest, signal: Cancellation): Promise<UpstreamAnswer> {
    if (this.#closed !== undefined) throw new Fault('shutting-down')
    if (signal.aborted) throw reasonOf(signal)
    this.#cooldown.check(request.group ?? '')
    this.#retry.deposit()
    const sending: Sending = {
      request,
      signal,
      headers: requestHeaders(request.headers, this.#credential, this.#settings.cookies),
      totalAtMs: this.#deps.clock.monotonic() + this.#settings.timeouts.totalMs,
      attempts: [],
      raced: false,
    }
    for (let waitedMs = 0; ;) {
      const outcome = await this.#attempt(sending, waitedMs)
      const { judgement, pass, receiver } = outcome
      const retryMs = this.#retryMs(sending, judgement)
      if (retryMs === undefined) {
        if ('fault' in outcome) throw outcome.fault
        return answerOf(outcome.head, receiver, scrubBody(receiver.body, this.#credential), pass, sending.attempts)
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
    const group = request.group ?? ''
    this.#cooldown.check(group)
    const pass = this.#admit()
    const startedMs = this.#deps.clock.monotonic()
    const headers = requestHeaders(request.headers, this.#credential, this.#settings.cookies)
    const switching = await this.#switchboard.dial(request, headers, signal)
    const { judgement, timings, status } = switching
    const answered = status === undefined ? {} : { status }
    const outcome = status === undefined && 'fault' in switching ? switching.fault.code : 'answered'
    const attempts: Attempt[] = []
    this.#report({ attempts, request }, { outcome, ...answered, ...timings, waitedMs: 0 })
    if ('fault' in switching) {
      if (judgement.cooldownMs !== undefined) this.#cooldown.start(group, judgement.cooldownMs, status ?? 0)
      pass.end(judgement.verdict, judgement.retryAfterMs)
      throw switching.fault
    }
    pass.content()
    const { peer } = switching
    peer.whenGone(() => {
      const durationMs = this.#deps.clock.monotonic() - startedMs
      this.#deps.onEvent({ type: 'end', upstream: this.id, outcome: peer.fault?.code ?? 'complete', durationMs })
    })
    return { ...nothingMore, status: 101, headers: switching.headers, peer, attempts, settle: settlePeer(peer, pass) }
  }

  state(): BreakerState {
    return this.#breaker.state
  }

  override(to: 'forced-open' | 'disabled' | undefined): void {
    this.#breaker.override(to)
  }

  close(): Promise<void> {
    this.#closed ??= this.#pool.close().then(() => this.#deadlines.close())
    return this.#closed
  }

  async #attempt(sending: Sending, waitedMs: number): Promise<Outcome> {
    const { request, signal, headers, totalAtMs } = sending
    const { method, path, body } = request
    const pass = this.#admit()
    let judgement: Judgement | undefined
    const receiver = new Receiver({
      clock: this.#deps.clock,
      deadlines: this.#deadlines,
      timeouts: this.#settings.timeouts,
      credential: this.#credential,
      cookies: this.#settings.cookies,
      signal,
      head: method === 'HEAD',
      streamsBody: request.body !== undefined && !(request.body instanceof Uint8Array),
      totalAtMs,
      connectFault: () => this.#connectFault(),
      observer: {
        head: (head) => {
          judgement = this.#judgeHead(head, request, pass)
          this.#report(sending, { outcome: 'answered', status: head.status, ...receiver.timings(), waitedMs })
        },
        content: () => pass.content(),
        end: (fault, ours) => this.#ended(receiver, pass, fault, ours),
      },
    })
    this.#carried++
    // An iterable that is not a stream is missing from undici's types, though it is documented and sent chunked.
    this.#pool.dispatch({ method, path, headers, body: (body ?? null) as Uint8Array | null }, receiver)
    const outcome = await receiver.outcome
    if ('status' in outcome) return { judgement: judgement as Judgement, receiver, pass, head: outcome }
    this.#carried--
    const { fault, progress } = outcome
    judgement = judgeFailure(fault.code, progress, sending.raced)
    pass.end(judgement.verdict)
    this.#report(sending, { outcome: fault.code, ...receiver.timings(), waitedMs })
    return { judgement, receiver, pass, fault }
  }

  /** What an answer's status says; what a success is worth shows only when its body has come. */
  #judgeHead(head: AnswerHead, request: UpstreamRequest, pass: Pass): Judgement {
    const judgement = judgeAnswer(head.status, readAdvice(head.headers, this.#deps.clock.now()))
    if (judgement.verdict !== 'success') pass.end(judgement.verdict, judgement.retryAfterMs)
    if (judgement.cooldownMs !== undefined) {
      this.#cooldown.start(request.group ?? '', judgement.cooldownMs, head.status)
    }
    return judgement
  }

  #report({ attempts, request }: Reported, attempt: Attempt): void {
    attempts.push(attempt)
    request.onAttempt?.(attempt)
    this.#deps.onEvent({ type: 'attempt', upstream: this.id, attempt })
  }

  #admit(): Pass {
    const admitted = this.#breaker.admit()
    if (!('retryAfterMs' in admitted)) return admitted
    const { retryAfterMs } = admitted
    throw new Fault('breaker-open', undefined, {
      retryAfterMs,
      retry: retryAfterMs > worthWaitingMs ? 'never' : 'later',
    })
  }

  /** How long to wait before the next attempt; undefined when there is to be none. */
  #retryMs({ request, attempts, totalAtMs, signal }: Sending, judgement: Judgement): number | undefined {
    // A breaker that this attempt has opened refuses the next: better to relay what the upstream said.
    if (
      judgement.repeatable === 'never' ||
      signal.aborted ||
      this.#closed !== undefined ||
      this.#breaker.refusedMs() > 0
    )
      return undefined
    return this.#retry.withdraw(request, judgement, attempts.length, totalAtMs - this.#deps.clock.monotonic())
  }

  #connectFault(): Fault {
    return this.#carried > this.#settings.connections
      ? new Fault('overloaded', 'All connections to the upstream are taken.', { retryAfterMs: 1000 })
      : new Fault('upstream-timeout', 'The connection to the upstream took too long.')
  }

  #ended(receiver: Receiver, pass: Pass, fault: Fault | undefined, ours: boolean): void {
    this.#carried--
    if (fault === undefined) pass.content()
    else pass.end(judgeBreak(ours))
    const outcome = fault?.code ?? 'complete'
    this.#deps.onEvent({ type: 'end', upstream: this.id, outcome, durationMs: receiver.elapsedMs() })
  }
}

function openPool(settings: UpstreamSettings, { clock, lookup }: UpstreamDeps): Pool {
  const connect = openConnect(settings.egress, settings.timeouts.connectMs, clock, lookup)
  return new Pool(settings.origin, {
    connections: settings.connections,
    pipelining: 1,
    // All waiting is on our own clock.
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveHintedMaxMs,
    keepAliveTimeoutThreshold: 1000,
    maxHeaderSize: answerHeadBytesMax,
    strictContentLength: true,
    allowH2: false,
    factory: (origin, options) => new Connection(origin, options, connect),
  })
}

function answerOf(
  head: AnswerHead,
  receiver: Receiver,
  body: UpstreamAnswer['body'],
  pass: Pass,
  attempts: readonly Attempt[],
): UpstreamAnswer {
  return {
    status: head.status,
    headers: head.headers,
    contentLength: head.contentLength,
    body,
    attempts,
    settle(outcome) {
      pass.end(outcome === 'complete' ? 'success' : outcome === 'broken' ? 'failure' : 'neutral')
      if (outcome !== 'complete') receiver.abandon()
    },
  }
}

const nothingMore = { contentLength: undefined, body: (async function* none() {})() } as const

/** A connection that nobody used for too long, or that lasted as long as it may, says nothing about its health. */
function settlePeer(peer: UpstreamPeer, pass: Pass): UpstreamAnswer['settle'] {
  return (outcome) => {
    const ours = peer.fault !== undefined || outcome === 'neutral'
    pass.end(ours ? 'neutral' : outcome === 'complete' ? 'success' : 'failure')
    peer.destroy()
  }
}

function reasonOf({ reason }: Cancellation): Fault {
  return reason instanceof Fault ? reason : new Fault('client-aborted')
}

function pause(forMs: number, clock: Clock, signal: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      timer.cancel()
      signal.removeEventListener('abort', abort)
      reject(reasonOf(signal))
    }
    const timer = clock.after(forMs, () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
    signal.addEventListener('abort', abort)
  })
}
