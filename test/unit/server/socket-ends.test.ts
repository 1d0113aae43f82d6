// How WebSockets end: by either side, by the operator, by a deadline, or before they began. Through real sockets.
import dns from 'node:dns'
import { once } from 'node:events'
import { syncBuiltinESMExports } from 'node:module'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import type { WebSocket } from 'ws'
import { agentKey, closing, openSocketWorld, refusalOf, type SocketWorld } from '../../support/socket-world.ts'

const realtime = '/models/v1/realtime?model=gpt-realtime'

type Pair = { readonly world: SocketWorld; readonly client: WebSocket; readonly server: WebSocket }

async function pair(t: Test, path: string, extra = ''): Promise<Pair> {
  const world = await openSocketWorld(extra)
  t.teardown(() => world.close())
  return { world, ...(await openPair(world, path)) }
}

async function openPair(world: SocketWorld, path: string): Promise<Omit<Pair, 'world'>> {
  const accepted = new Promise<WebSocket>((resolve) => {
    world.upstream.onSocket = resolve
  })
  const client = world.open(path)
  const server = await accepted
  await once(client, 'open')
  return { client, server }
}

for (const path of ['/tunnel/room', realtime]) {
  t.test(`${path}: a client that is gone takes its upstream connection along`, async (t) => {
    const { world, client, server } = await pair(t, path)
    const gone = closing(server)
    client.terminate()
    const { code } = await gone
    t.ok(code === 1006 || code === 1001, `the upstream sees ${code}`)
    const [outcome] = await world.outcomes(1)
    // What was a goodbye in a tunnel nobody can tell.
    t.match(outcome, { status: 101, end: path === realtime ? 'client-gone' : 'complete' })
  })

  t.test(`${path}: an upstream that is gone takes the client along, and is to blame`, async (t) => {
    const { world, client, server } = await pair(t, path)
    const gone = closing(client)
    server.terminate()
    const { code } = await gone
    t.ok(code === 1006 || code === 1014, `the client sees ${code}`)
    t.equal((await world.outcomes(1)).length, 1)
  })

  t.test(`${path}: codes of a goodbye cross over`, async (t) => {
    const { client, server } = await pair(t, path)
    const heard = closing(server)
    client.close(4001, 'mine')
    t.equal((await heard).code, 4001)
  })

  t.test(`${path}: the upstream's goodbye comes with its reason`, async (t) => {
    const { world, client, server } = await pair(t, path)
    const heard = closing(client)
    server.close(4002, 'theirs')
    t.same(await heard, { code: 4002, reason: 'theirs' })
    t.match((await world.outcomes(1))[0], { end: 'complete' })
  })

  t.test(`${path}: a key that is taken back ends what it opened`, async (t) => {
    const { world, client, server } = await pair(t, path)
    const both = Promise.all([closing(client), closing(server)])
    world.gateway.rewrite(world.yaml.replace(/sha256: [0-9a-f]{64}/, `sha256: ${'f'.repeat(64)}`))
    t.match(world.gateway.gateway.reload(), { ok: true })
    await both
    t.match((await world.outcomes(1))[0], { fault: 'credentials-invalid', end: 'broken-off' })
  })

  t.test(`${path}: a key that expires ends what it opened`, async (t) => {
    const world = await openSocketWorld('', { keyExpires: new Date(Date.now() + 2000).toISOString() })
    t.teardown(() => world.close())
    const { client, server } = await openPair(world, path)
    await Promise.all([closing(client), closing(server)])
    t.match((await world.outcomes(1))[0], { status: 101, fault: 'credentials-invalid' })
    t.match(await refusalOf(world.open(path)), { status: 401 })
  })

  t.test(`${path}: a reload that leaves the key alone leaves the connection alone`, async (t) => {
    const { world, client, server } = await pair(t, path)
    world.gateway.rewrite(world.yaml.replace("paths: ['/secret']", "paths: ['/other']"))
    t.match(world.gateway.gateway.reload(), { ok: true })
    const heard = once(server, 'message')
    client.send('{"type":"response.create"}')
    t.match(String(((await heard) as [Buffer])[0]), 'response.create')
  })

  t.test(`${path}: silence ends it, without blame`, async (t) => {
    const timed = await pair(t, path.replace('/tunnel', '/idle-tunnel').replace('/models', '/idle-models'))
    await Promise.all([closing(timed.client), closing(timed.server)])
    t.match((await timed.world.outcomes(1))[0], { fault: 'upstream-timeout' })
    t.match(await timed.world.metrics(), /breaker_state\{upstream="idle_crm"\} 0/)
  })
}

t.test('a shutdown tells a conversation at once', async (t) => {
  const { world, client, server } = await pair(t, realtime)
  const both = Promise.all([closing(client), closing(server)])
  const closed = world.gateway.gateway.close()
  const [atClient, atServer] = await both
  t.equal(atClient.code, 1001)
  t.equal(atServer.code, 1001)
  await closed
})

t.test('a shutdown cuts a tunnel off at its deadline', async (t) => {
  const world = await openSocketWorld('', { drain: '50ms' })
  t.teardown(() => world.close())
  const { client, server } = await openPair(world, '/tunnel/room')
  const both = Promise.all([closing(client), closing(server)])
  await world.gateway.gateway.close()
  await both
  t.pass('both are gone, and so is the proxy')
})

/** For the resolver of this process, a name that leads to loopback and is not localhost. */
function leadInside(t: Test, name: string): void {
  const { lookup } = dns
  const lead = (hostname: string, options: object, callback: (error: null, found: object[]) => void): void =>
    hostname === name
      ? callback(null, [{ address: '127.0.0.1', family: 4 }])
      : lookup(hostname, options, callback as never)
  Object.assign(dns, { lookup: lead })
  syncBuiltinESMExports()
  t.teardown(() => {
    Object.assign(dns, { lookup })
    syncBuiltinESMExports()
  })
}

t.test('an upstream that cannot be reached, or may not be', async (t) => {
  leadInside(t, 'inside.test')
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  t.match(await refusalOf(world.open('/forbidden/room')), { status: 502, body: /upstream-refused-address/ })
  t.match(await refusalOf(world.open('/forbidden-models/v1/realtime?model=m')), { status: 502 })
  await world.upstream.close()
  t.match(await refusalOf(world.open('/tunnel/room')), { status: 502, body: /upstream-unreachable/ })
  t.match(await refusalOf(world.open(realtime)), { status: 502 })
  t.match((await world.outcomes(4)).at(-1), { status: 502, attempts: [{ outcome: 'upstream-unreachable' }] })
})

t.test('an upstream that does not answer the upgrade in time', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  world.upstream.declines = 0
  t.match(await refusalOf(world.open('/hasty/room')), { status: 504, body: /upstream-timeout/ })
})

t.test('a client that leaves while the upstream is asked', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  world.upstream.declines = 0
  const client = world.open('/tunnel/room')
  while (world.upstream.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  const gone = once(world.upstream.asked[0]?.socket as NodeJS.EventEmitter, 'close')
  client.terminate()
  await gone
  t.match((await world.outcomes(1))[0], { fault: 'client-aborted' })
})

t.test('a client that speaks before it is answered', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  const socket = connect(world.port, '127.0.0.1')
  const head = [
    'GET /tunnel/room HTTP/1.1',
    'host: x',
    'connection: upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
    `authorization: Bearer ${agentKey}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\nGET /tunnel/secret HTTP/1.1\r\nhost: x\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  t.match(answer, /^HTTP\/1\.1 400 /)
  t.match(answer, 'request-malformed')
  t.equal(answer.split('HTTP/1.1').length, 2, 'one answer')
})

t.test('a slow reader holds the sender back', async (t) => {
  const { client, server, world } = await pair(t, '/tunnel/room')
  client.pause()
  const block = Buffer.alloc(1024 * 1024)
  let sent = 0
  // What the system's own buffers take is a few megabytes; the proxy adds next to nothing.
  while (server.bufferedAmount < 8 * block.length && sent < 64) {
    server.send(block)
    sent += 1
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  t.ok(sent < 64, `${sent} MiB were sent`)
  client.resume()
  let received = 0
  for await (const [data] of eventsOf(client)) {
    received += data.length
    if (received === sent * block.length) break
  }
  t.equal(received, sent * block.length)
  t.ok(world)
})

t.test('a slow upstream holds the client back', async (t) => {
  const { client, server } = await pair(t, '/tunnel/room')
  server.pause()
  const block = Buffer.alloc(1024 * 1024)
  let sent = 0
  while (client.bufferedAmount < 8 * block.length && sent < 64) {
    client.send(block)
    sent += 1
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  t.ok(sent < 64, `${sent} MiB were sent`)
})

t.test('a client that stops reading is not waited for', async (t) => {
  const world = await openSocketWorld('', { clientWrite: '100ms' })
  t.teardown(() => world.close())
  const { client, server } = await openPair(world, '/tunnel/room')
  client.pause()
  const gone = closing(server)
  for (let at = 0; at < 32; at += 1) server.send(Buffer.alloc(1024 * 1024))
  await gone
  t.match((await world.outcomes(1))[0], { status: 101, fault: 'client-stalled' })
})

t.test('a key that is taken back while the upstream is asked opens nothing', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  let answer: () => void = () => {}
  world.upstream.before = new Promise<void>((resolve) => {
    answer = resolve
  })
  const client = world.open('/tunnel/room')
  const closed = closing(client)
  while (world.upstream.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
  world.gateway.rewrite(world.yaml.replace(/sha256: [0-9a-f]{64}/, `sha256: ${'f'.repeat(64)}`))
  t.match(world.gateway.gateway.reload(), { ok: true })
  answer()
  await closed
  t.match((await world.outcomes(1))[0], { fault: 'credentials-invalid' })
})

async function* eventsOf(socket: WebSocket): AsyncGenerator<[Buffer]> {
  const { on } = await import('node:events')
  for await (const args of on(socket, 'message')) yield args as [Buffer]
}
