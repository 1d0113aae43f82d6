// Heads, in both directions: what a client says of itself and what an upstream says of its answer is believed only where
// it cannot mean two things, and never decides where a request goes.
import t, { type Test } from 'tap'
import { answer, chunk, chunkedHead, jsonAnswer, lastChunk } from '../support/scripted-upstream.ts'
import { agentKey, openFortress, talk, type Fortress, type Reply } from './fortress.ts'

const bearer = `authorization: Bearer ${agentKey}`

async function open(t: Test, extra = ''): Promise<Fortress> {
  const fortress = await openFortress(extra)
  t.teardown(() => fortress.close())
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  return fortress
}

async function ask(fortress: Fortress, lines: readonly string[], target = '/open/x'): Promise<Reply> {
  const head = [`GET ${target} HTTP/1.1`, 'host: gateway.test', 'connection: close', ...lines]
  const { replies } = await talk(fortress.port, `${head.join('\r\n')}\r\n\r\n`)
  return replies[0] ?? { status: 0, head: '', body: '', requestId: undefined }
}

t.test('F17: answers that are no answers are 502, and not a byte of them is relayed', async (t) => {
  const fortress = await open(t)
  const evil = 'EVILBYTES'
  const bytes: readonly string[] = [
    `HTTP/1.1 200 OK\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n${evil}`,
    `HTTP/1.1 200 OK\r\ncontent-length: 4\r\ncontent-length: 9\r\n\r\n${evil}`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n${chunk(evil)}${lastChunk}`,
    `HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n${evil}`,
    `HTTP/1.1 200 OK\r\nx: ${evil}\0\r\n\r\n${evil}`,
    `HTTP/1.1 200 OK\r\nx: a\n${evil}: 1\r\n\r\n`,
    `${`HTTP/1.1 103 Early Hints\r\nx: ${evil}\r\n\r\n`.repeat(1000)}${answer(200, evil)}`,
    `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${evil}`,
    `HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n${evil}`,
    `HTTP/1.1 200 OK\r\n${'a:\r\n'.repeat(2000)}\r\n${evil}`,
    `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(100_000)}${evil}\r\n\r\n`,
  ]
  for (const sent of bytes) {
    fortress.upstream.next(sent)
    const reply = await ask(fortress, [])
    t.equal(reply.status, 502, JSON.stringify(sent.slice(0, 80)))
    t.notMatch(`${reply.head}${reply.body}`, evil)
    await fortress.upstream.quiet()
  }
  fortress.upstream.next(`${chunkedHead(200, { 'content-type': 'text/plain' })}zz\r\n${evil}`)
  const { replies, end } = await talk(fortress.port, 'GET /open/x HTTP/1.1\r\nhost: gateway.test\r\n\r\n')
  t.ok(replies.length === 0 ? end === 'closed' : replies[0]?.status === 502, 'a bad chunk after the head')
  await fortress.upstream.quiet()
})

t.test('F18: an answer that is cut off never looks whole', async (t) => {
  const fortress = await open(t)
  for (const sent of [
    'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 50\r\n\r\nhello',
    `${chunkedHead(200, { 'content-type': 'text/plain' })}${chunk('hello')}`,
    `${chunkedHead(200, { 'content-type': 'text/plain' })}ff\r\nhello`,
  ]) {
    fortress.upstream.next(async (scene) => {
      await scene.write(sent)
      scene.end()
    })
    const { replies, end } = await talk(fortress.port, 'GET /open/x HTTP/1.1\r\nhost: gateway.test\r\n\r\n')
    t.strictSame([replies.filter(({ status }) => status === 200).length, end], [0, 'closed'])
  }
  for (const outcome of await fortress.outcomes(3)) t.equal(outcome['fault'], 'upstream-truncated')
})

t.test('F20: interim answers are dropped', async (t) => {
  const fortress = await open(t)
  const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n'
  fortress.upstream.next(`${hints.repeat(4)}${answer(200, 'ok', { 'content-type': 'text/plain' })}`)
  const reply = await ask(fortress, [])
  t.match(reply, { status: 200, body: 'ok' })
  t.notMatch(reply.head, /Early|Processing|link/)
})

t.test('F21: an upgrade to HTTP/2 goes no further, one to WebSocket is refused', async (t) => {
  const fortress = await open(t)
  const h2c = ['upgrade: h2c', 'http2-settings: AAMAAABkAAQAoAAAAAIAAAAA']
  t.equal((await ask(fortress, h2c)).status, 200)
  t.notMatch(fortress.upstream.requests[0]?.head.toLowerCase(), /upgrade|http2-settings/)
  const socket = ['upgrade: websocket', 'sec-websocket-version: 13', 'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==']
  t.equal((await ask(fortress, socket)).status, 400)
  t.equal(fortress.upstream.requests.length, 1)
})

t.test('H01: Connection takes away no header that decides', async (t) => {
  const fortress = await open(t, 'policyHeaders: [x-env]')
  for (const name of ['Authorization', 'X-Tenant', 'X-Env', 'traceparent', 'x-gatewright-rule', 'anthropic-version']) {
    const head = `GET /open/x HTTP/1.1\r\nhost: gateway.test\r\n${name}: a\r\nconnection: close, ${name}\r\n\r\n`
    t.equal((await talk(fortress.port, head)).replies[0]?.status, 400, name)
  }
  t.equal(fortress.upstream.connections, 0)
  const own = 'GET /tools/crm/x HTTP/1.1\r\nhost: gateway.test\r\nx-hop: 1\r\nconnection: close, x-hop\r\n'
  t.equal((await talk(fortress.port, `${own}${bearer}\r\n\r\n`)).replies[0]?.status, 200)
  t.equal(fortress.upstream.requests[0]?.header('x-hop'), undefined)
  t.match(fortress.upstream.requests[0]?.header('x-api-key'), /^sk-/, 'the credential is put in afterwards')
})

t.test('H02: two lines of what may be there once', async (t) => {
  const fortress = await open(t)
  for (const name of ['Authorization', 'Content-Type', 'x-api-key', 'api-key', 'x-goog-api-key', 'content-encoding'])
    t.equal((await ask(fortress, [`${name}: a`, `${name.toUpperCase()}: b`])).status, 400, name)
  const hosts = await talk(fortress.port, 'GET /open/x HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n')
  t.equal(hosts.replies[0]?.status, 400, 'Host')
  t.equal(fortress.upstream.connections, 0)
})

t.test('H03: rules see every value of a header', async (t) => {
  const config = (url: string): string => `
upstreams: { open: { protocol: http, url: '${url}' } }
routes: [{ id: open, path: /open, upstream: open }]
principals: [{ id: anybody, from: [127.0.0.0/8] }]
anonymous: anybody
policyHeaders: [x-env]
defaultEffect: allow
rules: [{ id: not-in-production, effect: deny, actions: [tool.call], when: 'headers["x-env"].contains("prod")' }]`
  const fortress = await open(t)
  fortress.gateway.rewrite(
    `server: { timeouts: { body: 400ms, keepAlive: 50ms, headers: 2s } }${config(fortress.upstream.url)}`,
  )
  t.equal(fortress.gateway.gateway.reload().ok, true)
  t.equal((await ask(fortress, ['x-env: dev'])).status, 200)
  t.equal((await ask(fortress, ['x-env: dev, prod'])).status, 403)
  t.equal((await ask(fortress, ['x-env: dev', 'X-Env: prod'])).status, 403, 'in a second line')
})

t.test('H04: more headers than are read are refused, not cut', async (t) => {
  const fortress = await open(t)
  const many = Array.from({ length: 2500 }, (_, index) => `x-${index}: 1`)
  t.equal((await ask(fortress, [...many, bearer], '/tools/crm/x')).status, 431)
  const tiny = Array.from({ length: 101 }, () => 'a:')
  t.equal((await ask(fortress, tiny)).status, 431)
  t.equal(fortress.upstream.connections, 0)
})

t.test('H05: names that objects are born with are data', async (t) => {
  const fortress = await open(t, 'redaction: [{ id: all, direction: request, detect: [pii], action: mask }]')
  for (const name of ['constructor', 'toString', 'hasOwnProperty', 'valueOf'])
    t.equal((await ask(fortress, [`${name}: x`])).status, 200, name)
  t.equal((await ask(fortress, ['__proto__: x'])).status, 400, 'an underscore')
  t.equal((await ask(fortress, [], '/open/x?__proto__=1&constructor=2&toString[a]=3')).status, 200)
  const body = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'
  const post = `POST /open/x HTTP/1.1\r\nhost: gateway.test\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  t.equal((await talk(fortress.port, post)).replies[0]?.status, 200)
  t.equal(fortress.upstream.requests.at(-1)?.body.toString(), body)
  t.notOk('polluted' in {})
})

t.test('H06: Host is a name and a port', async (t) => {
  const fortress = await open(t)
  for (const host of ['good@evil', 'a/b?c', 'a b', '', 'localhost:4000/#@x', 'a,b', 'a, b', '[::1', 'a:b'])
    t.equal(
      (await talk(fortress.port, `GET /open/x HTTP/1.1\r\nhost: ${host}\r\n\r\n`)).replies[0]?.status,
      400,
      JSON.stringify(host),
    )
  t.equal(fortress.upstream.connections, 0)
})

t.test('H07: an absolute target names this gateway, or is refused', async (t) => {
  const fortress = await open(t)
  for (const target of [
    'http://evil.test/open/x',
    'https://gateway.test/open/x',
    'http://gateway.test@evil.test/open/x',
  ])
    t.equal((await ask(fortress, [], target)).status, 400, target)
  t.equal(fortress.upstream.connections, 0)
})

t.test('H09: headers that order other proxies about change nothing and go no further', async (t) => {
  const fortress = await open(t)
  const elsewhere = await openFortress()
  t.teardown(() => elsewhere.close())
  const orders = [
    `x-portkey-custom-host: ${elsewhere.upstream.url}`,
    `x-upstream-url: ${elsewhere.upstream.url}`,
    `x-original-url: ${elsewhere.upstream.url}/admin`,
    'x-rewrite-url: /admin',
    'x-http-method-override: DELETE',
    'x-retry: 9',
    'x-timeout: 1',
    'l5d-dst-override: evil.test',
    'x-envoy-upstream-rq-timeout-ms: 1',
    `proxy-authorization: Basic eA==`,
  ]
  t.equal((await ask(fortress, orders)).status, 200)
  t.equal(elsewhere.upstream.connections, 0)
  const [seen] = fortress.upstream.requests
  t.strictSame([seen?.method, seen?.target], ['GET', '/x'])
  for (const order of orders) t.equal(seen?.header(order.split(':')[0] ?? ''), undefined, order)
})

t.test('H10: values beyond ASCII arrive byte for byte, and break no line of a log', async (t) => {
  const fortress = await open(t)
  const cookie = `cookie: ${'c'.repeat(8192)}`
  const bytes = `x-name: caf\xe9 \xff%0d%0aevil: 1`
  t.equal((await ask(fortress, [bytes, cookie])).status, 200)
  const [seen] = fortress.upstream.requests
  t.equal(seen?.header('x-name'), bytes.slice(8))
  t.equal(seen?.header('cookie')?.length, 8192)
  t.equal(seen?.header('evil'), undefined)
  await ask(fortress, [], '/open/%C3%A9%E2%80%A8x')
  for (const line of (await fortress.outcomes(2)).map((outcome) => JSON.stringify(outcome)))
    t.notMatch(line, /\p{Cc}/u, 'control characters are escaped')
})

t.test('H11: of an answer the headers of its connection stay behind, and so do cookies of models', async (t) => {
  const fortress = await open(t)
  const headers = {
    connection: 'X-Internal',
    'x-internal': '1',
    'proxy-authenticate': 'Basic',
    'set-cookie': 'session=1',
    'server-timing': 'db;dur=5',
    'access-control-allow-origin': '*',
  }
  fortress.upstream.next(jsonAnswer(200, { object: 'list', data: [] }, headers))
  const reply = await ask(fortress, [bearer, 'cookie: mine=1'], '/openai/v1/models')
  t.equal(reply.status, 200)
  t.notMatch(reply.head, /x-internal|proxy-authenticate|set-cookie|access-control/i)
  t.equal(fortress.upstream.requests[0]?.header('cookie'), undefined)
  fortress.upstream.next(answer(200, 'ok', { ...headers, 'content-type': 'text/plain' }))
  const tool = await ask(fortress, ['cookie: mine=1'])
  t.match(tool.head, /set-cookie: session=1/i, 'a tool may keep a session')
  t.equal(fortress.upstream.requests[1]?.header('cookie'), 'mine=1')
  t.notMatch(tool.head, /x-internal|proxy-authenticate|access-control/i)
})

t.test('H12: keys in a target are refused, or are in no log', async (t) => {
  const fortress = await open(t)
  t.equal((await ask(fortress, [], 'http://user:SECRETINURL@gateway.test/open/x')).status, 400)
  t.equal((await ask(fortress, [], '/open/x?api_key=SECRETINURL&access_token=SECRETINURL')).status, 200)
  await ask(fortress, [], '/tools/crm/x?key=SECRETINURL')
  await fortress.outcomes(3)
  t.notMatch(await fortress.traces(), 'SECRETINURL')
})

t.test('a stream ends with its last chunk and nothing of its trailers', async (t) => {
  const fortress = await open(t)
  fortress.upstream.next(
    `${chunkedHead(200, { 'content-type': 'text/plain', trailer: 'x-evil' })}${chunk('ok')}${lastChunk.slice(0, 3)}x-evil: 1\r\n\r\n`,
  )
  const reply = await ask(fortress, [])
  t.match(reply, { status: 200, body: 'ok' })
  t.notMatch(reply.head, 'x-evil')
})
