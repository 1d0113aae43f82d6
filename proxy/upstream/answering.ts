// Owns what an upstream hands to its caller: an answer whose end feeds the breaker, a connection that does, a Fault.
import { Fault } from '../errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { Attempt, Cancellation, UpstreamAnswer, UpstreamPeer, UpstreamRequest } from './answer.ts'
import type { Pass, Refusal } from './breakers.ts'
import { judgeBreak, type Judgement } from './classify.ts'
import type { AnswerHead } from './head.ts'
import type { Receiver } from './receiver.ts'

/** What is known of an attempt once it has a head. */
export function answeredAttempt(
  { status }: AnswerHead,
  { quota }: Judgement,
  receiver: Receiver,
  waitedMs: number,
): Attempt {
  const timings = receiver.timings()
  return quota === true
    ? { outcome: 'answered', status, quota, ...timings, waitedMs }
    : { outcome: 'answered', status, ...timings, waitedMs }
}

/** Why an attempt failed, in words that a client is not told; undefined where it says nothing about the upstream. */
export function causeOf({ cause, message }: Fault, { verdict }: Pick<Judgement, 'verdict'>): string | undefined {
  if (verdict !== 'failure') return undefined
  return typeof cause === 'string' ? cause : message
}

/** What an attempt came to that a fault has ended. */
export function failedAs({ code }: Fault, { superseded }: Receiver): Attempt['outcome'] {
  return superseded ? 'superseded' : code
}

export function answerOf(
  head: AnswerHead,
  receiver: Receiver,
  body: UpstreamAnswer['body'],
  pass: Pass,
): Omit<UpstreamAnswer, 'attempts' | 'elsewhere'> {
  return {
    status: head.status,
    headers: head.headers,
    contentLength: head.contentLength,
    closeDelimited: head.closeDelimited,
    body,
    settle(outcome) {
      pass.end(outcome === 'complete' ? 'success' : outcome === 'broken' ? judgeBreak(receiver.rested) : 'neutral')
      if (outcome !== 'complete') receiver.abandon()
    },
  }
}

/** Nothing is sent again: what was would be kept as long as the answer lasts, and that may be hours. */
export function lettingGo({ onAttempt, hedgeable }: UpstreamRequest): UpstreamRequest {
  // Another attempt may still come out beside the one that has answered.
  return onAttempt === undefined || hedgeable !== true ? nothing : { ...nothing, onAttempt }
}

const nothing: UpstreamRequest = { method: '', path: '', headers: [], body: undefined, idempotent: false }

export const nothingMore = { contentLength: undefined, body: (async function* none() {})() } as const

/** A connection that nobody used for too long, or that lasted as long as it may, says nothing about its health. */
export function settlePeer(peer: UpstreamPeer, pass: Pass): UpstreamAnswer['settle'] {
  return (outcome) => {
    const ours = peer.fault !== undefined || outcome === 'neutral'
    pass.end(ours ? 'neutral' : outcome === 'complete' ? 'success' : 'failure')
    peer.destroy()
  }
}

// A breaker that stays open longer than this is not worth waiting for.
const worthWaitingMs = 10_000

export function heldOpen({ retryAfterMs }: Refusal): Fault {
  const retry = retryAfterMs > worthWaitingMs ? 'never' : 'later'
  return new Fault('breaker-open', undefined, { elsewhere: true, retryAfterMs, retry })
}

export function withElsewhere(fault: Fault): Fault {
  if (fault.details.elsewhere === true) return fault
  return new Fault(fault.code, fault.message, { ...fault.details, cause: fault.cause, elsewhere: true })
}

export function reasonOf({ reason }: Cancellation): Fault {
  return reason instanceof Fault ? reason : new Fault('client-aborted')
}

export function pause(forMs: number, clock: Clock, signal: Cancellation): Promise<void> {
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
