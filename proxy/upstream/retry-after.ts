// Owns reading what an upstream says about when to come back: `retry-after` (RFC 9110 section 10.2.3), the
// millisecond form that some providers add, and `x-should-retry`.

export type Advice = {
  /** Not negative, not capped; absent when nothing readable was said. */
  readonly retryAfterMs: number | undefined
  readonly shouldRetry: boolean | undefined
}

/** `headers`: flat list, names in lower case. `nowMs`: wall clock, for dates. */
export function readAdvice(headers: readonly string[], nowMs: number): Advice {
  let retryAfter: string | undefined
  let exact: string | undefined
  let shouldRetry: boolean | undefined
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1] ?? ''
    switch (headers[index]) {
      case 'retry-after':
        retryAfter = value
        break
      case 'retry-after-ms':
        exact = value
        break
      case 'x-should-retry':
        shouldRetry = value === 'true' ? true : value === 'false' ? false : undefined
        break
      default:
    }
  }
  const exactMs = exact === undefined ? undefined : parseNumber(exact)
  return {
    retryAfterMs: exactMs ?? (retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, nowMs)),
    shouldRetry,
  }
}

/** Milliseconds from now; past dates and negative numbers mean now. */
export function parseRetryAfter(text: string, nowMs: number): number | undefined {
  const seconds = parseNumber(text)
  if (seconds !== undefined) return seconds * 1000
  // Only the date form that may be generated: Date.parse alone would read almost any text with digits in it.
  if (!/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)) return undefined
  const dateMs = Date.parse(text)
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs)
}

/** Fractions are not in the grammar, but providers send them. */
function parseNumber(text: string): number | undefined {
  return /^-?\d{1,15}(\.\d{1,9})?$/.test(text.trim()) ? Math.max(0, Number(text)) : undefined
}
