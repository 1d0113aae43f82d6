// What an upstream does about failures, over real sockets: retries, the breaker, cancellation, dead connections.
import t, { type Test } from 'tap'
import { Fault } from '../../proxy/errors.ts'
import type { UpstreamOptions } from '../../proxy/upstream/options.ts'
import type { UpstreamDeps } from '../../proxy/upstream/upstream.ts'
import {
  answer,
  chunk,
  chunkedHead,
  lastChunk,
  scriptedUpstream,
  type Scene,
  type Script,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts'
import { faultOf, get, never, open, post, secret, text, type Opened } from '../unit/upstream/harness.ts'

type Stage = Opened & { readonly server: ScriptedUpstream }

async function stage(
  t: Test,
  scripts: Script[],
  options: Partial<UpstreamOptions> = {},
  deps: Partial<UpstreamDeps> = {},
): Promise<Stage> {
  const server = await scriptedUpstream(...scripts)
  const opened = open(server.url, options, deps)
  t.teardown(async () => {
    await server.close()
    await opened.upstream.close()
  })
  return { server, ...opened }
}

async function exchange(
  { upstream }: Stage,
  request = post,
): Promise<{ status: number; body: string; attempts: number }> {
  const received = await upstream.send(request, never())
  const body = await text(received.body)
  received.settle('complete')
  return { status: received.status, body, attempts: received.attempts.length }
}

const reset: Script = (scene) => scene.reset()
const toolPost: Partial<UpstreamOptions> = { protocol: 'http' }

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
    [503, {}, toolPost],
    [500, {}, toolPost],
  ]
  for (const [status, headers, options] of relayed) {
    const set = await stage(t, [answer(status, 'x', headers)], options)
    t.strictSame(await exchange(set), { status, body: 'x', attempts: 1 }, `${status} ${JSON.stringify(headers)}`)
  }
  const allowed = await stage(t, [answer(503), answer(200, 'x')], { ...toolPost, retry: { unsafe: true } })
  t.match(await exchange(allowed), { status: 200, attempts: 2 }, 'a tool whose operator says so')
  const reading = await stage(t, [answer(503), answer(200, 'x')], toolPost)
  t.match(await exchange(reading, get), { status: 200, attempts: 2 }, 'a tool that only reads')
})

t.test('Retry-After is waited for before the next attempt, and others keep off the model meanwhile', async (t) => {
  const set = await stage(t, [
    answer(429, 'slow down', { 'retry-after': '7' }),
    answer(200, 'other'),
    answer(200, 'good'),
  ])
  const asking = set.upstream.send({ ...post, group: 'gpt-4o' }, never())
  await once429(set)
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

async function once429({ events }: Stage): Promise<void> {
  while (!events.some(({ type }) => type === 'retry')) await new Promise(setImmediate)
}

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
  await once429(late)
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
  const down = open(url, toolPost)
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
  const later = open(url, toolPost, { random: () => 0.5 })
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
async function meetDeadSocket(set: Stage, request: typeof post): Promise<Awaited<ReturnType<typeof exchange>>> {
  await exchange(set, request)
  await idle()
  return exchange(set, request)
}

/** The HTTP client frees a connection one turn after the answer's end. */
async function idle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
}

t.test(
  'a pooled connection that dies under a request is replaced at once, and not held against the upstream',
  async (t) => {
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

    const tool = await stage(t, [answer(200, 'one'), reset, answer(200, 'two')], toolPost)
    await t.rejects(meetDeadSocket(tool, post), { code: 'upstream-unreachable' }, 'a tool may have done it')
  },
)

t.test('connections that die while idle are simply not used', async (t) => {
  const set = await stage(t, [])
  set.server.always(answer(200, 'x'))
  await exchange(set)
  await idle()
  set.server.resetAll()
  await set.server.quiet()
  await idle()
  t.match(await exchange(set), { status: 200, attempts: 1 })
})

t.test('a budget bounds retries', async (t) => {
  const set = await stage(t, [], { breaker: { consecutive: 1000, minimum: 1000 } })
  set.server.always(answer(500, 'x'))
  for (let request = 0; request < 50; request++) await exchange(set)
  t.equal(set.server.requests.length, 50 + 20, 'ten from the floor and a fifth of fifty')
})

t.test('five failures open the breaker; one probe goes out when its time is over', async (t) => {
  const set = await stage(t, [], { retry: { attempts: 1 } }, { random: () => 0.5 })
  set.server.next(...Array.from({ length: 5 }, () => answer(500, 'x')))
  for (let request = 0; request < 5; request++) t.match(await exchange(set), { status: 500 })
  t.equal(set.upstream.state(), 'open')
  const open = await faultOf(t, set.upstream.send(post, never()), 'breaker-open')
  t.match(open, { status: 503, retry: 'later', details: { retryAfterMs: 5500 } })
  set.clock.advance(5000)
  set.server.always(answer(200, 'x'))
  const [probe, refused] = await Promise.allSettled([exchange(set), exchange(set)])
  t.match(probe, { status: 'fulfilled', value: { status: 200 } })
  t.match(refused, { status: 'rejected', reason: { code: 'breaker-open' } })
  t.match(await exchange(set), { status: 200 })
  t.equal(set.upstream.state(), 'closed')
  t.strictSame(
    set.events.flatMap((event) => (event.type === 'breaker' ? [event.state] : [])),
    ['open', 'half-open', 'closed'],
  )
})

t.test('a breaker that stays open for long is not worth waiting for', async (t) => {
  const set = await stage(t, [answer(500)], { retry: { attempts: 1 }, breaker: { consecutive: 1, open: '30s' } })
  await exchange(set)
  const fault = await faultOf(t, set.upstream.send(post, never()), 'breaker-open')
  t.equal(fault.retry, 'never')
})

t.test('an attempt that opens the breaker is relayed, not repeated', async (t) => {
  const set = await stage(t, [answer(500, 'last words'), answer(200)], { breaker: { consecutive: 1 } })
  t.strictSame(await exchange(set), { status: 500, body: 'last words', attempts: 1 })
})

t.test('a failing probe does not count as a success because its body came whole', async (t) => {
  const set = await stage(t, [answer(500, 'x'), answer(500, 'x')], {
    retry: { attempts: 1 },
    breaker: { consecutive: 1 },
  })
  await exchange(set)
  set.clock.advance(5000)
  await exchange(set)
  t.equal(set.upstream.state(), 'open')
})

t.test('a streaming probe frees its slot at the first content; what breaks later counts', async (t) => {
  let scene: Scene | undefined
  const streaming: Script = (playing) => {
    scene = playing
    return playing.write(chunkedHead())
  }
  const set = await stage(t, [answer(500), streaming, answer(200, 'x')], {
    retry: { attempts: 1 },
    breaker: { consecutive: 1 },
  })
  await exchange(set)
  set.clock.advance(5000)
  const probe = await set.upstream.send(post, never())
  await faultOf(t, set.upstream.send(post, never()), 'breaker-open')
  const reading = probe.body[Symbol.asyncIterator]()
  await scene?.write(chunk('x'))
  await reading.next()
  await exchange(set)
  t.equal(set.upstream.state(), 'closed')
  scene?.end()
  await t.rejects(reading.next(), { code: 'upstream-truncated' })
  probe.settle('neutral')
  t.equal(set.upstream.state(), 'open', 'whoever settles later cannot take it back')
})

t.test('verdicts on streams: broken in-band, complete, and gone clients', async (t) => {
  const options: Partial<UpstreamOptions> = { breaker: { consecutive: 2 } }
  const set = await stage(t, [], options)
  set.server.always(`${chunkedHead()}${chunk('event: error')}${lastChunk}`)
  for (const outcome of ['broken', 'complete', 'broken', 'neutral'] as const) {
    const received = await set.upstream.send(get, never())
    await text(received.body)
    received.settle(outcome)
    received.settle('broken')
    t.equal(set.upstream.state(), 'closed', outcome)
  }
  const last = await set.upstream.send(get, never())
  await text(last.body)
  last.settle('broken')
  t.equal(set.upstream.state(), 'open')
})

t.test('clients that go away cannot open the breaker, and their connections go at once', async (t) => {
  let scene: Scene | undefined
  const hanging: Script = (playing) => {
    scene = playing
  }
  const streaming: Script = async (playing) => {
    scene = playing
    await playing.write(`${chunkedHead()}${chunk('x')}`)
  }
  const set = await stage(t, [], { breaker: { consecutive: 1 } })
  for (const script of [hanging, streaming]) {
    set.server.next(script)
    const client = new AbortController()
    const number = set.server.requests.length + 1
    const sending = set.upstream.send(get, client.signal)
    await set.server.seen(number)
    if (script === streaming) {
      const reading = (await sending).body[Symbol.asyncIterator]()
      await reading.next()
      client.abort()
      await t.rejects(reading.next(), { code: 'client-aborted' })
    } else {
      client.abort(new Fault('client-stalled'))
      await faultOf(t, sending, 'client-stalled')
    }
    await scene?.closed
    await set.server.quiet()
  }
  t.equal(set.upstream.state(), 'closed')
  await faultOf(t, set.upstream.send(get, AbortSignal.abort()), 'client-aborted')
  t.equal(set.server.requests.length, 2, 'nothing is sent for who has gone')
})

t.test('a reader that stops, and a settled answer that nobody reads, free the connection', async (t) => {
  const set = await stage(t, [], { breaker: { consecutive: 1 } })
  set.server.always(`${chunkedHead()}${chunk('x')}`)
  const first = await set.upstream.send(get, never())
  for await (const piece of first.body) {
    t.equal(piece.toString(), 'x')
    break
  }
  await set.server.quiet()
  const second = await set.upstream.send(get, never())
  second.settle('neutral')
  await set.server.quiet()
  t.equal(set.upstream.state(), 'closed')
})

t.test('an abort while waiting for the next attempt ends the wait', async (t) => {
  const set = await stage(t, [answer(503, '', { 'retry-after': '30' })])
  const client = new AbortController()
  const sending = set.upstream.send(post, client.signal)
  await once429(set)
  client.abort()
  await faultOf(t, sending, 'client-aborted')
  await set.server.close()
  await set.upstream.close()
  t.equal(set.clock.waiting, 0, 'no timer is left')
})

t.test('a request body that breaks off is the fault it says, and neutral', async (t) => {
  const set = await stage(t, [], { breaker: { consecutive: 1 } })
  async function* refused(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('some')
    throw new Fault('body-too-large')
  }
  await faultOf(t, set.upstream.send({ ...post, body: refused() }, never()), 'body-too-large')
  await set.server.quiet()
  t.equal(set.server.requests.length, 0, 'the upstream never saw it whole')
  t.equal(set.upstream.state(), 'closed')
})

t.test('framing is our own: exact length, chunked, or none', async (t) => {
  const set = await stage(t, [])
  set.server.always(answer(200))
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('GET /admin HTTP/1.1\r\n\r\n')
  }
  const lying = ['content-length', '1', 'transfer-encoding', 'chunked', 'connection', 'close', 'expect', '100-continue']
  const rows: [string, typeof post.body, string | undefined, string | undefined][] = [
    ['POST', Buffer.from('abc'), '3', undefined],
    ['POST', undefined, '0', undefined],
    ['POST', stream(), undefined, 'chunked'],
    ['DELETE', stream(), undefined, 'chunked'],
    ['DELETE', Buffer.from('abc'), '3', undefined],
    ['DELETE', undefined, undefined, undefined],
    ['GET', undefined, undefined, undefined],
    ['OPTIONS', stream(), undefined, 'chunked'],
  ]
  for (const [index, [method, body, length, encoding]] of rows.entries()) {
    const received = await set.upstream.send({ ...post, method, body, headers: lying }, never())
    await text(received.body)
    const seen = await set.server.seen(index + 1)
    t.equal(seen.header('content-length'), length, method)
    t.equal(seen.header('transfer-encoding'), encoding, method)
    t.equal(seen.header('expect'), undefined)
  }
  t.equal(set.server.requests.length, rows.length, 'no body became a request')
})

t.test('when every connection is taken, waiting is short', async (t) => {
  const set = await stage(t, [() => {}], { connections: 1, breaker: { consecutive: 1 } })
  const client = new AbortController()
  const taking = set.upstream.send(get, client.signal)
  await set.server.seen(1)
  const waiting = set.upstream.send(get, never())
  set.clock.advance(3000)
  const fault = await faultOf(t, waiting, 'overloaded')
  t.equal(fault.details.retryAfterMs, 1000)
  t.equal(set.upstream.state(), 'closed')
  client.abort()
  await faultOf(t, taking, 'client-aborted')
})

t.test('a connection that takes too long is given up, and tried again', async (t) => {
  const stuck: UpstreamDeps['lookup'] = () => {}
  const { upstream, clock, events } = open('http://upstream.example', {}, { lookup: stuck })
  const sending = upstream.send(post, never())
  clock.advance(3000)
  while (events.length < 2) await new Promise(setImmediate)
  clock.advance(3000)
  await faultOf(t, sending, 'upstream-timeout')
  t.strictSame(
    events.map(({ type }) => type),
    ['attempt', 'retry', 'attempt'],
  )
  await upstream.close()
  t.equal(clock.waiting, 0)
})

t.test('a name is judged by the address that is connected to', async (t) => {
  const server = await scriptedUpstream()
  server.always(answer(200, 'x'))
  t.teardown(() => server.close())
  const lookup: UpstreamDeps['lookup'] = (_name, _options, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }])
  const url = `http://rebound.example:${server.port}`
  const guarded = open(url, { breaker: { consecutive: 1 } }, { lookup })
  const fault = await faultOf(t, guarded.upstream.send(get, never()), 'upstream-refused-address')
  t.equal(fault.retry, 'never')
  t.equal(server.connections, 0)
  t.equal(guarded.upstream.state(), 'closed')
  await guarded.upstream.close()

  const allowed = open(url, { egress: ['127.0.0.0/8'] }, { lookup })
  t.equal(await text((await allowed.upstream.send(get, never())).body), 'x')
  t.equal((await server.seen(1)).header('host'), `rebound.example:${server.port}`)
  await allowed.upstream.close()
})

t.test('closing lets what is in flight finish and refuses the rest', async (t) => {
  let scene: Scene | undefined
  const set = await stage(t, [
    async (playing) => {
      scene = playing
      await playing.write(`${chunkedHead()}${chunk('begin ')}`)
    },
  ])
  const received = await set.upstream.send(get, never())
  const closing = set.upstream.close()
  await faultOf(t, set.upstream.send(get, never()), 'shutting-down')
  await scene?.write(`${chunk('end')}${lastChunk}`)
  t.equal(await text(received.body), 'begin end')
  await closing
  t.equal(set.clock.waiting, 0)
})

t.test('the credential is on the wire and nowhere else', async (t) => {
  const echo = (scene: Scene) => {
    const sent = scene.request.header('authorization') ?? ''
    return scene.write(answer(200, 'x', { 'x-echo': sent, 'set-cookie': `k=${secret}`, 'x-fine': 'yes' }))
  }
  const nonsense = (scene: Scene) =>
    scene.write(`HTTP/1.1 200 OK\r\n${scene.request.header('authorization')} : x\r\n\r\n`)
  const overflow = (scene: Scene) => scene.write(`HTTP/1.1 200 OK\r\nx: ${secret.repeat(4000)}\r\n\r\n`)
  const set = await stage(t, [echo, nonsense, overflow, reset], {
    credential: { bearer: { fromEnv: 'KEY' } },
    retry: { attempts: 1 },
  })
  const received = await set.upstream.send(post, never())
  t.strictSame(received.headers, ['x-fine', 'yes'])
  const faults: Fault[] = []
  for (const code of ['upstream-invalid', 'upstream-invalid', 'upstream-unreachable'] as const) {
    faults.push(
      await faultOf(t, set.upstream.send({ ...post, headers: ['authorization', 'Bearer agent-key'] }, never()), code),
    )
  }
  faults.push(
    await faultOf(t, set.upstream.send({ ...post, path: `/${secret} x` }, never()), 'internal'),
    await faultOf(t, set.upstream.send({ ...post, headers: ['x-bad', `${secret}\n`] }, never()), 'internal'),
  )
  for (const request of set.server.requests) t.equal(request.header('authorization'), `Bearer ${secret}`)
  t.notMatch(set.server.requests.map(({ head }) => head).join(), 'agent-key')
  const told = faults.flatMap((fault) => [
    fault.message,
    fault.stack,
    String(fault.details.cause),
    JSON.stringify(fault),
  ])
  t.notMatch(told.join('\n'), secret)
  t.notMatch(JSON.stringify(set.events), secret)
})
