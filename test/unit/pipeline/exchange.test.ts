import t from 'tap'
import { noteRedactedAt, type Trace } from '../../../proxy/pipeline/exchange.ts'

t.test('of the places of what was redacted the first are noted, each once', async (t) => {
  const trace = { redactedAt: [] as string[] }
  const note = (place: Parameters<typeof noteRedactedAt>[2]): void =>
    noteRedactedAt(trace as unknown as Trace, 'request', place)
  note('headers')
  note('headers')
  for (let index = 0; index < 100_000; index += 1) note({ path: ['list', index] })
  t.equal(trace.redactedAt.length, 100)
  t.same(trace.redactedAt.slice(0, 2), ['request headers', 'request /list/0'])
})
