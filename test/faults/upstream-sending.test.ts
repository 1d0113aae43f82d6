// What goes out to an upstream and where, and how sending ends early, over real sockets.
import { getEventListeners } from 'node:events'
import t from 'tap'
import { Fault } from '../../proxy/errors.ts'
import type { UpstreamDeps } from '../../proxy/upstream/upstream.ts'
import {
  answer,
  chunk,
  chunkedHead,
  lastChunk,
  scriptedUpstream,
  type Scene,
  type Script,
} from '../support/scripted-upstream.ts'
import { faultOf, get, never, open, post, secret, stage, text, untilRetry } from '../unit/upstream/harness.ts'

const reset: Script = (scene) => scene.reset()

t.test('an abort while waiting for the next attempt ends the wait', async (t) => {
  const set = await stage(t, [answer(503, '', { 'retry-after': '30' })])
  const client = new AbortController()
  const sending = set.upstream.send(post, client.signal)
  await untilRetry(set)
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

t.test('who goes away before there is a connection sends nothing', async (t) => {
  const set = await stage(t, [])
  set.server.always(answer(200, 'x'))
  let resolve: (() => void) | undefined
  const lookup: UpstreamDeps['lookup'] = (_name, _options, callback) => {
    resolve = () => callback(null, [{ address: '127.0.0.1', family: 4 }])
  }
  const { upstream } = open(`http://localhost:${set.server.port}`, {}, { lookup })
  const client = new AbortController()
  const sending = upstream.send(post, client.signal)
  client.abort()
  await faultOf(t, sending, 'client-aborted')
  resolve?.()
  while (set.server.connections === 0) await new Promise(setImmediate)
  await set.server.quiet()
  const next = upstream.send(get, never())
  while (set.server.connections === 1) {
    resolve?.()
    await new Promise(setImmediate)
  }
  t.equal(await text((await next).body), 'x')
  t.strictSame(
    set.server.requests.map(({ method }) => method),
    ['GET'],
  )
  await upstream.close()
})

t.test('nothing of an exchange is left behind', async (t) => {
  const set = await stage(t, [])
  set.server.always(answer(200, 'x'))
  const client = new AbortController()
  for (let round = 0; round < 3; round++) {
    const received = await set.upstream.send(get, client.signal)
    await text(received.body)
  }
  t.equal(getEventListeners(client.signal, 'abort').length, 0)
  set.clock.advance(3000)
  t.equal(set.clock.waiting, 0, 'no deadline is waited for')
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
