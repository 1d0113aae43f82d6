// Owns what is known of one exchange while an upstream is asked, attempt after attempt.
import type { Attempt, Cancellation, UpstreamRequest } from './answer.ts'
import type { Key } from './keys.ts'

/** One exchange with its attempts so far. */
export type Sending = {
  request: UpstreamRequest
  readonly group: string
  readonly signal: Cancellation
  readonly totalAtMs: number
  readonly headAtMs: number
  attempts: readonly Attempt[]
  /** Before this one. */
  readonly tried: Key[]
  key: Key
  raced: boolean
}

/** As much as it takes to say what an attempt came to. */
export type Reported = {
  attempts: readonly Attempt[]
  readonly request: Pick<UpstreamRequest, 'onAttempt'>
  readonly key: Key
}

// Groups are named by clients. What is longer than any name of a model is known by its beginning.
const groupLengthMax = 128

export function groupOf(named = ''): string {
  return named.length > groupLengthMax ? named.slice(0, groupLengthMax) : named
}
