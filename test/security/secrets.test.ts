// What must never be where it does not belong: the agent's key upstream, the upstream's credential with clients, either
// of them or any content with operators, and headers of one hop on the next.
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { answer, chunk, chunkedHead, jsonAnswer, lastChunk } from '../support/scripted-upstream.ts'
import { agentKey, openFortress, talk, upstreamKey, type Fortress } from './fortress.ts'

async function open(t: Test, extra = ''): Promise<Fortress> {
  const fortress = await openFortress(extra)
  t.teardown(() => fortress.close())
  return fortress
}

function request(method: string, target: string, headers: readonly string[], body = ''): string {
  const framing = body === '' ? [] : ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]
  return `${method} ${target} HTTP/1.1\r\n${['host: gateway.test', ...headers, ...framing].join('\r\n')}\r\n\r\n${body}`
}

const bearer = `authorization: Bearer ${agentKey}`
const completion = {
  id: 'c',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
}
const ask = (content: string, more: object = {}): string =>
  JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content }], ...more })

t.test('the agent’s key goes upstream from none of its places, and to no operator', async (t) => {
  const fortress = await open(t)
  fortress.upstream.always(jsonAnswer(200, completion))
  const places: readonly (readonly [string, readonly string[]])[] = [
    ['', [bearer]],
    ['', [`Authorization: bearer ${agentKey}`]],
    ['', [`x-api-key: ${agentKey}`]],
    ['', [`api-key: ${agentKey}`]],
    ['', [`x-goog-api-key: ${agentKey}`]],
    [`?key=${agentKey}&alt=sse`, []],
    [`?alt=sse&%6bey=${agentKey}`, []],
    [`?key=${agentKey}`, [bearer, `x-api-key: ${agentKey}`, `proxy-authorization: Bearer ${agentKey}`]],
    // What repeats it means us as well.
    ['', [bearer, `cookie: a=b; session=${agentKey}`, `referer: http://127.0.0.1/?key=${agentKey}`]],
    ['', [bearer, `x-agent: ${agentKey}`, `x-agent: other`, `authentication-info: "${agentKey}"`]],
    [`?alt=sse&token=${agentKey.replace('gw', '%67w')}`, [bearer]],
  ]
  for (const [query, headers] of places) {
    const { replies } = await talk(
      fortress.port,
      request('POST', `/openai/v1/chat/completions${query}`, headers, ask('hi')),
    )
    t.equal(replies[0]?.status, 200, query + headers.join())
  }
  const wrong = await talk(
    fortress.port,
    request('POST', '/openai/v1/chat/completions', ['authorization: Bearer gw_wrong_key_of_somebody'], ask('hi')),
  )
  t.equal(wrong.replies[0]?.status, 401)
  t.notMatch(wrong.replies[0]?.body, 'gw_wrong')
  t.equal(fortress.upstream.requests.length, places.length)
  for (const seen of fortress.upstream.requests) {
    const { head, body } = seen
    t.notMatch(decodeURIComponent(head), agentKey)
    t.notMatch(body.toString(), agentKey)
    t.equal(seen.header('authorization'), `Bearer ${upstreamKey}`, 'the credential of the upstream is there instead')
  }
  await fortress.outcomes(places.length + 1)
  const traces = await fortress.traces()
  for (const secret of [agentKey, 'gw_wrong']) t.notOk(traces.includes(secret))
})

t.test('a tool gets a parameter called `key`, and no agent’s key in it', async (t) => {
  const fortress = await open(t)
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  const call = async (target: string, headers: readonly string[]): Promise<number | undefined> =>
    (await talk(fortress.port, request('GET', target, headers))).replies[0]?.status
  t.equal(await call('/tools/crm/x?key=42&a=1', [bearer]), 200)
  t.equal(await call(`/tools/crm/x?key=${agentKey}&a=1`, [bearer]), 200)
  t.equal(await call(`/tools/crm/x?a=1&k%65y=${agentKey.replace('gw', '%67w')}`, []), 200)
  t.same(
    fortress.upstream.requests.map(({ target }) => target),
    ['/x?key=42&a=1', '/x?a=1', '/x?a=1'],
  )
  t.equal(await call(`/tools/crm/x?key=${agentKey}&key=42`, [bearer]), 401)
  t.equal(await call('/open/x?key=42', []), 401, 'it may be a key, although anybody may ask')
  t.equal(fortress.upstream.requests.length, 3)
})

t.test('the credential of an upstream comes back to nobody', async (t) => {
  const fortress = await open(t)
  const { upstream } = fortress
  const echoing = {
    'x-echo': upstreamKey,
    'www-authenticate': `Bearer realm="${upstreamKey}"`,
    'set-cookie': `key=${upstreamKey}`,
    'x-harmless': 'kept',
  }
  const seen: string[] = []
  const call = async (path: string, body: string): Promise<void> => {
    const { replies } = await talk(fortress.port, request('POST', path, [bearer], body))
    seen.push(`${replies[0]?.head}\n${replies[0]?.body}`)
  }
  upstream.next(jsonAnswer(200, completion, echoing))
  await call('/openai/v1/chat/completions', ask('hi'))
  t.match(seen[0], /x-harmless: kept/i)
  upstream.next(jsonAnswer(401, { error: { message: 'bad key' } }, echoing))
  await call('/openai/v1/chat/completions', ask('hi'))
  upstream.next(
    `${chunkedHead(200, { 'content-type': 'text/event-stream', ...echoing })}${chunk('data: [DONE]\n\n')}${lastChunk}`,
  )
  await call('/openai/v1/chat/completions', ask('hi', { stream: true }))
  upstream.next(answer(200, '{}', { 'content-type': 'application/json', ...echoing }))
  await call('/tools/crm/x', '{}')
  upstream.next((scene) => scene.reset())
  await call('/openai/v1/chat/completions', ask('hi'))
  upstream.next('HTTP/1.1 200 OK\r\nx: \0\r\n\r\n')
  await call('/openai/v1/chat/completions', ask('hi'))
  upstream.next(() => {})
  await call('/openai/v1/chat/completions', ask('hi'))
  t.same(
    seen.map((text) => text.slice(9, 12)),
    ['200', '401', '200', '200', '502', '502', '504'],
  )
  for (const text of seen) t.notOk(text.includes(upstreamKey), text.slice(0, 15))
  await fortress.outcomes(seen.length)
  t.notOk((await fortress.traces()).includes(upstreamKey))
})

t.test('nor inside of an encoding', async (t) => {
  const fortress = await open(t)
  const encoded = (encoding: string, body: Uint8Array, more: Record<string, string> = {}, status = 200) =>
    fortress.upstream.next(async (scene) => {
      const headers = { 'content-type': 'text/plain', 'content-encoding': encoding, etag: '"a"', ...more }
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
      await scene.write(`HTTP/1.1 ${status} X\r\n${lines.join('')}content-length: ${body.length}\r\n\r\n`)
      await scene.write(body)
    })
  const call = async (method: string, path: string, body = '') =>
    (await talk(fortress.port, request(method, path, [bearer, 'accept-encoding: deflate, gzip'], body))).replies[0]
  const told = Buffer.from(`x-api-key: ${upstreamKey}\r\n`.repeat(3))
  const masked = told.toString().replaceAll(upstreamKey, '*'.repeat(upstreamKey.length))
  for (const [encoding, encode] of Object.entries({ gzip: gzipSync, br: brotliCompressSync, zstd: zstdCompressSync })) {
    encoded(encoding, encode(told))
    const relayed = await call('GET', '/tools/crm/x')
    t.match(relayed, { status: 200, body: masked }, encoding)
    t.notMatch(relayed?.head, /content-encoding|etag/i, 'it is in clear, and not the same bytes')
    const said = { ...completion, id: upstreamKey }
    encoded(encoding, encode(Buffer.from(JSON.stringify(said))), { 'content-type': 'application/json' })
    const whole = await call('POST', '/openai/v1/chat/completions', ask('hi'))
    t.equal(whole?.status, 200)
    t.equal(JSON.parse(whole?.body ?? '').id, '*'.repeat(upstreamKey.length), `${encoding}, read whole`)
  }
  encoded('deflate', deflateSync(told))
  t.match(await call('GET', '/tools/crm/x'), { status: 502 }, 'one that nobody here reads')
  encoded('gzip, gzip', gzipSync(gzipSync(told)))
  t.match(await call('GET', '/tools/crm/x'), { status: 502 }, 'two layers')
  encoded('gzip', gzipSync(told), {}, 206)
  t.match(await call('GET', '/tools/crm/x'), { status: 502 }, 'a piece')
  encoded('gzip', gzipSync(Buffer.alloc(200_000_000)))
  t.equal(await call('GET', '/tools/crm/x'), undefined, 'a bomb is broken off')
  for (const seen of fortress.upstream.requests) t.notMatch(seen.header('accept-encoding'), 'deflate')
  encoded('deflate', deflateSync(told))
  t.match((await call('GET', '/open/x'))?.head, /content-encoding: deflate/i, 'without a credential it is as it comes')
})

t.test('headers of one hop stay there, in both directions', async (t) => {
  const fortress = await open(t)
  const answerHead = [
    'connection: X-Up, keep-alive',
    'x-up: 1',
    'keep-alive: timeout=9',
    'proxy-authenticate: Basic',
    'trailer: x',
    'upgrade: h2c',
    'x-kept: yes',
    'x-gatewright-decision: allow',
    'x-gatewright-rule: forged',
  ]
  fortress.upstream.always(
    `HTTP/1.1 200 OK\r\n${answerHead.join('\r\n')}\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok`,
  )
  const sent = [
    'connection: X-Secret, keep-alive, Upgrade, HTTP2-Settings',
    'x-secret: 1',
    'keep-alive: timeout=9',
    'te: trailers',
    'trailer: x',
    'upgrade: h2c',
    'http2-settings: AAMAAABkAAQAoAAAAAIAAAAA',
    'proxy-connection: keep-alive',
    'proxy-authorization: Basic eA==',
    'x-kept: yes',
  ]
  const { replies } = await talk(fortress.port, request('GET', '/open/x', sent))
  const [seen] = fortress.upstream.requests
  for (const name of [
    'x-secret',
    'keep-alive',
    'te',
    'trailer',
    'upgrade',
    'http2-settings',
    'proxy-connection',
    'proxy-authorization',
  ]) {
    t.equal(seen?.header(name), undefined, `${name} to the upstream`)
  }
  t.equal(seen?.header('x-kept'), 'yes')
  t.notMatch(seen?.header('connection'), /secret/i)
  const head = replies[0]?.head ?? ''
  t.equal(replies[0]?.status, 200)
  for (const name of ['x-up', 'proxy-authenticate', 'trailer', 'upgrade'])
    t.notMatch(head, new RegExp(`^${name}:`, 'im'), `${name} to the client`)
  t.notMatch(head, /timeout=9/)
  t.notMatch(head, /forged/)
  t.equal(head.match(/^x-gatewright-decision:/gim)?.length, 1)
  t.match(head, /x-kept: yes/i)
})

t.test('a client cannot set what only a proxy may say', async (t) => {
  const fortress = await open(t)
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  const forged = [
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-port',
    'x-forwarded-prefix',
    'x-forwarded-user',
    'forwarded',
    'x-real-ip',
    'via',
    'x-gatewright-request-id',
    'x-gatewright-decision',
    'x-gatewright-anything',
  ]
  const { replies } = await talk(
    fortress.port,
    request(
      'GET',
      '/open/x',
      forged.map((name) => `${name}: 6.6.6.6`),
    ),
  )
  t.equal(replies[0]?.status, 200)
  for (const name of forged) t.notMatch(fortress.upstream.requests[0]?.header(name), '6.6.6.6', name)
  t.equal(
    fortress.upstream.requests[0]?.header('host'),
    new URL(fortress.upstream.url).host,
    'and the Host is the upstream’s own',
  )
  const [outcome] = await fortress.outcomes(1)
  t.equal(outcome?.['ip'], '127.0.0.1')
  t.not(outcome?.['request'], '6.6.6.6')
  for (const name of ['authorization', 'x-api-key', 'x-gatewright-rule', 'content-type', 'traceparent']) {
    const refused = await talk(fortress.port, request('GET', '/open/x', [`connection: ${name}`]))
    t.equal(refused.replies[0]?.status, 400, `Connection: ${name}`)
  }
})

const marker = 'CONTENTMARKER7731'

t.test('no content reaches logs, metrics or the audit log', async (t) => {
  const extra = `
redaction:
  - { id: out, direction: request, detect: [email], action: token }
  - { id: back, direction: response, detect: [us-ssn], action: mask }`
  const fortress = await open(t, extra)
  const { upstream } = fortress
  let count = 0
  const send = async (bytes: string): Promise<void> => {
    count += 1
    await talk(fortress.port, bytes)
  }
  const chat = (content: string, more: object = {}): string =>
    request('POST', '/openai/v1/chat/completions', [bearer, `x-note: ${marker}`], ask(content, more))
  const args = JSON.stringify({ to: `${marker}@example.org` })
  const emitted = [{ id: 'call_1', type: 'function', function: { name: 'send', arguments: args } }]
  upstream.next(
    jsonAnswer(200, {
      ...completion,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: `${marker} 378-07-9520`, tool_calls: emitted },
          finish_reason: 'tool_calls',
        },
      ],
    }),
  )
  await send(
    chat(`${marker} ${marker}@example.org`, {
      metadata: { [marker]: marker },
      tools: [{ type: 'function', function: { name: 'send', description: marker } }],
    }),
  )
  const event = (delta: object): string =>
    chunk(`data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta, finish_reason: null }] })}\n\n`)
  upstream.next(
    `${chunkedHead(200, { 'content-type': 'text/event-stream', 'x-up': marker })}${event({ content: marker })}${chunk('data: [DONE]\n\n')}${lastChunk}`,
  )
  await send(chat(marker, { stream: true }))
  upstream.next(
    `${chunkedHead(200, { 'content-type': 'text/event-stream' })}${chunk(`data: {"error":{"message":"${marker}"}}\n\n`)}${lastChunk}`,
  )
  await send(chat(marker, { stream: true }))
  upstream.next(jsonAnswer(400, { error: { message: marker } }))
  await send(chat(marker))
  upstream.next(answer(200, `{"${marker}`, { 'content-type': 'application/json' }))
  await send(chat(marker))
  upstream.next(`HTTP/1.1 200 ${marker}\r\nx-${marker} : \0\r\n\r\n`)
  await send(chat(marker))
  upstream.next(answer(200, marker, { 'content-type': 'text/plain' }))
  await send(request('GET', `/tools/crm/x?q=${marker}`, [bearer, `cookie: ${marker}`]))
  await send(request('POST', '/openai/v1/chat/completions', [bearer], `{"${marker}":`))
  await send(request('POST', '/openai/v1/chat/completions', [bearer], `{"${marker}":1,"${marker}":2}`))
  await send(request('POST', '/openai/v1/chat/completions', [`authorization: Bearer ${marker}`], ask(marker)))
  await send(request('GET', '/open/x', [`x_${marker}: ${marker}`]))
  await send(`GET /open/${marker}\x01 HTTP/1.1\r\nhost: x\r\n\r\n`)
  await send(request('DELETE', '/tools/crm/x', [bearer], JSON.stringify({ note: marker })))
  const outcomes = await fortress.outcomes(count)
  t.equal(outcomes.length, count)
  const traces = await fortress.traces()
  t.notOk(traces.includes(marker), traces.slice(Math.max(0, traces.indexOf(marker) - 300), traces.indexOf(marker) + 50))
  t.match(traces, /redactions/, 'while what was done is there')
})
