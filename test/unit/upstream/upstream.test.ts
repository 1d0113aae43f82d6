import t from 'tap'
import { scriptedUpstream, answer, jsonAnswer } from '../../support/scripted-upstream.ts'
import { get, never, open, post, secret, text } from './harness.ts'

t.test('a request goes out with its framing and credential and comes back whole', async (t) => {
  const server = await scriptedUpstream(
    jsonAnswer(200, { ok: true }, { 'x-request-id': 'r1', connection: 'keep-alive, x-hop', 'x-hop': '1' }),
  )
  const { upstream, events } = open(`${server.url}/base/`, { credential: { bearer: { fromEnv: 'KEY' } } })
  t.equal(upstream.basePath, '/base')
  const received = await upstream.send(post, never())
  t.equal(received.status, 200)
  t.strictSame(received.headers, ['content-type', 'application/json', 'x-request-id', 'r1'])
  t.equal(received.contentLength, 11)
  t.equal(await text(received.body), '{"ok":true}')
  received.settle('complete')
  const seen = await server.seen(1)
  t.equal(seen.header('authorization'), `Bearer ${secret}`)
  t.equal(seen.header('content-length'), '13')
  t.equal(seen.header('host'), `127.0.0.1:${server.port}`)
  t.equal(seen.body.toString(), '{"model":"m"}')
  t.match(events, [
    { type: 'attempt', upstream: 'main', attempt: { outcome: 'answered', status: 200, waitedMs: 0 } },
    { type: 'end', upstream: 'main', outcome: 'complete' },
  ])
  await upstream.close()
  await server.close()
})

t.test('one connection serves one exchange after another', async (t) => {
  const server = await scriptedUpstream()
  server.always(answer(200, 'x'))
  const { upstream, clock } = open(server.url)
  for (let round = 0; round < 5; round++) {
    const received = await upstream.send(get, never())
    t.equal(await text(received.body), 'x')
    received.settle('complete')
  }
  // The HTTP client frees a connection one turn after the answer's end, so back-to-back requests use two.
  t.ok(server.connections <= 2, `${server.connections} connections`)
  await upstream.close()
  t.equal(clock.waiting, 0, 'no timer is left')
  await server.close()
})
