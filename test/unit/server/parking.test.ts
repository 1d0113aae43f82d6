// Connections whose answers are silent: what they lose, what they keep, and how they go on. Over real sockets.
import { channel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Parking } from '../../../proxy/server/parking.ts'
import { ManualClock } from '../../support/clock.ts'
import { startGateway } from '../../support/gateway.ts'
import { chunk, chunkedHead, scriptedUpstream } from '../../support/scripted-upstream.ts'

t.setTimeout(10_000)

type Asked = { readonly request: IncomingMessage; readonly response: ServerResponse }
type Stage = {
  readonly parking: Parking
  readonly connections: () => number
  readonly faults: string[]
  connect(): Promise<Peer>
  next(): Promise<Asked>
}
type Peer = {
  readonly socket: Socket
  /** What came up to and with `text`. */
  readonly until: (text: string) => Promise<string>
}

const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`

/** A server that hands each request to the test. */
async function stage(t: Test, keepAliveTimeout = 5_000): Promise<Stage> {
  const asked: Asked[] = []
  const faults: string[] = []
  let wake = (): void => {}
  let connections = 0
  const server = createServer({ keepAliveTimeout, keepAliveTimeoutBuffer: 1 }, (request, response) => {
    asked.push({ request, response })
    wake()
  })
  const parking = new Parking(server)
  server.on('connection', (socket: Socket) => {
    if (!parking.isReturning(socket)) connections += 1
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    faults.push(error.code ?? '')
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    parking.closeIdle()
    server.closeAllConnections()
    server.close()
  })
  return {
    parking,
    faults,
    connections: () => connections,
    async connect() {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
      sockets.push(socket)
      return peer(socket)
    },
    async next() {
      if (asked.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return asked.shift() as Asked
    },
  }
}

async function peer(socket: Socket): Promise<Peer> {
  let said = ''
  socket.on('error', () => {})
  socket.on('data', (bytes) => (said += bytes.toString('latin1')))
  await once(socket, 'connect')
  return {
    socket,
    until: async (text) => {
      while (!said.includes(text)) await once(socket, 'data')
      const end = said.indexOf(text) + text.length
      const before = said.slice(0, end)
      said = said.slice(end)
      return before
    },
  }
}

function parserOf({ request }: Asked): unknown {
  return (request.socket as Socket & { parser?: unknown }).parser
}

/** A stream of which one piece is written, parked. */
async function parked(stage: Stage, { socket, until }: Peer, path = '/'): Promise<Asked> {
  socket.write(ask(path))
  const asked = await stage.next()
  asked.response.on('close', () => stage.parking.answered(asked.request.socket))
  asked.response.write('one')
  await until('one')
  if (!stage.parking.park(asked.request)) throw new Error('not parked')
  return asked
}

t.test('a parked stream goes on, and its connection serves what is asked next', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  for (const path of ['/first', '/second']) {
    const asked = await parked(scene, client, path)
    t.equal(asked.request.url, path)
    t.equal(parserOf(asked), null, 'without a parser')
    t.notOk(scene.parking.park(asked.request), 'once')
    asked.response.write('two')
    asked.response.end('three')
    t.match(await client.until('0\r\n\r\n'), /two[^]*three/)
  }
  client.socket.write(ask('/third'))
  const { request, response } = await scene.next()
  t.equal(request.url, '/third')
  response.end('fourth')
  await client.until('fourth')
  t.equal(scene.connections(), 1)
})

t.test('what is asked ahead is answered in its turn, however it comes in pieces', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  const first = await parked(scene, client)
  const ahead = ask('/ahead')
  client.socket.write(ahead.slice(0, 9))
  await once(first.request.socket, 'data')
  first.response.end('two')
  await client.until('two')
  client.socket.write(ahead.slice(9))
  const { request, response } = await scene.next()
  t.equal(request.url, '/ahead')
  response.end('done')
  await client.until('done')
})

t.test('a client may say more ahead than is kept', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  const { request, response } = await parked(scene, client)
  const body = 'x'.repeat(300_000)
  client.socket.write(`POST /large HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  while (!request.socket.isPaused()) await once(request.socket, 'data')
  response.end('two')
  const next = await scene.next()
  let bytes = 0
  next.request.on('data', (piece: Buffer) => (bytes += piece.length))
  await once(next.request, 'end')
  t.equal(bytes, body.length)
})

t.test('a connection is not parked with a part of the next request in its parser', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  const ahead = ask('/ahead')
  client.socket.write(ask('/') + ahead.slice(0, 7))
  const { request, response } = await scene.next()
  response.write('one')
  await client.until('one')
  t.notOk(scene.parking.park(request))
  response.end('two')
  client.socket.write(ahead.slice(7))
  const next = await scene.next()
  t.equal(next.request.url, '/ahead', 'and asking has changed nothing')
})

t.test('nor while its own request is not all here', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  client.socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\na')
  const { request } = await scene.next()
  t.notOk(scene.parking.park(request))
  request.resume()
  client.socket.write('bc')
  await once(request, 'end')
  await setImmediate()
  t.ok(scene.parking.park(request))
})

t.test('a client that leaves is noticed, while it is answered and after', async (t) => {
  const scene = await stage(t)
  const [leaving, staying] = [await scene.connect(), await scene.connect()]
  const left = await parked(scene, leaving)
  leaving.socket.resetAndDestroy()
  await once(left.response, 'close')
  t.notOk(left.response.writableFinished)
  const stayed = await parked(scene, staying)
  stayed.response.end()
  await staying.until('0\r\n\r\n')
  staying.socket.end()
  await once(staying.socket, 'close')
})

t.test('one that ends its side while it is answered is told the rest, and then the other side ends', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  const { request, response } = await parked(scene, client)
  client.socket.end()
  await once(request.socket, 'end')
  response.end('two')
  await client.until('0\r\n\r\n')
  await once(client.socket, 'close')
})

t.test('what others wait for at the end of a connection comes once', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  client.socket.write(ask('/'))
  const { request, response } = await scene.next()
  const heard: string[] = []
  for (const event of ['end', 'close']) {
    request.socket.on(event, () => heard.push(event))
    request.socket.once(event, () => heard.push(`once ${event}`))
  }
  response.write('one')
  await client.until('one')
  t.ok(scene.parking.park(request))
  client.socket.end()
  await once(request.socket, 'end')
  request.socket.destroy()
  await once(request.socket, 'close')
  t.strictSame(heard, ['end', 'once end', 'close', 'once close'])
})

t.test('a connection on which nothing more is asked is closed in time, or when all are', async (t) => {
  const scene = await stage(t, 1)
  const client = await scene.connect()
  const { response } = await parked(scene, client)
  response.end()
  await once(client.socket, 'close')
  const long = await stage(t)
  const other = await long.connect()
  const asked = await parked(long, other)
  asked.response.end()
  await once(asked.response, 'close')
  long.parking.closeIdle()
  await once(other.socket, 'close')
})

t.test('the time between two requests does not end the next', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  const first = await parked(scene, client)
  first.response.end()
  await client.until('0\r\n\r\n')
  t.ok((first.request.socket.timeout ?? 0) > 0)
  client.socket.write(ask('/'))
  t.equal((await scene.next()).request.socket.timeout, 0)
})

t.test('nonsense behind a parked answer is refused like any other', async (t) => {
  const scene = await stage(t)
  const client = await scene.connect()
  const { response } = await parked(scene, client)
  response.end()
  client.socket.write('nonsense\r\n\r\n')
  await once(client.socket, 'close')
  t.match(scene.faults, [/^HPE_/])
})

t.test('the listener parks what is silent, and nothing that speaks', async (t) => {
  const clock = new ManualClock()
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(
    `
upstreams: { crm: { protocol: http, url: "${upstream.url}" } }
routes: [{ id: crm, path: /crm, upstream: crm }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow`,
    { clock },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const sockets: (Socket & { parser?: unknown })[] = []
  const note = (message: unknown): void => void sockets.push((message as { socket: Socket }).socket)
  channel('http.server.request.start').subscribe(note)
  t.teardown(() => channel('http.server.request.start').unsubscribe(note))
  const steps = ['one', 'two', 'three'].map((text) => ({ text, go: Promise.withResolvers<void>() }))
  void upstream.always(async (scene) => {
    scene.write(chunkedHead(200, { 'content-type': 'text/event-stream' }))
    for (const { text, go } of steps) {
      await go.promise
      scene.write(chunk(`data: "${text}"\n\n`))
    }
    scene.write('0\r\n\r\n')
  })
  const client = await peer(connect(gateway.gateway.data.port, '127.0.0.1'))
  client.socket.write(ask('/crm/x'))
  const parser = (): unknown => sockets.find(({ remotePort }) => remotePort === client.socket.localPort)?.parser
  for (const { text, go } of steps.slice(0, 2)) {
    go.resolve()
    await client.until(`"${text}"`)
    clock.advance(200)
    t.ok(parser(), 'it has just spoken')
  }
  clock.advance(200)
  t.equal(parser(), null)
  steps[2]?.go.resolve()
  await client.until('0\r\n\r\n')
  client.socket.write(ask('/crm/y'))
  await client.until('0\r\n\r\n')
  t.ok(parser())
})
