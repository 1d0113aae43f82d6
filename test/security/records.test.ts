// Every exchange leaves exactly one outcome record, however it ends, with the status that was sent and how it ended.
import { connect } from 'node:net'
import t from 'tap'
import { chunk, chunkedHead, jsonAnswer, lastChunk, type Scene, type Script } from '../support/scripted-upstream.ts'
import { agentKey, openFortress, talk, type Fortress } from './fortress.ts'

const extra = `
limits: [{ id: few, by: [route], routes: [limited], requests: 1/30s }]
redaction: [{ id: back, direction: response, detect: [us-ssn], action: mask }]`

type Ending = {
  readonly name: string
  readonly bytes: string
  readonly upstream?: Script
  /** Leaves as soon as this has been seen of the answer, or of the request at the upstream. */
  readonly leaves?: 'at-upstream' | 'at-answer' | 'in-body'
  readonly record: Readonly<Record<string, unknown>>
}

const bearer = `authorization: Bearer ${agentKey}`
const body = JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hi' }] })
const event = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content: 'hello' }, finish_reason: null }] })}\n\n`
const stream = chunkedHead(200, { 'content-type': 'text/event-stream' })

function post(path: string, key = bearer, content = body, type = 'application/json', more = ''): string {
  return `POST ${path} HTTP/1.1\r\nhost: gateway.test\r\n${key}\r\ncontent-type: ${type}\r\n${more}content-length: ${Buffer.byteLength(content)}\r\n\r\n${content}`
}

const chat = '/openai/v1/chat/completions'
const good = jsonAnswer(200, { id: 'c', object: 'chat.completion', choices: [] })

const endings: readonly Ending[] = [
  {
    name: 'answered',
    bytes: post(chat),
    upstream: good,
    record: { status: 200, end: 'complete', decision: 'allow', principal: 'agent' },
  },
  {
    name: "the upstream's own error",
    bytes: post(chat),
    upstream: jsonAnswer(404, { error: { message: 'no' } }),
    record: { status: 404, end: 'complete' },
  },
  {
    name: 'a wrong key',
    bytes: post(chat, 'authorization: Bearer wrong'),
    record: { status: 401, fault: 'credentials-invalid', end: 'refused', decision: 'none' },
  },
  {
    name: 'denied',
    bytes: post(chat, 'x-none: 1'),
    record: { status: 403, fault: 'denied', decision: 'deny', end: 'refused' },
  },
  { name: 'no adapter', bytes: post('/openai/v1/files'), record: { status: 403, fault: 'operation-unsupported' } },
  { name: 'no route', bytes: post('/nowhere'), record: { status: 404, fault: 'route-not-found' } },
  { name: 'no HTTP', bytes: 'nonsense\r\n\r\n', record: { status: 400, fault: 'request-malformed' } },
  {
    name: 'a bad head',
    bytes: 'GET /open/../x HTTP/1.1\r\nhost: x\r\n\r\n',
    record: { status: 400, fault: 'target-invalid' },
  },
  {
    name: 'a head that is too large',
    bytes: `GET /open/x HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`,
    record: { status: 431, fault: 'headers-too-large' },
  },
  {
    name: 'a long target',
    bytes: `GET /open/${'x'.repeat(9_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    record: { status: 414, fault: 'target-invalid' },
  },
  { name: 'bad JSON', bytes: post(chat, bearer, '{"a":1,"a":2}'), record: { status: 400, fault: 'body-malformed' } },
  {
    name: 'too large',
    bytes: `POST ${chat} HTTP/1.1\r\nhost: x\r\n${bearer}\r\ncontent-type: application/json\r\ncontent-length: 99999999\r\n\r\n`,
    record: { status: 413, fault: 'body-too-large' },
  },
  {
    name: 'another media type',
    bytes: post(chat, bearer, 'x', 'application/xml'),
    record: { status: 415, fault: 'media-type-unsupported' },
  },
  {
    name: 'an encoding of no kind',
    bytes: post(chat, bearer, 'x', 'application/json', 'content-encoding: lzma\r\n'),
    record: { status: 415, fault: 'encoding-unsupported' },
  },
  { name: 'a body that does not come', bytes: post(chat).slice(0, -5), record: { status: 408, fault: 'body-timeout' } },
  {
    name: 'a body that breaks its framing',
    bytes: `POST ${chat} HTTP/1.1\r\nhost: x\r\n${bearer}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
    record: { status: 400, fault: 'request-malformed' },
  },
  { name: 'limited, the first', bytes: post('/limited/v1/chat/completions'), upstream: good, record: { status: 200 } },
  {
    name: 'limited, the second',
    bytes: post('/limited/v1/chat/completions'),
    record: { status: 429, fault: 'rate-limited', limit: 'few' },
  },
  {
    name: 'an upstream that resets',
    bytes: post(chat),
    upstream: (scene) => scene.reset(),
    record: { status: 502, fault: 'upstream-unreachable', digestForwarded: String },
  },
  {
    name: 'an upstream that talks nonsense',
    bytes: post(chat),
    upstream: 'SSH-2.0\r\n\r\n',
    record: { status: 502, fault: 'upstream-invalid' },
  },
  {
    name: 'an upstream that is silent',
    bytes: post(chat),
    upstream: () => {},
    record: { status: 504, fault: 'upstream-timeout' },
  },
  {
    name: 'a document cut off',
    bytes: post(chat),
    upstream: async (scene) => {
      await scene.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{')
      scene.end()
    },
    record: { status: 502, fault: 'upstream-truncated' },
  },
  ...['{"id":"c","choices":[', ''].map((cut) => ({
    name: `a document of ${cut.length} bytes that ends with its connection`,
    bytes: post(chat),
    upstream: async (scene: Scene) => {
      await scene.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n${cut}`)
      scene.end()
    },
    record: { status: 502, fault: 'upstream-truncated' },
  })),
  {
    name: 'a document that ends with its connection and is whole, but has two readings',
    bytes: post(chat),
    upstream: async (scene) => {
      await scene.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{"id":"c","id":"d","choices":[]}')
      scene.end()
    },
    record: { status: 502, fault: 'upstream-invalid' },
  },
  {
    name: 'a stream cut off',
    bytes: post(chat),
    upstream: async (scene) => {
      await scene.write(stream + chunk(event))
      scene.end()
    },
    record: { status: 200, fault: 'upstream-truncated', end: 'broken-off' },
  },
  {
    name: 'a stream without its end',
    bytes: post(chat),
    upstream: stream + chunk(event) + lastChunk,
    record: { status: 200, fault: 'upstream-truncated', end: 'broken-off' },
  },
  {
    name: 'an error in the stream',
    bytes: post(chat),
    upstream: stream + chunk(event) + chunk('data: {"error":{"message":"overloaded"}}\n\n') + lastChunk,
    record: { status: 200, end: 'broken-off', fault: undefined },
  },
  {
    name: 'a client that leaves in its body',
    bytes: post(chat).slice(0, -5),
    leaves: 'in-body',
    record: { fault: 'client-aborted', end: 'client-gone' },
  },
  {
    name: 'a client that does not wait',
    bytes: post(chat),
    upstream: () => {},
    leaves: 'at-upstream',
    record: { fault: 'client-aborted', end: 'client-gone', digestForwarded: String },
  },
  {
    name: 'a client that leaves before the answer is whole',
    bytes: post(chat),
    upstream: (scene) =>
      scene.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{'),
    leaves: 'at-upstream',
    record: { fault: 'client-aborted', end: 'client-gone' },
  },
  {
    name: 'a client that leaves in a stream',
    bytes: post(chat),
    upstream: async (scene) => {
      await scene.write(stream + chunk(event.repeat(50)))
    },
    leaves: 'at-answer',
    record: { status: 200, fault: 'client-aborted', end: 'client-gone' },
  },
]

t.test('one ending, one record', async (t) => {
  const fortress = await openFortress(extra)
  t.teardown(() => fortress.close())
  for (const [index, ending] of endings.entries()) {
    if (ending.upstream !== undefined) fortress.upstream.next(ending.upstream)
    await play(ending, fortress)
    const outcomes = await fortress.outcomes(index + 1)
    t.equal(outcomes.length, index + 1, `${ending.name}: one more`)
    t.match(outcomes[index], ending.record, ending.name)
    if (ending.record['status'] === undefined)
      t.equal(outcomes[index]?.['status'], undefined, `${ending.name}: nothing was sent`)
  }
  const outcomes = await fortress.outcomes(endings.length)
  t.equal(new Set(outcomes.map(({ request }) => request)).size, endings.length, 'each has an id of its own')
  const metrics = await (await fetch(`${fortress.gateway.adminUrl}/metrics`)).text()
  t.match(metrics, /^gatewright_inflight_requests 0$/m)
  const counted = [...metrics.matchAll(/^gatewright_requests_total\{.*\} (\d+)$/gm)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  )
  t.equal(counted, endings.length, 'the metrics count the same')
})

t.test('nothing but a connection is no exchange', async (t) => {
  const fortress = await openFortress()
  t.teardown(() => fortress.close())
  await new Promise<void>((resolve) => {
    const socket = connect({ port: fortress.port, host: '127.0.0.1' }, () => socket.end())
    socket.on('close', () => resolve())
    socket.resume()
  })
  await talk(fortress.port, 'GET /open/../x HTTP/1.1\r\nhost: x\r\n\r\n')
  t.equal((await fortress.outcomes(1)).length, 1)
})

async function play({ bytes, leaves }: Ending, { port, upstream }: Fortress): Promise<void> {
  if (leaves === undefined) {
    await talk(port, bytes)
    return
  }
  const seen = upstream.seen(upstream.requests.length + 1)
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  const answered = new Promise<void>((resolve) => socket.once('data', () => resolve()))
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()))
  if (leaves === 'at-upstream') await seen
  if (leaves === 'at-answer') await answered
  socket.destroy()
}
