// What comes behind a request on its connection: it changes nothing in how that one is answered and recorded, no answer
// stands in another's place or middle, and where nobody knows what comes next, the connection ends.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { answer, chunk, chunkedHead, lastChunk, type Scene } from '../support/scripted-upstream.ts'
import { until } from '../support/until.ts'
import { agentKey, openFortress, talk, type Fortress } from './fortress.ts'

t.setTimeout(30_000)

const head = 'host: gateway.test\r\n'
const get = (path: string): string => `GET /open/${path} HTTP/1.1\r\n${head}\r\n`
const post = (path: string): string => `POST /open/${path} HTTP/1.1\r\n${head}content-length: 2\r\n\r\nab`
const plain = { 'content-type': 'text/plain' }
const tunnel = `CONNECT gateway.test:443 HTTP/1.1\r\n${head}\r\n`
const socketAsked = `GET /open/s HTTP/1.1\r\n${head}connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`

type Line = {
  readonly fortress: Fortress
  readonly socket: Socket
  /** What came, once `text` is in it. */
  readonly got: (text: string) => Promise<string>
  /** All that came, once the proxy has closed the connection. */
  readonly whole: Promise<string>
}

async function open(t: Test): Promise<Line> {
  const fortress = await openFortress()
  t.teardown(() => fortress.close())
  const socket = connect({ port: fortress.port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
  socket.on('error', () => {})
  const whole = once(socket, 'close').then(() => text)
  await once(socket, 'connect')
  return { fortress, socket, whole, got: (part) => until(() => text.includes(part) && text) }
}

/** A request that waits at the upstream until it is told to answer. */
async function waiting({ fortress, socket }: Line, request: string): Promise<Scene> {
  const { promise, resolve } = Promise.withResolvers<Scene>()
  fortress.upstream.next(resolve)
  socket.write(request)
  return promise
}

function statuses(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
}

async function records({ fortress }: Line, count: number): Promise<string[]> {
  const outcomes = await fortress.outcomes(count)
  return outcomes.map(({ method, status, end, fault }) => [method, status, end, fault].join(' ').trim())
}

/** Whatever is behind it has been read when the proxy has answered somebody else. */
async function read({ fortress }: Line): Promise<void> {
  for (let round = 0; round < 3; round += 1) await fetch(`${fortress.gateway.adminUrl}/livez`)
}

t.test('what is pipelined behind an answer that ends its connection is not done', async (t) => {
  const last = {
    'a head that is refused': [`GET /open/../x HTTP/1.1\r\n${head}\r\n`, [400], 'GET 400 refused'],
    'HTTP/1.0': [`GET /open/x HTTP/1.0\r\n${head}\r\n`, [200], 'GET 200 complete'],
  } as const
  for (const [name, [request, answers, record]] of Object.entries(last)) {
    const line = await open(t)
    line.fortress.upstream.always(answer(200, 'done', plain))
    line.socket.write(request + get('behind') + post('behind'))
    t.same(statuses(await line.whole), answers, name)
    const [only, ...others] = await records(line, 1)
    t.ok(only?.startsWith(record), `${name}: ${only}`)
    t.same(others, [])
    t.notOk(
      line.fortress.upstream.requests.some(({ target }) => target.includes('behind')),
      name,
    )
  }
})

t.test('nonsense behind a whole request is refused after it', async (t) => {
  for (const [behind, status, fault] of [
    ['nonsense\r\n\r\n', 400, 'request-malformed'],
    [`BREW /open/x HTTP/1.1\r\n${head}\r\n`, 501, 'method-unsupported'],
    [`GET /open/x HTTP/1.1\r\nhost : x\r\n\r\n`, 400, 'request-malformed'],
  ] as const) {
    const line = await open(t)
    const scene = await waiting(line, post('a'))
    line.socket.write(behind)
    await read(line)
    line.socket.write(get('never'))
    await read(line)
    await scene.write(answer(200, 'first', plain))
    const text = await line.whole
    t.same(statuses(text), [200, status], behind)
    t.match(text, /first[^]*connection: close/)
    t.same(await records(line, 2), ['POST 200 complete', `${status} refused ${fault}`])
    t.equal(line.fortress.upstream.requests.length, 1, 'what follows reaches nobody')
    t.notMatch(await line.fortress.traces(), /outcome="(?:request-malformed|method-unsupported)"/)
  }
})

t.test('so it is in the same packet, behind several, and behind a stream', async (t) => {
  const line = await open(t)
  line.fortress.upstream.next(answer(200, 'first', plain), answer(200, 'second', plain))
  line.socket.write(`${post('a')}${get('b')}nonsense\r\n\r\n`)
  t.same(statuses(await line.whole), [200, 200, 400])
  t.same((await records(line, 3)).sort(), ['400 refused request-malformed', 'GET 200 complete', 'POST 200 complete'])

  const streaming = await open(t)
  const scene = await waiting(streaming, get('s'))
  await scene.write(chunkedHead(200, plain) + chunk('one'))
  await streaming.got('one')
  streaming.socket.write('nonsense\r\n\r\n')
  await read(streaming)
  await scene.write(chunk('two') + lastChunk)
  t.match(await streaming.whole, /one\r\n3\r\ntwo\r\n0\r\n\r\nHTTP\/1\.1 400 /)
  t.same(await records(streaming, 2), ['GET 200 complete', '400 refused request-malformed'])
})

t.test('an answer that ends its connection is the last', async (t) => {
  const line = await open(t)
  const scene = await waiting(line, get('a').replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'))
  line.socket.write('nonsense\r\n\r\n')
  await read(line)
  await scene.write(answer(200, 'first', plain))
  t.same(statuses(await line.whole), [200])
  t.same(await records(line, 1), ['GET 200 complete'])
})

t.test('a body that breaks its framing ends the connection with its refusal', async (t) => {
  const line = await open(t)
  const chat = `POST /limited/v1/chat/completions HTTP/1.1\r\n${head}authorization: Bearer ${agentKey}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`
  line.socket.write(`${chat}5\r\n{"a":\r\n`)
  await read(line)
  line.socket.write('zz\r\n')
  line.socket.write(get('never'))
  const text = await line.whole
  t.same(statuses(text), [400])
  t.match(text, /connection: close/i)
  t.same(await records(line, 1), ['POST 400 refused request-malformed'])
  t.equal(line.fortress.upstream.requests.length, 0)
})

t.test('a head that comes too late is refused after the answer before it, and is no request any more', async (t) => {
  const line = await open(t)
  const late = 'GET /open/late HTTP/1.1\r\n'
  const scene = await waiting(line, get('a'))
  line.socket.write(late)
  await read(line)
  const { replies } = await talk(line.fortress.port, late)
  t.equal(replies[0]?.status, 408, 'by now the other is too late as well')
  line.socket.write(`${head}\r\n`)
  await read(line)
  await scene.write(answer(200, 'first', plain))
  t.same(statuses(await line.whole), [200, 408])
  const late408 = '408 refused headers-timeout'
  t.same(await records(line, 3), [late408, 'GET 200 complete', late408])
  t.equal(line.fortress.upstream.requests.length, 1)
})

t.test('CONNECT, or another protocol, is not answered in the middle of an answer', async (t) => {
  for (const behind of [tunnel, tunnel.replace('\r\n\r\n', '\r\ncontent-length: 2\r\n\r\nab'), socketAsked]) {
    const fault =
      behind === socketAsked ? 'GET  client-gone upgrade-refused' : 'CONNECT  client-gone method-unsupported'
    const line = await open(t)
    const scene = await waiting(line, get('s'))
    await scene.write(chunkedHead(200, plain) + chunk('one'))
    await line.got('one')
    line.socket.write(behind)
    const text = await line.whole
    t.same(statuses(text), [200], behind)
    t.match(text, /one\r\n$/, 'and the answer looks cut')
    await scene.closed
    t.same((await records(line, 2)).sort(), [fault, 'GET 200 client-gone client-aborted'].sort())
  }
})

t.test('nor does it get the place of an answer', async (t) => {
  for (const behind of [tunnel, socketAsked]) {
    const line = await open(t)
    const scenes = [await waiting(line, get('a')), await waiting(line, get('b')), await waiting(line, get('c'))]
    line.socket.write(behind)
    t.equal(await line.whole, '')
    await Promise.all(scenes.map(({ closed }) => closed))
    const all = await records(line, 4)
    t.equal(all.filter((record) => record === 'GET  client-gone client-aborted').length, 3)
    // It would wait for any that it takes to be under way.
    await line.fortress.close()
  }
})

t.test('CONNECT alone is refused, and a client that resets behind it harms nobody', async (t) => {
  const line = await open(t)
  line.socket.write(tunnel)
  t.same(statuses(await line.whole), [405])
  t.same(await records(line, 1), ['CONNECT 405 refused method-unsupported'])
  for (let count = 0; count < 20; count += 1) {
    const socket = connect({ port: line.fortress.port, host: '127.0.0.1' })
    socket.on('error', () => {})
    socket.write(tunnel, () => socket.resetAndDestroy())
    await once(socket, 'close')
  }
  t.equal((await records(line, 21)).length, 21)
})
