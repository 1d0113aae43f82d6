import t from 'tap'
import { parseRetryAfter, readAdvice } from '../../../proxy/upstream/retry-after.ts'

const nowMs = Date.parse('2026-11-21T00:00:00Z')

t.test('seconds, dates and nonsense', async (t) => {
  const rows: [string, number | undefined][] = [
    ['0', 0],
    ['7', 7000],
    ['0.5', 500],
    [' 3 ', 3000],
    ['-5', 0],
    ['999999', 999_999_000],
    ['Sat, 21 Nov 2026 00:00:30 GMT', 30_000],
    ['Fri, 20 Nov 2026 23:59:30 GMT', 0],
    ['Sat, 99 Nov 2026 00:00:30 GMT', undefined],
    ['', undefined],
    ['soon', undefined],
    ['1e9', undefined],
    ['0x10', undefined],
    ['Infinity', undefined],
    ['2026-11-21', undefined],
    ['1'.repeat(400), undefined],
  ]
  for (const [text, expected] of rows)
    t.equal(parseRetryAfter(text, nowMs), expected, JSON.stringify(text.slice(0, 40)))
})

t.test('the exact form wins, if it can be read', async (t) => {
  t.strictSame(readAdvice(['retry-after', '2', 'retry-after-ms', '1500'], nowMs), {
    retryAfterMs: 1500,
    shouldRetry: undefined,
  })
  t.equal(readAdvice(['retry-after-ms', 'x', 'retry-after', '2'], nowMs).retryAfterMs, 2000)
})

t.test('x-should-retry is true, false or nothing', async (t) => {
  t.equal(readAdvice(['x-should-retry', 'true'], nowMs).shouldRetry, true)
  t.equal(readAdvice(['x-should-retry', 'false'], nowMs).shouldRetry, false)
  t.equal(readAdvice(['x-should-retry', 'perhaps'], nowMs).shouldRetry, undefined)
  t.strictSame(readAdvice(['retry-after-x', '1'], nowMs), { retryAfterMs: undefined, shouldRetry: undefined })
})
