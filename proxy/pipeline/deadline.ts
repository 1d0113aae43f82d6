// Owns how long the caller waits for the head of an answer, where its SDK says so. Beyond that nobody reads what comes, so
// there is nothing to try again for. How long a stream may go on is not theirs to say here.
import { headerValue } from '../lib/headers.ts'
import type { Prepared } from './exchange.ts'

/**
 * Seconds: of the OpenAI and Anthropic SDKs for JavaScript, of those for Python (where it is between any two bytes, and so also
 * to the first), and of Google's.
 */
const names = ['x-stainless-timeout', 'x-stainless-read-timeout', 'x-server-timeout'] as const

/** Monotonic milliseconds; undefined where nothing readable is said. */
export function callerDeadlineMs({ operation, headers, startedMs }: Prepared): number | undefined {
  if (operation.action === 'tool.call' || operation.action === 'asked') return undefined
  for (const name of names) {
    const text = headerValue(headers, name)
    // A timer holds no more than 24 days. Python writes 20.0, and None or NaN where there is none.
    const seconds = text !== undefined && /^\d{1,6}(?:\.\d{1,20})?$/.test(text) ? Number(text) : 0
    if (seconds > 0) return startedMs + Math.ceil(seconds * 1000)
  }
  return undefined
}
