// Owns the judgement: what each way an attempt can come out means for the breaker, for retries and for cooldowns. It is
// the only place that says so; breaker and retry both listen to it.
import type { FaultCode } from '../errors.ts'
import type { FailedOpening } from './answer.ts'
import type { Verdict } from './breaker.ts'
import type { Advice } from './retry-after.ts'

/**
 * Which attempts may be repeated.
 * - `unsent`: nothing was written, so any request
 * - `race`: a pooled socket that the upstream had just closed; any request whose repetition after an answer is allowed
 * - `answered`: the upstream answered that it did not do it
 * - `idempotent`: it may have been done, so only what may be done twice
 */
export type Repeatable = 'never' | 'unsent' | 'race' | 'answered' | 'idempotent'

export type Judgement = {
  readonly verdict: Verdict
  /** Nothing was written, so it is not about what was asked for. */
  readonly unreached?: true
  readonly repeatable: Repeatable
  /** Not before this; absent: the usual backoff. */
  readonly retryAfterMs?: number
  /** Leave this group alone for so long. */
  readonly cooldownMs?: number
  /** What this credential may use or spend is used up: no waiting heals it. */
  readonly quota?: true
  /** It was refused because of who asked, with nothing done: another credential or another upstream may be asked. */
  readonly elsewhere?: true
}

/** How far an attempt had come when it failed. */
export type Progress = {
  /** The request was, or may have been, written. */
  readonly written: boolean
  /** Some of an answer's head had arrived. */
  readonly answering: boolean
  /** The socket had carried an earlier exchange. */
  readonly reused: boolean
  /** It was not the upstream that ended it: the caller's own deadline had come. */
  readonly ours?: boolean
}

const cooldownMaxMs = 60_000

/** An attempt that got an answer's head. */
export function judgeAnswer(status: number, advice: Advice): Judgement {
  const judgement = judgeStatus(status, advice)
  return advice.shouldRetry === false && judgement.repeatable !== 'never'
    ? { ...judgement, repeatable: 'never' }
    : judgement
}

/**
 * An answer whose stream began with an error of the upstream's own, or ended before it had begun. Nothing of it has left,
 * so it is as good as a status that says the same.
 */
export function judgeOpening(opening: FailedOpening | 'broken', { retryAfterMs }: Advice): Judgement {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (opening === 'limited')
    return { verdict: 'neutral', repeatable: 'answered', elsewhere: true, ...wait, ...cooldownOf(retryAfterMs) }
  if (opening === 'exhausted') return { verdict: 'neutral', repeatable: 'never', elsewhere: true, quota: true }
  // As of a status that says so: nobody may open a breaker that others share by what is asked.
  if (opening === 'wrong') return { verdict: 'success', repeatable: 'never' }
  return opening === 'failed' || opening === 'broken'
    ? { verdict: 'failure', repeatable: 'answered', ...wait }
    : { verdict: 'failure', repeatable: 'never' }
}

/** An attempt that failed before an answer's head. `raceBefore`: this request has met a dead pooled socket already. */
export function judgeFailure(code: FaultCode, progress: Progress, raceBefore: boolean): Judgement {
  // How long a caller waits is the caller's choice, and no client may trip a breaker that others share.
  if (progress.ours === true) return { verdict: 'neutral', repeatable: 'never' }
  switch (code) {
    case 'upstream-unreachable':
      if (!progress.written) return { verdict: 'failure', unreached: true, repeatable: 'unsent' }
      if (progress.reused && !progress.answering)
        return { verdict: raceBefore ? 'failure' : 'neutral', repeatable: 'race' }
      return { verdict: 'failure', repeatable: 'idempotent' }
    case 'upstream-timeout':
      // One that answers nothing in time may be slow at this alone.
      return progress.written
        ? { verdict: 'failure', repeatable: 'idempotent' }
        : { verdict: 'failure', unreached: true, repeatable: 'unsent' }
    case 'upstream-truncated':
      return { verdict: 'failure', repeatable: 'idempotent' }
    case 'upstream-invalid':
      return { verdict: 'failure', repeatable: 'never' }
    default:
      // The client went away, the body it sent was refused, we are full or the address is not allowed: nothing of this
      // says anything about the upstream, and no client may trip a breaker that others share.
      return { verdict: 'neutral', repeatable: 'never' }
  }
}

/** An answer whose body broke off. `ours`: the client went away or did not read, or a cap of ours was reached. */
export function judgeBreak(ours: boolean): Verdict {
  return ours ? 'neutral' : 'failure'
}

/** Whether its body is to be looked at for that. */
export function mayBeQuota(status: number, { repeatable }: Judgement): boolean {
  return status === 429 && repeatable !== 'never'
}

/** A 429 that asks to wait, although its body says that there is nothing to wait for. */
export function judgeQuota(judgement: Judgement): Judgement {
  return { ...judgement, repeatable: 'never', quota: true }
}

const success: Judgement = { verdict: 'success', repeatable: 'never' }

function judgeStatus(status: number, { retryAfterMs, shouldRetry }: Advice): Judgement {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  const cooldown = cooldownOf(retryAfterMs)
  switch (status) {
    case 408:
    case 425:
      return { verdict: 'neutral', repeatable: 'answered', ...wait }
    case 401:
      // About the credential: the upstream is well.
      return { verdict: 'success', repeatable: 'never', elsewhere: true }
    case 402:
      return { verdict: 'success', repeatable: 'never', elsewhere: true, quota: true }
    case 409:
      return { verdict: 'neutral', repeatable: 'never' }
    case 429:
      // Without a time to come back it is a quota or a spend limit, which no waiting heals.
      return retryAfterMs === undefined && shouldRetry !== true
        ? { verdict: 'neutral', repeatable: 'never', elsewhere: true, quota: true }
        : { verdict: 'neutral', repeatable: 'answered', elsewhere: true, ...wait, ...cooldown }
    case 503:
      return { verdict: 'failure', repeatable: 'answered', ...wait, ...cooldown }
    case 500:
    case 502:
    case 504:
    case 520:
    case 521:
    case 522:
    case 523:
    case 524:
    case 529:
      return { verdict: 'failure', repeatable: 'answered', ...wait }
    case 501:
    case 505:
      // About the request, not about the health of the upstream.
      return success
    default:
      return status >= 500 ? { verdict: 'failure', repeatable: 'never', ...wait } : success
  }
}

function cooldownOf(retryAfterMs: number | undefined): Pick<Judgement, 'cooldownMs'> {
  return retryAfterMs === undefined ? {} : { cooldownMs: Math.min(retryAfterMs, cooldownMaxMs) }
}
