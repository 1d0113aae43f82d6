// Owns how long the caller waits for the head of an answer, where its SDK says so. Beyond that nobody reads what comes, so
// there is nothing to try again for. How long a stream may go on is not theirs to say here.
import { headerValue } from '../lib/headers.ts'
import type { Prepared } from './exchange.ts'

/** Whole seconds. The first is of the OpenAI and Anthropic SDKs, the second of Google's. */
const names = ['x-stainless-timeout', 'x-server-timeout'] as const

/** Monotonic milliseconds; undefined where nothing readable is said. */
export function callerDeadlineMs({ operation, headers, startedMs }: Prepared): number | undefined {
  if (operation.action === 'tool.call' || operation.action === 'asked') return undefined
  for (const name of names) {
    const text = headerValue(headers, name)
    // A timer holds no more than 24 days, and nobody means less than a second.
    if (text !== undefined && /^[1-9]\d{0,5}$/.test(text)) return startedMs + Number(text) * 1000
  }
  return undefined
}
