// What an upstream sends again and what it does not, over real sockets.
import t from 'tap'
import type { UpstreamOptions } from '../../proxy/upstream/options.ts'
import { answer, chunk, chunkedHead, scriptedUpstream, type Scene, type Script } from '../support/scripted-upstream.ts'
import {
  exchange,
  faultOf,
  get,
  never,
  open,
  post,
  stage,
  text,
  turns,
  untilRetry,
  type Opened,
} from '../unit/upstream/harness.ts'

const reset: Script = (scene) => scene.reset()
const tool: Partial<UpstreamOptions> = { protocol: 'http' }

t.test('an answer that says "failed" is asked for once more', async (t) => {
  for (const status of [408, 425, 500, 502, 503, 504, 520, 524, 529]) {
    const set = await stage(t, [answer(status, 'bad'), answer(200, 'good')])
    t.strictSame(await exchange(set), { status: 200, body: 'good', attempts: 2 }, String(status))
    const [first, second] = set.server.requests
    t.equal(second?.head, first?.head, 'the same request again')
    t.equal(second?.body.toString(), first?.body.toString())
    t.match(
      set.events.map(({ type }) => type).filter((type) => type !== 'end'),
      ['attempt', 'retry', 'attempt'],
    )
  }
})

t.test('the second failure is relayed', async (t) => {
  const set = await stage(t, [answer(500, 'one'), answer(502, 'two'), answer(200)])
  t.strictSame(await exchange(set), { status: 502, body: 'two', attempts: 2 })
  t.equal(set.server.requests.length, 2)
})

t.test('what the client did wrong, quotas and tools are relayed at once', async (t) => {
  const relayed: [number, Record<string, string>, Partial<UpstreamOptions>][] = [
    [400, {}, {}],
    [401, {}, {}],
    [404, {}, {}],
    [409, {}, {}],
    [422, {}, {}],
    [429, {}, {}],
    [429, { 'retry-after': '1', 'x-should-retry': 'false' }, {}],
    [501, {}, {}],
    [503, { 'x-should-retry': 'false' }, {}],
    [503, { 'retry-after': '61' }, {}],
    [500, {}, { retry: { attempts: 1 } }],
    [500, {}, { retry: { budget: 0 } }],
    [503, {}, tool],
    [500, {}, tool],
  ]
  for (const [status, headers, options] of relayed) {
    const set = await stage(t, [answer(status, 'x', headers)], options)
    t.strictSame(await exchange(set), { status, body: 'x', attempts: 1 }, `${status} ${JSON.stringify(headers)}`)
  }
  const allowed = await stage(t, [answer(503), answer(200, 'x')], { ...tool, retry: { unsafe: true } })
  t.match(await exchange(allowed), { status: 200, attempts: 2 }, 'a tool whose operator says so')
  const reading = await stage(t, [answer(503), answer(200, 'x')], tool)
  t.match(await exchange(reading, get), { status: 200, attempts: 2 }, 'a tool that only reads')
})

t.test('Retry-After is waited for before the next attempt, and others keep off the model meanwhile', async (t) => {
  const set = await stage(t, [
    answer(429, 'slow down', { 'retry-after': '7' }),
    answer(200, 'other'),
    answer(200, 'good'),
  ])
  const asking = set.upstream.send({ ...post, group: 'gpt-4o' }, never())
  await untilRetry(set)
  const fault = await faultOf(t, set.upstream.send({ ...post, group: 'gpt-4o' }, never()), 'rate-limited')
  t.equal(fault.details.retryAfterMs, 7000)
  const other = await set.upstream.send({ ...post, group: 'gpt-4o-mini' }, never())
  t.equal(await text(other.body), 'other')
  set.clock.advance(6999)
  t.equal(set.server.requests.length, 2)
  set.clock.advance(1)
  const received = await asking
  t.equal(await text(received.body), 'good')
  t.match(received.attempts, [
    { outcome: 'answered', status: 429, waitedMs: 0 },
    { outcome: 'answered', status: 200, waitedMs: 7000 },
  ])
  t.equal(set.upstream.state(), 'closed')
})

t.test('what never heals by waiting makes no cooldown', async (t) => {
  const set = await stage(t, [answer(429), answer(429), answer(200, 'x')])
  t.match(await exchange(set), { status: 429, attempts: 1 })
  t.match(await exchange(set), { status: 429, attempts: 1 })
  t.match(await exchange(set), { status: 200 })
})

t.test('Retry-After in the past, below zero or without end', async (t) => {
  for (const retryAfter of ['-5', '0', 'Fri, 20 Nov 2026 00:00:00 GMT']) {
    const set = await stage(t, [answer(429, '', { 'retry-after': retryAfter }), answer(200, 'x')])
    t.match(await exchange(set), { status: 200, attempts: 2 }, retryAfter)
  }
  const set = await stage(t, [answer(429, 'x', { 'retry-after': '999999' })])
  t.match(await exchange(set), { status: 429, attempts: 1 }, 'relayed')
  const fault = await faultOf(t, set.upstream.send(post, never()), 'rate-limited')
  t.equal(fault.details.retryAfterMs, 60_000, 'and clamped')
})

t.test('the total deadline covers all attempts', async (t) => {
  const set = await stage(t, [answer(503, 'x', { 'retry-after': '30' })], { timeouts: { total: '20s' } })
  t.match(await exchange(set), { status: 503, attempts: 1 }, 'no use in waiting beyond it')
  const late = await stage(t, [answer(503, '', { 'retry-after': '15' }), () => {}], { timeouts: { total: '20s' } })
  const asking = late.upstream.send(post, never())
  await untilRetry(late)
  late.clock.advance(15_000)
  await late.server.seen(2)
  late.clock.advance(4999)
  t.equal(late.server.sockets.size > 0, true)
  late.clock.advance(1)
  await faultOf(t, asking, 'upstream-timeout')
})

t.test('a connection that cannot be made is tried again, whatever the request', async (t) => {
  const server = await scriptedUpstream(answer(200, 'up again'))
  const { port, url } = server
  await server.close()
  const down = open(url, tool)
  const attempts: unknown[] = []
  const request = { ...post, onAttempt: (attempt: unknown) => void attempts.push(attempt) }
  const fault = await faultOf(t, down.upstream.send(request, never()), 'upstream-unreachable')
  t.match(fault.details.cause, /ECONNREFUSED/)
  t.notMatch(fault.message, String(port), 'addresses are for operators')
  t.match(attempts, [{ outcome: 'upstream-unreachable' }, { outcome: 'upstream-unreachable' }])
  await down.upstream.close()

  async function* stream(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('streamed')
  }
  const later = open(url, tool, { random: () => 0.5 })
  const sending = later.upstream.send({ ...post, body: stream() }, never())
  while (!later.events.some(({ type }) => type === 'retry')) await new Promise(setImmediate)
  await server.listen(port)
  later.clock.advance(125)
  t.equal(await text((await sending).body), 'up again')
  t.equal((await server.seen(1)).body.toString(), 'streamed', 'a stream that was not touched')
  await later.upstream.close()
  await server.close()
})

t.test('after it was written, only what may be done twice is done twice', async (t) => {
  const model = await stage(t, [reset, answer(200)])
  const fault = await faultOf(t, model.upstream.send(post, never()), 'upstream-unreachable')
  t.match(fault.message, /without answering/)
  t.equal(model.server.requests.length, 1)
  const reading = await stage(t, [reset, answer(200, 'x')])
  t.match(await exchange(reading, get), { status: 200, attempts: 2 })
  const half: Script = async (scene) => {
    await scene.write('HTTP/1.1 200 OK\r\nx-a: ')
    scene.end()
  }
  const cut = await stage(t, [half, half])
  await faultOf(t, cut.upstream.send(get, never()), 'upstream-truncated')
  t.equal(cut.server.requests.length, 2)
})

t.test('never after the head: a body that breaks off is not asked for again', async (t) => {
  const set = await stage(t, [
    async (scene) => {
      await scene.write(`${chunkedHead()}${chunk('x')}`)
      scene.end()
    },
    answer(200, 'again'),
  ])
  const received = await set.upstream.send(get, never())
  await t.rejects(text(received.body), { code: 'upstream-truncated' })
  received.settle('broken')
  t.equal(set.server.requests.length, 1)
})

/** Serves one exchange, then resets the connection as the next request arrives on it. */
async function meetDeadSocket(set: Opened, request: typeof post): Promise<Awaited<ReturnType<typeof exchange>>> {
  await exchange(set, request)
  await turns()
  return exchange(set, request)
}

t.test('a pooled connection that dies under a request is replaced, and not held against the upstream', async (t) => {
  const set = await stage(t, [answer(200, 'one'), reset, answer(200, 'two')], { breaker: { consecutive: 1 } })
  t.strictSame(await meetDeadSocket(set, post), { status: 200, body: 'two', attempts: 2 })
  t.strictSame(
    set.server.requests.map(({ connection }) => connection),
    [1, 1, 2],
  )
  t.equal(set.upstream.state(), 'closed')

  const fresh = await stage(t, [answer(200, 'one'), reset, reset], { breaker: { consecutive: 1 } })
  await t.rejects(meetDeadSocket(fresh, get), { code: 'upstream-unreachable' })
  t.equal(fresh.upstream.state(), 'open', 'the second time it is')

  const acting = await stage(t, [answer(200, 'one'), reset, answer(200, 'two')], tool)
  await t.rejects(meetDeadSocket(acting, post), { code: 'upstream-unreachable' }, 'a tool may have done it')
})

t.test('an answer that is not wanted runs out if it is short and is cut off if it is long', async (t) => {
  const half = Promise.withResolvers<void>()
  const short = await stage(
    t,
    [
      async (scene) => {
        await scene.write('HTTP/1.1 503 Scripted\r\ncontent-length: 4\r\n\r\nno')
        await half.promise
        await scene.write('pe')
      },
    ],
    {},
    { random: () => 0.5 },
  )
  short.server.always(answer(200, 'x'))
  const sending = short.upstream.send(post, never())
  await untilRetry(short)
  half.resolve()
  while (!short.events.some(({ type }) => type === 'end')) await turns()
  t.match(short.events.at(-1), { type: 'end', outcome: 'complete' })
  await turns()
  short.clock.advance(125)
  t.equal(await text((await sending).body), 'x')
  t.equal(short.server.connections, 1)

  for (const [bytes, waitMs] of [
    [300_000, 0],
    [1, 3000],
  ] as const) {
    let scene: Scene | undefined
    const cut = await stage(t, [
      (playing) => {
        scene = playing
        return playing.write(`HTTP/1.1 503 Scripted\r\ncontent-length: 900000\r\n\r\n${'x'.repeat(bytes)}`)
      },
      answer(200, 'x'),
    ])
    t.match(await exchange(cut), { status: 200, attempts: 2 })
    cut.clock.advance(waitMs)
    await scene?.closed
    t.match(cut.events.at(-1), { type: 'end' })
  }
})

t.test('connections that die while idle are simply not used', async (t) => {
  const set = await stage(t, [])
  set.server.always(answer(200, 'x'))
  await exchange(set)
  await turns()
  set.server.resetAll()
  await set.server.quiet()
  await turns()
  t.match(await exchange(set), { status: 200, attempts: 1 })
})

t.test('a budget bounds retries', async (t) => {
  const set = await stage(t, [], { breaker: { consecutive: 1000, minimum: 1000 } })
  set.server.always(answer(500, 'x'))
  for (let request = 0; request < 50; request++) await exchange(set)
  t.equal(set.server.requests.length, 50 + 10, 'a fifth of fifty, which is also the floor')
})
