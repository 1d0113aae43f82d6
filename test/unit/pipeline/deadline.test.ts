import t from 'tap'
import { callerDeadlineMs } from '../../../proxy/pipeline/deadline.ts'
import type { Prepared } from '../../../proxy/pipeline/exchange.ts'

function deadline(headers: readonly string[], action = 'model.call'): number | undefined {
  return callerDeadlineMs({ startedMs: 1000, headers, operation: { action } } as unknown as Prepared)
}

t.test('what SDKs say of their patience counts from when the request came', async (t) => {
  t.equal(deadline(['X-Stainless-Timeout', '600']), 601_000)
  t.equal(deadline(['x-server-timeout', '5']), 6000)
  t.equal(deadline(['x-stainless-timeout', '7', 'x-server-timeout', '5']), 8000)
  t.equal(deadline(['x-stainless-read-timeout', '20.0']), 21_000, 'as Python writes it')
  t.equal(deadline(['x-stainless-read-timeout', '0.5']), 1500)
})

t.test('what nobody can mean is not heard, and tools have no such deadline', async (t) => {
  for (const text of ['', '0', '0.0', '-1', '1.', 'NOT_GIVEN', 'None', 'inf', '1e3', '9999999', '5, 6', ' 5'])
    t.equal(deadline(['x-stainless-timeout', text]), undefined, text)
  t.equal(deadline([]), undefined)
  t.equal(deadline(['x-stainless-timeout', '600'], 'tool.call'), undefined)
})
