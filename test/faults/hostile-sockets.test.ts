// Upstreams that answer an upgrade with whatever they like, and clients that send whatever they like after it: every
// connection ends, every exchange leaves one record, and the next one is served.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { agentKey, openSocketWorld, refusalOf, type SocketWorld } from '../support/socket-world.ts'
import { closeCodeIn, frame, framesIn, openRaw } from '../support/raw-socket.ts'

const realtime = '/hostile-models/v1/realtime?model=m'
const tunnel = '/hostile/room'
const authorized = { authorization: `Bearer ${agentKey}` }

/** Answers each connection with what `answer` makes of the client's key. */
async function hostileUpstream(
  t: Test,
  answer: (accept: string, socket: Socket) => string | Buffer,
): Promise<SocketWorld> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', (head: Buffer) => {
      const key = /^sec-websocket-key: (.*)\r$/im.exec(head.toString('latin1'))?.[1] ?? ''
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      socket.write(answer(accept, socket))
      socket.on('end', () => socket.end())
      socket.resume()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const world = await openSocketWorld('', { hostile: `http://127.0.0.1:${port}` })
  t.teardown(async () => {
    await world.close()
    server.close()
  })
  return world
}

function switched(accept: string, more = ''): string {
  return `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-accept: ${accept}\r\n${more}\r\n`
}

const wrongAnswers: readonly [string, (accept: string) => string][] = [
  ['another key', () => switched('AAAAAAAAAAAAAAAAAAAAAAAAAAA=')],
  ['no key', (accept) => switched(accept).replace(/sec-websocket-accept.*\r\n/, '')],
  ['no HTTP at all', () => '\u0000\u0001\u0002 hello\r\n\r\n'],
  ['half a head', () => 'HTTP/1.1 101 Switching Protocols\r\nupgrade: webs'],
  ['a head without end', () => `HTTP/1.1 101 Switching\r\nx: ${'a'.repeat(200_000)}\r\n\r\n`],
]

for (const path of [tunnel, realtime]) {
  for (const [name, answer] of wrongAnswers) {
    t.test(`${path}: ${name}`, async (t) => {
      const world = await hostileUpstream(t, (accept, socket) => {
        if (name === 'half a head') setImmediate(() => socket.end())
        return answer(accept)
      })
      const { status } = await refusalOf(world.open(path))
      t.equal(status, 502)
      t.match((await world.outcomes(1))[0], { status: 502, end: 'refused' })
    })
  }

  t.test(`${path}: what the upstream's head must not tell`, async (t) => {
    const more =
      'set-cookie: a=b\r\nx-key: sk-upstream-credential-that-must-not-leak\r\naccess-control-allow-origin: *\r\nx-gatewright-decision: allow-all\r\n'
    const world = await hostileUpstream(t, (accept) => switched(accept, more))
    const raw = await openRaw(world.port, path, authorized)
    t.match(raw.head, /^HTTP\/1\.1 101 /)
    t.notMatch(raw.head, /sk-upstream|access-control|allow-all/)
    if (path === realtime) t.notMatch(raw.head, /set-cookie/)
    raw.destroy()
    t.equal((await world.outcomes(1)).length, 1)
  })
}

t.test('a conversation with an upstream that breaks the protocol ends with 1014', async (t) => {
  const breaks = [
    Buffer.concat([frame(1, '{}', { masked: true })]),
    frame(1, Buffer.from([0xff, 0xfe]), { masked: false }),
    frame(1, '{}', { masked: false, rsv: 4 }),
    frame(2, 'binary', { masked: false }),
    frame(1, 'no JSON', { masked: false }),
    Buffer.from([0x81, 0x7f, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]),
    Buffer.concat(Array.from({ length: 3000 }, () => frame(9, 'ping', { masked: false }))),
  ]
  // At once: each client is given a second for its own goodbye.
  await Promise.all(
    breaks.map(async (broken, at) => {
      const world = await hostileUpstream(t, (accept) => Buffer.concat([Buffer.from(switched(accept)), broken]))
      const raw = await openRaw(world.port, realtime, authorized)
      t.equal(closeCodeIn(framesIn(await raw.rest)), 1014, `break ${at}`)
      t.match((await world.outcomes(1))[0], { fault: 'upstream-invalid', messages: { down: 0 } })
    }),
  )
})

t.test('any bytes from either side', async (t) => {
  let noise: Uint8Array = new Uint8Array()
  const world = await hostileUpstream(t, (accept) => Buffer.concat([Buffer.from(switched(accept)), noise]))
  let count = 0
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.tuple(fc.nat(15), fc.uint8Array({ maxLength: 130 }), fc.boolean(), fc.nat(7), fc.boolean()), {
        maxLength: 8,
      })
      .map((frames) =>
        Buffer.concat(
          frames.map(([opcode, payload, fin, rsv, masked]) =>
            frame(opcode, payload, { fin, rsv: rsv === 7 ? 4 : 0, masked }),
          ),
        ),
      ),
  )
  await fc.assert(
    fc.asyncProperty(bytes, bytes, fc.constantFrom(tunnel, realtime), async (fromClient, fromServer, path) => {
      noise = fromServer
      const raw = await openRaw(world.port, path, authorized)
      raw.send(fromClient)
      setTimeout(() => raw.destroy(), 5)
      await raw.rest
      count += 1
      t.equal((await world.outcomes(count)).length, count)
    }),
    { numRuns: 150 },
  )
  t.match(await (await fetch(`${world.gateway.adminUrl}/health/stats`)).json(), { inflight: 0, state: 'serving' })
})
