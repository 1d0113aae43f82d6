// Answers that are broken, hostile or late, over real sockets: each has its Fault, and none looks whole.
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import type { FaultCode } from '../../proxy/errors.ts'
import type { UpstreamAnswer } from '../../proxy/upstream/answer.ts'
import {
  answer,
  chunk,
  chunkedHead,
  lastChunk,
  scriptedUpstream,
  type Scene,
  type Script,
} from '../support/scripted-upstream.ts'
import { faultOf, get, never, open, post, text, type Opened } from '../unit/upstream/harness.ts'

const once = { retry: { attempts: 1 } }

async function stage(
  t: Test,
  ...scripts: Script[]
): Promise<Opened & { server: Awaited<ReturnType<typeof scriptedUpstream>> }> {
  const server = await scriptedUpstream(...scripts)
  t.teardown(() => server.close())
  return { server, ...open(server.url, once) }
}

/** Reads until it breaks; what came before is returned with the code of the Fault. */
async function broken(received: UpstreamAnswer): Promise<{ before: string; code: FaultCode | undefined }> {
  let before = ''
  try {
    for await (const piece of received.body) before += Buffer.from(piece).toString()
    return { before, code: undefined }
  } catch (error) {
    return { before, code: (error as { code: FaultCode }).code }
  }
}

t.test('bodies that are cut off', async (t) => {
  const cut = (bytes: string, how: 'end' | 'reset') => async (scene: Scene) => {
    await scene.write(bytes)
    scene[how]()
  }
  const rows: [string, string][] = [
    ['short of its length', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello'],
    ['short of its length, not kept alive', 'HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 100\r\n\r\nhello'],
    ['between chunks', `${chunkedHead()}${chunk('hello')}`],
    ['within a chunk', `${chunkedHead()}${chunk('hello')}ff\r\n`],
    ['before the last empty line', `${chunkedHead()}${chunk('hello')}0\r\n`],
    ['between chunks, not kept alive', `${chunkedHead(200, { connection: 'close' })}${chunk('hello')}`],
  ]
  for (const [name, bytes] of rows) {
    const { upstream, events } = await stage(t, cut(bytes, 'end'))
    const received = await upstream.send(get, never())
    t.strictSame(await broken(received), { before: 'hello', code: 'upstream-truncated' }, name)
    t.match(events.at(-1), { type: 'end', outcome: 'upstream-truncated' })
    await upstream.close()
  }
  for (const [name, bytes] of rows) {
    const { upstream } = await stage(t, cut(bytes, 'reset'))
    // A reset may overtake what was sent before it.
    const code = await upstream.send(get, never()).then(
      async (received) => (await broken(received)).code,
      (error: unknown) => (error as { code: FaultCode }).code,
    )
    t.ok(code === 'upstream-truncated' || code === 'upstream-unreachable', `${name}, by a reset: ${code}`)
    await upstream.close()
  }
})

t.test('a body that ends with its connection: closed is its end, reset is not', async (t) => {
  const head = 'HTTP/1.1 200 OK\r\n\r\n'
  const closed = await stage(t, async (scene) => {
    await scene.write(`${head}hello`)
    scene.end()
  })
  t.equal(await text((await closed.upstream.send(get, never())).body), 'hello')
  await closed.upstream.close()

  let scene: Scene | undefined
  const cut = await stage(t, async (playing) => {
    scene = playing
    await playing.write(`${head}hello`)
  })
  const received = await cut.upstream.send(get, never())
  const reading = received.body[Symbol.asyncIterator]()
  t.equal(String((await reading.next()).value), 'hello')
  scene?.reset()
  await t.rejects(reading.next(), { code: 'upstream-truncated' })
  await cut.upstream.close()
})

t.test('bad chunks after the head are a truncation', async (t) => {
  for (const bad of ['zz\r\nhello\r\n', '-1\r\nx\r\n', '5\r\nhelloXX', '1ffffffffffffffff\r\nx']) {
    const { upstream } = await stage(t, `${chunkedHead()}${chunk('good')}${bad}`)
    t.match(await broken(await upstream.send(get, never())), { before: /^good/, code: 'upstream-truncated' }, bad)
    await upstream.close()
  }
})

t.test('heads that cannot be relayed', async (t) => {
  const rows: [string, string | string[]][] = [
    ['not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/0.9', '<html></html>'],
    ['length and chunked', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello'],
    ['the same length twice', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 5\r\n\r\nhello'],
    ['a negative length', 'HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello'],
    ['a length with a sign', 'HTTP/1.1 200 OK\r\ncontent-length: +5\r\n\r\nhello'],
    ['NUL in a value', 'HTTP/1.1 200 OK\r\nx-a: a\0b\r\ncontent-length: 0\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\nx-a: b\n\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 0\r\n\r\n'],
    ['space before the colon', 'HTTP/1.1 200 OK\r\nx-a : b\r\ncontent-length: 0\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n'],
    ['an unasked 101', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n'],
    ['a 101 without upgrade', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['an unasked 100', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'],
    ['a header of 70 KB', `HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(70_000)}\r\ncontent-length: 0\r\n\r\n`],
    ['headers of 70 KB', `HTTP/1.1 200 OK\r\n${'x-a: aaaaaaaaaa\r\n'.repeat(6000)}\r\n`],
    ['a thousand tiny headers', `HTTP/1.1 200 OK\r\n${'a:\r\n'.repeat(1000)}content-length: 0\r\n\r\n`],
    [
      'a switch that is none',
      'HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 4\r\n\r\n\x81\x02hi',
    ],
    ['a thousand interim answers', `${'HTTP/1.1 102 Processing\r\n\r\n'.repeat(1000)}${answer(200)}`],
    ['interim answers of 70 KB', `HTTP/1.1 103 Early Hints\r\nlink: ${'a'.repeat(70_000)}\r\n\r\n${answer(200)}`],
    ['LF in a value', 'HTTP/1.1 200 OK\r\nx-a: a\nb\r\ncontent-length: 0\r\n\r\n'],
    ['CR in a value', 'HTTP/1.1 200 OK\r\nx-a: a\rb\r\ncontent-length: 0\r\n\r\n'],
    ['a length that is a list', 'HTTP/1.1 200 OK\r\ncontent-length: 5, 5\r\n\r\nhello'],
    ['nine interim answers', `${'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(9)}${answer(200)}`],
  ]
  for (const [name, bytes] of rows) {
    const { upstream, server } = await stage(t, bytes as string)
    t.comment(name)
    await faultOf(t, upstream.send(get, never()), 'upstream-invalid')
    await server.quiet()
    await upstream.close()
  }
})

t.test('interim answers are dropped, eight of them at most', async (t) => {
  const { upstream } = await stage(
    t,
    `${'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(8)}${answer(200, 'x', { 'x-a': 'b' })}`,
  )
  const received = await upstream.send(get, never())
  t.equal(received.status, 200)
  t.strictSame(received.headers, ['x-a', 'b'])
  await upstream.close()
})

t.test('answers without a body have none, whatever their length says', async (t) => {
  const { upstream } = await stage(
    t,
    'HTTP/1.1 204 No Content\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n',
    'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n',
    answer(200, 'next'),
  )
  for (const [request, status, contentLength] of [
    [get, 204, undefined],
    [get, 304, 10],
    [{ ...get, method: 'HEAD' }, 200, 10],
  ] as const) {
    const received = await upstream.send(request, never())
    t.equal(received.status, status)
    t.equal(received.contentLength, contentLength)
    t.equal(await text(received.body), '')
  }
  t.equal(await text((await upstream.send(get, never())).body), 'next')
  await upstream.close()
})

t.test('F19: bytes behind an answer that has no body never reach anybody', async (t) => {
  const smuggled = answer(200, 'smuggled')
  const rows = [
    [get, `HTTP/1.1 204 No Content\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`],
    [get, `HTTP/1.1 304 Not Modified\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`],
    [{ ...get, method: 'HEAD' }, `HTTP/1.1 200 OK\r\ncontent-length: ${smuggled.length}\r\n\r\n${smuggled}`],
    [{ ...get, method: 'HEAD' }, `${chunkedHead()}${chunk(smuggled)}${lastChunk}`],
  ] as const
  for (const [request, bytes] of rows) {
    const { upstream, server } = await stage(t, bytes, answer(200, 'next'))
    const received = await upstream.send(request, never()).catch((error: unknown) => error as { code: FaultCode })
    if ('code' in received) t.equal(received.code, 'upstream-invalid')
    else t.equal(await text(received.body).catch(() => ''), '')
    t.equal(await text((await upstream.send(get, never())).body), 'next')
    t.equal(server.connections, 2, 'the connection was given up')
    await upstream.close()
  }
})

t.test('trailers of an answer are dropped', async (t) => {
  const { upstream } = await stage(t, `${chunkedHead()}${chunk('hello')}0\r\nx-evil: 1\r\nset-cookie: a=1\r\n\r\n`)
  const received = await upstream.send(get, never())
  t.equal(await text(received.body), 'hello')
  t.notMatch(received.headers, ['x-evil'])
  await upstream.close()
})

t.test('redirects are relayed, never followed', async (t) => {
  const { upstream, server } = await stage(t, answer(302, '', { location: 'http://169.254.169.254/latest/meta-data/' }))
  const received = await upstream.send(get, never())
  t.equal(received.status, 302)
  t.strictSame(received.headers, ['location', 'http://169.254.169.254/latest/meta-data/'])
  t.equal(server.requests.length, 1)
  await upstream.close()
})

t.test('surplus bytes after an answer never become the next one', async (t) => {
  const { upstream, server } = await stage(
    t,
    `${answer(200, 'first')}${answer(200, 'smuggled')}`,
    answer(200, 'second'),
  )
  t.equal(await text((await upstream.send(get, never())).body), 'first')
  t.equal(await text((await upstream.send(get, never())).body), 'second')
  t.equal(server.connections, 2)
  await upstream.close()
})

t.test('an answer before the end of the request is relayed and its connection is not used again', async (t) => {
  const server = await scriptedUpstream()
  t.teardown(() => server.close())
  const { upstream } = open(server.url, once)
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const early = { ...post, body: endless(finished) }
  // The script runs only for whole requests, so this one is answered as soon as its connection is there.
  const sending = upstream.send(early, never())
  while (server.sockets.size === 0) await new Promise(setImmediate)
  for (const socket of server.sockets) socket.write(answer(413, 'too much'))
  const received = await sending
  t.equal(received.status, 413)
  t.equal(await text(received.body), 'too much')
  await server.quiet()
  finish()
  server.next(answer(200, 'next'))
  t.equal(await text((await upstream.send(get, never())).body), 'next')
  t.equal(server.connections, 2)
  await upstream.close()
})

async function* endless(until: Promise<void>): AsyncGenerator<Uint8Array> {
  yield Buffer.from('begin')
  await until
}

t.test('timeouts: each step has its own', async (t) => {
  const waiting: [string, Script, number][] = [
    ['before any answer', () => {}, 120_000],
    ['within the head', 'HTTP/1.1 200 OK\r\nx-a', 120_000],
    ['after an interim answer', 'HTTP/1.1 102 Processing\r\n\r\n', 120_000],
  ]
  for (const [name, script, firstByteMs] of waiting) {
    const { upstream, server, clock } = await stage(t, script)
    const sending = upstream.send(get, never())
    await server.seen(1)
    clock.advance(firstByteMs - 1)
    t.equal(server.sockets.size, 1, name)
    clock.advance(1)
    await faultOf(t, sending, 'upstream-timeout')
    await server.quiet()
    await upstream.close()
    t.equal(clock.waiting, 0)
  }
})

t.test('timeouts: a body that stalls, and one that never ends', async (t) => {
  let scene: Scene | undefined
  const trickle: Script = async (playing) => {
    scene = playing
    await playing.write(chunkedHead())
  }
  const stalled = await stage(t, trickle)
  const first = await stalled.upstream.send(get, never())
  const reading = first.body[Symbol.asyncIterator]()
  for (let piece = 0; piece < 5; piece++) {
    stalled.clock.advance(59_999)
    await scene?.write(chunk('x'))
    t.equal((await reading.next()).done, false)
  }
  const next = reading.next()
  stalled.clock.advance(60_000)
  await t.rejects(next, { code: 'upstream-timeout' })
  await stalled.server.quiet()
  await stalled.upstream.close()

  const endlessly = await stage(t, trickle)
  const second = await endlessly.upstream.send(get, never())
  const pulling = second.body[Symbol.asyncIterator]()
  for (let piece = 0; piece < 17; piece++) {
    endlessly.clock.advance(50_000)
    await scene?.write(chunk('x'))
    t.equal((await pulling.next()).done, false)
  }
  const last = pulling.next()
  endlessly.clock.advance(50_000)
  await t.rejects(last, { code: 'upstream-timeout' })
  await endlessly.server.quiet()
  t.equal(endlessly.upstream.state(), 'closed')
  await endlessly.upstream.close()
})

t.test('an upstream that floods while nobody reads is held back', async (t) => {
  const totalBytes = 100 * 1024 * 1024
  const piece = Buffer.alloc(64 * 1024, 'x')
  let handedOver = 0
  let scene: Scene | undefined
  const { upstream, server, clock } = await stage(t, (playing) => {
    scene = playing
    playing.socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${totalBytes}\r\n\r\n`)
    const pump = (): void => {
      while (handedOver < totalBytes) {
        handedOver += piece.byteLength
        if (!playing.socket.write(piece)) return void playing.socket.once('drain', pump)
      }
    }
    pump()
  })
  const received = await upstream.send(get, never())
  const left = (): number => handedOver - (scene?.socket.writableLength ?? 0)
  // Buffers of the system on both sides come on top of ours; when they are full nothing moves any more.
  for (let still = 0, before = -1; still < 20; still = before === left() ? still + 1 : 0) {
    before = left()
    await new Promise(setImmediate)
  }
  t.ok(left() < 20 * 1024 * 1024, `${left()} bytes have left the server`)
  clock.advance(300_000)
  t.equal(server.sockets.size, 1, 'a slow reader is not an idle upstream')
  let receivedBytes = 0
  const hash = createHash('sha256')
  for await (const bytes of received.body) {
    receivedBytes += bytes.byteLength
    if (receivedBytes <= piece.byteLength) hash.update(bytes)
  }
  t.equal(receivedBytes, totalBytes)
  await upstream.close()
})

t.test('a chunked answer of tiny pieces comes whole', async (t) => {
  const pieces = Array.from({ length: 2000 }, (_, index) => String(index))
  const { upstream } = await stage(t, `${chunkedHead()}${pieces.map(chunk).join('')}${lastChunk}`)
  const received = await upstream.send(get, never())
  t.equal(await text(received.body), pieces.join(''))
  await upstream.close()
})
