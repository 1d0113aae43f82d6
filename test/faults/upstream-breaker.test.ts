// What opens the breaker of an upstream and what does not, over real sockets.
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { Fault } from '../../proxy/errors.ts'
import type { UpstreamOptions } from '../../proxy/upstream/options.ts'
import { answer, chunk, chunkedHead, lastChunk, type Scene, type Script } from '../support/scripted-upstream.ts'
import type { UpstreamDeps } from '../../proxy/upstream/upstream.ts'
import { exchange, faultOf, get, never, open, post, stage, text } from '../unit/upstream/harness.ts'

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
    set.events.flatMap((event) => (event.type === 'breaker' ? [event.part.state] : [])),
    ['open', 'half-open', 'closed'],
  )
})

t.test('what cannot be reached is held for all models after five failures, whichever way it cannot', async (t) => {
  const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  t.teardown(() => plain.close())
  const gone = await stage(t, [])
  const { port } = gone.server
  await gone.server.close()
  const unknown: UpstreamDeps['lookup'] = (name, _options, callback) =>
    callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), [])
  const options: Partial<UpstreamOptions> = { retry: { attempts: 1 } }
  const rows = {
    'a name that nobody knows': open('http://upstream.example', options, { lookup: unknown }),
    'a port that nobody listens on': open(`http://127.0.0.1:${port}`, options),
    'no TLS': open(`https://127.0.0.1:${(plain.address() as AddressInfo).port}`, options),
  }
  for (const [name, { upstream }] of Object.entries(rows)) {
    for (const group of ['a', 'b', 'c', 'd', 'e']) {
      t.equal(upstream.refusedMs('f'), 0, name)
      await faultOf(t, upstream.send({ ...post, group }, never()), 'upstream-unreachable')
    }
    t.ok(upstream.refusedMs('f') > 0, name)
    t.strictSame(upstream.parts(), [{ state: 'open' }, { group: '', state: 'closed' }], 'no model is held for it')
    await upstream.close()
  }
  const { upstream, clock } = open('http://upstream.example', options, { lookup: () => {} })
  for (const group of ['a', 'b', 'c', 'd', 'e']) {
    const sending = upstream.send({ ...post, group }, never())
    clock.advance(3000)
    await faultOf(t, sending, 'upstream-timeout')
  }
  t.ok(upstream.refusedMs('f') > 0, 'no connection in time')
  await upstream.close()
})

t.test('an upgrade that is declined is about its model; one that cannot be made is about all', async (t) => {
  const set = await stage(t, [], { breaker: { consecutive: 2 } })
  set.server.always(answer(503, 'no'))
  const upgrade = { path: '/v1/realtime', headers: [], carries: 'bytes', key: 'a2V5a2V5a2V5a2V5a2V5aw==' } as const
  for (let turn = 0; turn < 2; turn++)
    await faultOf(t, set.upstream.open({ ...upgrade, group: 'a' }, never()), 'upstream-invalid')
  t.ok(set.upstream.refusedMs('a') > 0)
  t.equal(set.upstream.refusedMs('b'), 0)
  await set.server.close()
  for (let turn = 0; turn < 2; turn++)
    await faultOf(t, set.upstream.open({ ...upgrade, group: 'b' }, never()), 'upstream-unreachable')
  t.ok(set.upstream.refusedMs('c') > 0)
})

t.test('a breaker that stays open for long is not worth waiting for', async (t) => {
  const set = await stage(t, [answer(500)], { retry: { attempts: 1 }, breaker: { consecutive: 1, open: '30s' } })
  await exchange(set)
  const fault = await faultOf(t, set.upstream.send(post, never()), 'breaker-open')
  t.equal(fault.retry, 'never')
})

t.test('what the upstream asks for with the failure that opens it is kept, a minute of it', async (t) => {
  for (const [asked, heldMs] of [
    ['30', 30_000],
    ['3600', 60_000],
    ['1', 5000],
  ] as const) {
    const script = answer(500, 'x', { 'retry-after': asked })
    const set = await stage(t, [script], { retry: { attempts: 1 }, breaker: { consecutive: 1 } }, { random: () => 0.5 })
    await exchange(set)
    t.equal(set.upstream.refusedMs(''), heldMs, asked)
  }
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

t.test('a probe that one credential is refused for goes on with the next, whenever the refusal has come', async (t) => {
  const head = 'HTTP/1.1 401 Scripted\r\ncontent-length: 5\r\n\r\n'
  const credentials = [{ bearer: { fromEnv: 'A' } }, { bearer: { fromEnv: 'B' } }]
  const options: Partial<UpstreamOptions> = { retry: { attempts: 1 }, breaker: { consecutive: 1 }, credentials }
  const set = await stage(t, [answer(500, 'x'), head, answer(200, 'x')], options)
  await exchange(set)
  set.clock.advance(5000)
  const { status } = await set.upstream.send(post, never())
  t.equal(status, 200)
})

t.test('a probe without a body frees its slot at its end, though nobody settles it', async (t) => {
  const set = await stage(t, [answer(500)], { retry: { attempts: 1 }, breaker: { consecutive: 1 } })
  await exchange(set)
  set.clock.advance(5000)
  set.server.always(answer(200))
  for (const state of ['half-open', 'closed']) {
    await text((await set.upstream.send(get, never())).body)
    t.equal(set.upstream.state(), state)
  }
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
