// Bodies that are not kept as long as their answers last: they arrive as any other, and again if they must.
import t from 'tap'
import { PassingBody } from '../../../proxy/upstream/passing-body.ts'
import { exchange, never, post, stage, turns, untilRetry } from './harness.ts'

const body = Buffer.alloc(300_000, 'abc')
const large = { ...post, body, idempotent: true }
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'

t.test('it arrives whole and with its length', async (t) => {
  const opened = await stage(t, [ok, ok, ok])
  const sized = [16 * 1024, 1].map((bytes) => ({ ...post, body: body.subarray(0, bytes), lasting: true }))
  for (const sent of [large, ...sized]) {
    t.equal((await exchange(opened, sent)).status, 200)
    const seen = opened.server.requests.at(-1)
    t.equal(seen?.header('content-length'), String(sent.body.length))
    t.equal(seen?.header('transfer-encoding'), undefined)
    t.ok(seen?.body.equals(sent.body))
    await turns()
  }
  t.equal(opened.server.connections, 1, 'and its connection is used again')
})

t.test('it is sent again where an attempt failed', async (t) => {
  const opened = await stage(t, ['HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n', ok])
  const answered = exchange(opened, large)
  await untilRetry(opened)
  opened.clock.advance(10_000)
  t.equal((await answered).attempts, 2)
  for (const seen of opened.server.requests) t.ok(seen.body.equals(body))
})

t.test('an answer that does not wait for all of it is heard', async (t) => {
  const opened = await stage(t, ['HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno'])
  const answer = await opened.upstream.send(large, never())
  t.equal(answer.status, 413)
  answer.settle('complete')
})

t.test('it is given out once', async (t) => {
  const once = new PassingBody(body)
  const taken: Uint8Array[] = []
  for await (const bytes of once) taken.push(bytes)
  for await (const bytes of once) taken.push(bytes)
  t.same(taken.length, 1)
  t.equal(taken[0], body)
})
