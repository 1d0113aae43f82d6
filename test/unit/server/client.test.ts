// A client's side of an exchange, over real sockets and a clock that moves only when told.
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Fault } from '../../../proxy/errors.ts'
import { HttpClient, type ClientTimes } from '../../../proxy/server/client.ts'
import { ManualClock } from '../../support/clock.ts'

const times = { bodyTimeoutMs: 1_000, writeTimeoutMs: 2_000 }
const head = 'host: gateway.test\r\n'

type Served = { readonly client: HttpClient; readonly request: IncomingMessage }
type Stage = {
  readonly clock: ManualClock
  readonly connect: () => Promise<Socket>
  readonly next: () => Promise<Served>
}

/** A server that makes a client of each request and leaves the rest to the test. */
async function stage(t: Test, clientTimes: ClientTimes = times): Promise<Stage> {
  const clock = new ManualClock()
  const arrived: Served[] = []
  const waiting: ((served: Served) => void)[] = []
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    const served = { client: new HttpClient(request, response, clock, clientTimes), request }
    const first = waiting.shift()
    if (first === undefined) arrived.push(served)
    else first(served)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets: Socket[] = []
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.closeAllConnections()
    server.close()
  })
  return {
    clock,
    async connect() {
      const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' })
      sockets.push(socket)
      socket.on('error', () => {})
      await once(socket, 'connect')
      return socket
    },
    next: () => {
      const served = arrived.shift()
      return served === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(served)
    },
  }
}

async function fault(pending: Promise<unknown> | undefined): Promise<string> {
  try {
    await pending
    return 'none'
  } catch (error) {
    return error instanceof Fault ? error.code : String(error)
  }
}

async function aborted({ signal }: HttpClient): Promise<void> {
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', resolve))
}

/** Reads until the text is there or the connection ended. */
async function readUntil(socket: Socket, text: string | undefined): Promise<string> {
  let received = ''
  socket.setEncoding('latin1')
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received += String(chunk)
    if (text !== undefined && received.includes(text)) return received
  }
  return received
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const chunk of body) size += chunk.length
  return size
}

const ways = {
  readBody: async (client: HttpClient, bytesMax: number): Promise<number> => (await client.readBody(bytesMax)).length,
  streamBody: (client: HttpClient, bytesMax: number): Promise<number> => drain(client.streamBody(bytesMax)),
}
const framings = {
  'Content-Length': (body: string, announced = body.length): string => `content-length: ${announced}\r\n\r\n${body}`,
  chunked: (body: string): string =>
    `transfer-encoding: chunked\r\n\r\n${body.replaceAll(/.{1,16384}/g, (part) => `${part.length.toString(16)}\r\n${part}\r\n`)}0\r\n\r\n`,
}

for (const [way, read] of Object.entries(ways)) {
  t.test(`${way}: a body up to the limit, and not a byte more`, async (t) => {
    const { connect, next, clock } = await stage(t)
    for (const [framing, framed] of Object.entries(framings)) {
      for (const [length, want] of [
        [0, 'none'],
        [9, 'none'],
        [10, 'none'],
        [11, 'body-too-large'],
        [400, 'body-too-large'],
      ] as const) {
        const socket = await connect()
        socket.write(`POST / HTTP/1.1\r\n${head}${framed('x'.repeat(length))}`)
        const { client } = await next()
        t.equal(client.hasBody, framing === 'chunked' || length > 0)
        t.equal(await fault(read(client, 10)), want, `${framing} ${length}`)
        if (want === 'none') t.equal(client.bytesIn, length)
        if (framing === 'Content-Length' && length > 10)
          t.equal(client.bytesIn, 0, 'refused before anything of it is read')
        socket.destroy()
      }
    }
    t.equal(clock.waiting, 0, 'no timer is left')
  })

  t.test(`${way}: a body that trickles has some seconds, and then so many bytes a second`, async (t) => {
    const { connect, next, clock } = await stage(t, { ...times, bodyTimeoutMs: 60_000, bodyRateMin: 2 })
    const socket = await connect()
    socket.write(`POST / HTTP/1.1\r\n${head}content-length: 100\r\n\r\nab`)
    const { client } = await next()
    const failed = fault(read(client, 100))
    const arrived = async (bytes: number): Promise<void> => {
      while (client.bytesIn < bytes) await new Promise((resolve) => setImmediate(resolve))
    }
    await arrived(2)
    clock.advance(5_999)
    t.equal(clock.waiting, 1, 'two bytes are a second more')
    socket.write('cdef')
    await arrived(6)
    clock.advance(2_000)
    t.equal(clock.waiting, 1, 'and four are two')
    clock.advance(1)
    t.equal(await failed, 'body-timeout')
  })

  t.test(`${way}: a body that does not come in time`, async (t) => {
    const { connect, next, clock } = await stage(t)
    const socket = await connect()
    socket.write(`POST / HTTP/1.1\r\n${head}${framings['Content-Length']('ab', 5)}`)
    const { client } = await next()
    const failed = fault(read(client, 10))
    while (client.bytesIn < 2) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(times.bodyTimeoutMs - 1)
    t.equal(clock.waiting, 1, 'not yet')
    clock.advance(1)
    t.equal(await failed, 'body-timeout')
    t.equal(clock.waiting, 0)
    client.start(408, ['content-length', '0'])
    client.end()
    t.match(await readUntil(socket, undefined), /connection: close/i, 'and nobody is kept waiting for the rest')
  })

  t.test(`${way}: a client that leaves in its body`, async (t) => {
    const { connect, next, clock } = await stage(t)
    const socket = await connect()
    socket.write(`POST / HTTP/1.1\r\n${head}${framings['Content-Length']('ab', 5)}`)
    const { client } = await next()
    const failed = fault(read(client, 10))
    socket.destroy()
    t.equal(await failed, 'client-aborted')
    await aborted(client)
    t.match(client.signal.reason, { code: 'client-aborted' })
    t.ok(client.gone)
    t.equal(clock.waiting, 0)
    t.equal(await fault(read(client, 10)), 'client-aborted', 'and a body that is asked for later')
  })

  t.test(`${way}: an interruption ends the reading with its own reason`, async (t) => {
    const { connect, next } = await stage(t)
    const socket = await connect()
    socket.write(`POST / HTTP/1.1\r\n${head}${framings['Content-Length']('ab', 5)}`)
    const { client } = await next()
    const failed = fault(read(client, 10))
    client.interrupt(new Fault('shutting-down'))
    t.equal(await failed, 'shutting-down')
    t.match(client.signal.reason, { code: 'shutting-down' })
  })
}

t.test('a client that leaves while it waits aborts the signal; one that got its answer does not', async (t) => {
  const { connect, next } = await stage(t)
  const leaving = await connect()
  leaving.write(`GET / HTTP/1.1\r\n${head}\r\n`)
  const { client: left } = await next()
  t.notOk(left.signal.aborted)
  leaving.destroy()
  await aborted(left)
  t.throws(() => left.start(200, []), { code: 'client-aborted' })
  t.throws(() => left.write('x'), { code: 'client-aborted' })
  left.end('x')
  left.destroy()

  const staying = await connect()
  staying.write(`GET / HTTP/1.1\r\n${head}connection: close\r\n\r\n`)
  const { client } = await next()
  client.start(200, ['content-length', '2', 'x-a', '1', 'x-a', '2'])
  t.ok(client.headSent)
  client.end('ok')
  t.match(
    await readUntil(staying, undefined),
    /^HTTP\/1.1 200 OK\r\ncontent-length: 2\r\nx-a: 1\r\nx-a: 2\r\n[^]*\r\n\r\nok$/,
  )
  t.equal(client.bytesOut, 2)
  t.notOk(client.signal.aborted)
  t.notOk(client.gone)
})

t.test('writing waits for a client that does not read, and goes on when it does', async (t) => {
  const { connect, next, clock } = await stage(t)
  const socket = await connect()
  socket.pause()
  socket.write(`GET / HTTP/1.1\r\n${head}connection: close\r\n\r\n`)
  const { client } = await next()
  client.start(200, [])
  const piece = Buffer.alloc(1024 * 1024, 'x')
  let written = 0
  let pending: Promise<void> | undefined
  // A write that has to wait is only a full buffer when the system takes nothing more either.
  for (let settled = true; settled;) {
    pending = client.write(piece)
    written += 1
    const drained = pending?.then(() => true) ?? Promise.resolve(true)
    settled = await Promise.race([drained, new Promise<boolean>((resolve) => setTimeout(resolve, 20, false))])
  }
  t.not(pending, undefined, `full after ${written} MiB`)
  t.equal(clock.waiting, 1)
  let size = 0
  socket.on('data', (chunk: Buffer) => (size += chunk.length))
  socket.resume()
  t.equal(await fault(pending), 'none')
  t.equal(clock.waiting, 0, 'the stall’s timer is gone')
  client.end()
  await once(socket, 'end')
  t.ok(size > written * piece.length, 'and everything arrived')
})

t.test('a client that stops reading is given up, one that leaves meanwhile at once', async (t) => {
  const { connect, next, clock } = await stage(t)
  for (const leaves of [false, true]) {
    const socket = await connect()
    socket.pause()
    socket.write(`GET / HTTP/1.1\r\n${head}\r\n`)
    const { client } = await next()
    client.start(200, [])
    const pending = client.write(Buffer.alloc(64 * 1024 * 1024))
    t.not(pending, undefined)
    if (leaves) socket.destroy()
    else clock.advance(times.writeTimeoutMs)
    t.equal(await fault(pending), leaves ? 'client-aborted' : 'client-stalled')
    client.destroy()
    t.equal(clock.waiting, 0)
  }
})

for (const [framing, framed] of Object.entries(framings)) {
  t.test(`a refusal is readable by a client that still sends 5 MB (${framing})`, async (t) => {
    const { connect, next, clock } = await stage(t)
    const body = 'x'.repeat(5_000_000)
    for (const reads of [true, false]) {
      const socket = await connect()
      socket.write(`POST / HTTP/1.1\r\n${head}${framed(body)}`)
      socket.write(`GET /next HTTP/1.1\r\n${head}connection: close\r\n\r\n`)
      const { client } = await next()
      if (reads) t.equal(await fault(client.readBody(1000)), 'body-too-large')
      const status = reads ? 413 : 403
      client.start(status, ['content-length', '4'])
      client.end('nope')
      const { client: second, request } = await next()
      t.equal(request.url, '/next', 'what stands behind the body is the next request')
      second.start(200, ['content-length', '2'])
      second.end('ok')
      const received = await readUntil(socket, undefined)
      t.match(received, new RegExp(`^HTTP/1.1 ${status} [^]*\r\n\r\nnopeHTTP/1.1 200 [^]*\r\n\r\nok$`))
      t.equal(clock.waiting, 0)
    }
  })
}

t.test('what nobody wants is not read without end', async (t) => {
  const { connect, next, clock } = await stage(t)
  const endless = await connect()
  endless.write(`POST / HTTP/1.1\r\n${head}content-length: 99999999\r\n\r\n`)
  const { client } = await next()
  client.start(403, ['content-length', '0'])
  client.end()
  const closed = new Promise((resolve) => endless.once('close', resolve))
  endless.resume()
  endless.write(Buffer.alloc(20_000_000))
  await closed
  while (clock.waiting > 0) await new Promise((resolve) => setImmediate(resolve))

  const silent = await connect()
  silent.write(`POST / HTTP/1.1\r\n${head}content-length: 100\r\n\r\nab`)
  const { client: other } = await next()
  other.start(403, ['content-length', '0'])
  other.end()
  await readUntil(silent, '\r\n\r\n')
  clock.advance(5_000)
  silent.resume()
  await once(silent, 'close')
  t.equal(clock.waiting, 0, 'no timer is left')
})

t.test('an answer that is broken off never looks whole', async (t) => {
  const { connect, next } = await stage(t)
  const socket = await connect()
  socket.write(`GET / HTTP/1.1\r\n${head}\r\n`)
  const { client } = await next()
  client.start(200, [])
  client.write('part')
  client.destroy()
  const received = await readUntil(socket, undefined).catch(() => 'reset')
  t.notMatch(received, /\r\n0\r\n\r\n$/)

  const told = await connect()
  told.write(`GET / HTTP/1.1\r\n${head}\r\n`)
  const { client: telling } = await next()
  telling.start(200, [])
  telling.breakOff('data: last words\n\n')
  t.match(await readUntil(told, 'last words'), 'last words', 'the reason can be read')
  t.notMatch(await readUntil(told, undefined), /\r\n0\r\n\r\n$/)

  // Without chunks the end of the connection is the end of the answer, so only a reset can say that it is not.
  const old = await connect()
  old.write('GET / HTTP/1.0\r\n\r\n')
  const { client: older } = await next()
  older.start(200, [])
  older.write('part')
  const reset = new Promise((resolve) => {
    old.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
    old.once('end', () => resolve('a clean end'))
  })
  old.resume()
  older.destroy()
  t.equal(await reset, 'ECONNRESET')
})

t.test('an answer that waits for the one before it can be broken off, too', async (t) => {
  const { connect, next } = await stage(t)
  const socket = await connect()
  socket.write(`GET /a HTTP/1.1\r\n${head}\r\nGET /b HTTP/1.1\r\n${head}\r\n`)
  const first = await next()
  const second = await next()
  second.client.start(200, ['content-type', 'text/plain'])
  second.client.write('half')
  second.client.destroy()
  t.equal(await readUntil(socket, undefined), '', 'the connection is gone, and nothing of it looks whole')
  await aborted(first.client)
  t.pass('and the exchange before it knows')
})

t.test('headers that cannot be written are the upstream’s fault, and a refusal can still be', async (t) => {
  const { connect, next } = await stage(t)
  const socket = await connect()
  socket.write(`GET / HTTP/1.1\r\n${head}connection: close\r\n\r\n`)
  const { client } = await next()
  t.throws(() => client.start(200, ['x-bad', 'a\u0001b\nc']), { code: 'upstream-invalid' })
  t.notOk(client.headSent)
  client.start(502, ['content-length', '0'])
  client.end()
  t.match(await readUntil(socket, undefined), /^HTTP\/1.1 502 /)
})

t.test('a whole answer may be a text: its bytes are UTF-8, those of its head Latin-1', async (t) => {
  const { connect, next } = await stage(t)
  for (const body of ['plain', 'n\u00e9e', '\u{1f600}', '']) {
    const socket = await connect()
    socket.write(`GET / HTTP/1.1\r\n${head}connection: close\r\n\r\n`)
    const { client } = await next()
    const bytes = Buffer.from(body)
    client.start(200, ['x-name', 'caf\u00e9', 'content-length', String(bytes.length)])
    client.end(body)
    const answer = await readUntil(socket, undefined)
    t.match(answer, /\r\nx-name: caf\u00e9\r\n/)
    t.equal(answer.slice(answer.indexOf('\r\n\r\n') + 4), bytes.toString('latin1'))
    t.equal(client.bytesOut, bytes.length)
  }
})

t.test('a head that is not to wait leaves with what is written in the same turn, or alone at its end', async (t) => {
  const { connect, next } = await stage(t)
  const socket = await connect()
  socket.write(`POST / HTTP/1.1\r\n${head}content-length: 0\r\n\r\n`)
  const { client } = await next()
  let writes = 0
  for (const name of ['_write', '_writev'] as const) {
    const write = (client.socket[name] as (...args: unknown[]) => void).bind(client.socket)
    client.socket[name] = (...args: unknown[]) => {
      writes += 1
      write(...args)
    }
  }
  client.start(200, ['content-type', 'text/event-stream'])
  client.flush()
  await Promise.resolve()
  client.write('data: 1\n\n')
  t.match(await readUntil(socket, 'data: 1'), /^HTTP\/1\.1 200 OK\r\n/)
  t.equal(writes, 1)
  client.end()

  socket.write(`POST / HTTP/1.1\r\n${head}content-length: 0\r\n\r\n`)
  const { client: silent } = await next()
  silent.start(200, ['content-type', 'text/event-stream'])
  silent.flush()
  t.match(await readUntil(socket, 'event-stream'), /HTTP\/1\.1 200 OK\r\n/)
  silent.end()
})
