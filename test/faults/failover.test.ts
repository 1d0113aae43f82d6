// Upstreams that stand in for one another, as a client of the whole proxy sees them: who is asked, who is not, what each of
// them is sent, and what the record says of it.
import { createHash } from 'node:crypto'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import t, { type Test } from 'tap'
import { auditLines } from '../support/audit-lines.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import {
  answer,
  chunk,
  chunkedHead,
  jsonAnswer,
  lastChunk,
  scriptedUpstream,
  type Script,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

type World = { readonly first: ScriptedUpstream; readonly second: ScriptedUpstream; readonly gateway: TestGateway }

type Setup = { readonly route?: string; readonly more?: string; readonly second?: string; readonly protocol?: string }

async function world(t: Test, { route, more = '', second = '', protocol = 'openai' }: Setup = {}): Promise<World> {
  const [a, b] = [await scriptedUpstream(), await scriptedUpstream()]
  const gateway = await startGateway(
    `
upstreams:
  first: { protocol: ${protocol}, url: "${a.url}", retry: { attempts: 1 } }
  second: { protocol: ${protocol}, url: "${b.url}/base", retry: { attempts: 1 }${second} }
routes: [{ id: ai, path: /ai, ${route ?? 'upstream: first, fallback: [second]'} }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
${more}`,
    { random: () => 0.5 },
  )
  t.teardown(async () => {
    await gateway.close()
    await Promise.all([a.close(), b.close()])
  })
  return { first: a, second: b, gateway }
}

const chat = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'write to ada@example.org' }] }
const completion = (content: string): string =>
  jsonAnswer(200, {
    id: 'c',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content } }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  })

type Reply = { readonly status: number; readonly text: string; readonly attempts: string | null }

async function ask({ gateway }: World, path = '/ai/v1/chat/completions'): Promise<Reply> {
  const reply = await fetch(gateway.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat),
  })
  return { status: reply.status, text: await reply.text(), attempts: reply.headers.get('x-gatewright-attempts') }
}

type Line = Record<string, unknown>

/** Closes the gateway, so that everything is in the log. */
async function recorded({ gateway }: World): Promise<{ intents: Line[]; outcomes: Line[] }> {
  await gateway.gateway.close()
  const lines: Line[] = auditLines(gateway.auditDir)
  return {
    intents: lines.filter(({ kind }) => kind === 'intent'),
    outcomes: lines.filter(({ kind }) => kind === 'outcome'),
  }
}

t.test('what the first could not do, the second does, and the record has both', async (t) => {
  const set = await world(t)
  set.first.next(answer(529, 'busy'))
  set.second.next(completion('hello'))
  const got = await ask(set)
  t.equal(got.status, 200)
  t.match(got.text, 'hello')
  t.equal(set.second.requests[0]?.target, '/base/v1/chat/completions', 'below its own url')
  const { intents, outcomes } = await recorded(set)
  t.strictSame(
    intents.map(({ upstream }) => upstream),
    ['first', 'second'],
    'nothing was sent without a record of it',
  )
  t.match(outcomes, [
    {
      upstream: 'second',
      status: 200,
      attempts: [
        { upstream: 'first', outcome: 'answered', status: 529 },
        { upstream: 'second', outcome: 'answered', status: 200 },
      ],
      earlier: [{ upstream: 'first', decisions: [{ effect: 'allow' }], digestForwarded: String }],
    },
  ])
})

t.test('which failures are passed on, and which are not', async (t) => {
  const reset: Script = (scene) => scene.reset()
  const rows: [string, Script, 'second' | 'first'][] = [
    ['a quota that is used up', answer(429, 'quota'), 'second'],
    ['a limit', answer(429, 'wait', { 'retry-after': '3' }), 'second'],
    ['a credential that is refused', answer(401, 'key'), 'second'],
    ['unavailable', answer(503, 'x'), 'second'],
    ['a request that is wrong', answer(400, 'wrong'), 'first'],
    ['a model that is not there', answer(404, 'model'), 'first'],
    ['an outcome that nobody knows', reset, 'first'],
  ]
  for (const [name, script, from] of rows) {
    const set = await world(t)
    set.first.next(script)
    set.second.always(completion('second'))
    const { status, text, attempts } = await ask(set)
    t.equal(text.includes('"second"'), from === 'second', `${name}: ${status}`)
    t.equal(attempts, from === 'second' ? '2' : null, 'the client is told')
    t.equal(set.second.requests.length, from === 'second' ? 1 : 0, name)
  }
})

t.test('one that cannot be reached is passed by, and once its breaker is open it is not even tried', async (t) => {
  const set = await world(t)
  const { port } = set.first
  await set.first.close()
  set.second.always(completion('second'))
  for (let index = 0; index < 6; index++) t.equal((await ask(set)).status, 200, String(port))
  const { outcomes } = await recorded(set)
  t.match(outcomes[0], { attempts: [{ upstream: 'first', outcome: 'upstream-unreachable' }, { upstream: 'second' }] })
  t.strictSame(outcomes[5]?.['attempts'], [{ outcome: 'answered', status: 200, upstream: 'second' }])
  t.match(outcomes[0], { digestForwarded: String, earlier: [{ upstream: 'first', digestForwarded: undefined }] })
  const failed = set.gateway.logged.filter(({ msg }) => msg === 'an attempt failed')
  t.equal(failed.length, 5, 'an operator is told why of each')
  t.match(failed[0], { level: 40, upstream: 'first', outcome: 'upstream-unreachable', cause: /^ECONNREFUSED: / })
})

t.test('policy is asked for each, and one that may not stand in is passed over', async (t) => {
  const set = await world(t, {
    more: 'rules: [{ id: home-only, effect: deny, actions: [model.call], upstreams: [second] }]',
  })
  set.first.always(answer(503, 'first is down'))
  t.strictSame(await ask(set), { status: 503, text: 'first is down', attempts: null }, 'what it said stands')
  t.equal(set.second.requests.length, 0)
  const { intents, outcomes } = await recorded(set)
  t.strictSame(
    intents.map(({ upstream }) => upstream),
    ['first'],
  )
  t.match(outcomes, [
    { upstream: 'first', decision: 'allow', earlier: [{ upstream: 'second', fault: 'denied', rule: 'home-only' }] },
  ])
})

t.test('what policy denies is asked of nobody', async (t) => {
  const set = await world(t, {
    more: 'rules: [{ id: not-there, effect: deny, actions: [model.call], upstreams: [first] }]',
  })
  set.second.always(completion('second'))
  t.equal((await ask(set)).status, 403)
  t.equal(set.first.requests.length + set.second.requests.length, 0)
})

t.test('each is sent what its own redaction leaves, under the name that it has for the model', async (t) => {
  const set = await world(t, {
    second: ', models: { gpt-4o: my-deployment }',
    more: 'redaction: [{ id: out, direction: request, upstreams: [second], detect: [email], action: mask }]',
  })
  set.first.next(answer(503, 'x'))
  set.second.next(completion('second'))
  t.equal((await ask(set)).status, 200)
  const [first, second] = [set.first, set.second].map(({ requests }) => String(requests[0]?.body))
  t.match(first, 'ada@example.org')
  t.match(JSON.parse(first ?? ''), { model: 'gpt-4o' })
  t.notMatch(second, 'ada@example.org')
  t.match(JSON.parse(second ?? ''), { model: 'my-deployment' })
  const { outcomes } = await recorded(set)
  t.match(outcomes, [{ model: 'gpt-4o', redactions: [{ entity: 'email', direction: 'request', count: 1 }] }])
  t.notMatch(outcomes[0]?.['earlier'], [{ redactions: [] }], 'the first was sent it as it came')
})

t.test('what cannot be read goes to none that wants it redacted', async (t) => {
  const set = await world(t, {
    protocol: 'http',
    more: 'redaction: [{ id: out, direction: request, upstreams: [second], detect: [email], action: mask }]',
  })
  set.first.always(answer(503, 'down'))
  const reply = await fetch(`${set.gateway.url}/ai/act`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream', 'idempotency-key': 'k' },
    body: 'ada@example.org',
  })
  t.equal(reply.status, 503)
  t.equal(set.second.requests.length, 0)
})

t.test('limits that count by upstream are asked for each', async (t) => {
  const set = await world(t, { more: 'limits: [{ id: per, by: [upstream], requests: 1/h, upstreams: [second] }]' })
  set.first.always(answer(503, 'down'))
  set.second.always(completion('second'))
  t.equal((await ask(set)).status, 200)
  t.equal((await ask(set)).status, 503, 'the second has no room left, so the first has the last word')
  t.equal(set.second.requests.length, 1)
})

t.test('a client is told of the limits of who answered, not of who was passed over', async (t) => {
  const limits = `limits:
  - { id: ours, by: [principal], requests: 10/h }
  - { id: at-first, by: [principal], tokens: 1M/h, maxTokens: 100, upstreams: [first] }
  - { id: at-second, by: [principal], tokens: 50/h, upstreams: [second] }`
  const set = await world(t, { more: limits })
  set.first.always(jsonAnswer(500, { error: { message: 'broken', type: 'server_error' } }))
  const reply = await fetch(`${set.gateway.url}/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat),
  })
  t.equal(reply.status, 500)
  t.match(reply.headers.get('ratelimit'), /^"ours";r=9;t=3600, "at-first:tokens";r=\d+;t=3600$/)
  t.equal(reply.headers.get('x-ratelimit-limit-tokens'), '1000000')
  t.equal(set.second.requests.length, 0)
})

t.test('one that stands in is bound by its own limits only', async (t) => {
  const limits = `limits:
  - { id: at-first, by: [principal], tokens: 1M/h, maxTokens: 100, upstreams: [first] }
  - { id: at-second, by: [principal], tokens: 1M/h, maxTokens: 300, upstreams: [second] }`
  const set = await world(t, { more: limits })
  set.first.next(jsonAnswer(500, { error: { message: 'broken', type: 'server_error' } }))
  set.second.next(completion('hello'))
  t.equal((await ask(set)).status, 200)
  const [{ body: first }, { body: second }] = [await set.first.seen(1), await set.second.seen(1)]
  t.match(JSON.parse(first.toString()), { max_completion_tokens: 100 })
  t.match(JSON.parse(second.toString()), { max_completion_tokens: 300 })
})

t.test('several share the load by weight and stand in for each other', async (t) => {
  const route = 'upstreams: [{ upstream: first, weight: 1 }, { upstream: second, weight: 3 }]'
  const set = await world(t, { route })
  set.first.always(completion('first'))
  set.second.next(answer(503, 'x')).always(completion('second'))
  t.match((await ask(set)).text, '"first"', 'the second was asked first and could not')
  t.match((await ask(set)).text, '"second"')
  t.equal(set.second.requests.length, 2)
})

t.test('when all rest, nobody is asked, and the client hears of the one that is ready soonest', async (t) => {
  const set = await world(t)
  set.first.next(answer(429, 'x', { 'retry-after': '40' }))
  set.second.next(answer(429, 'x', { 'retry-after': '20' }))
  t.equal((await ask(set)).status, 429)
  const reply = await fetch(`${set.gateway.url}/ai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(chat),
  })
  t.equal(reply.status, 429)
  const wait = Number(reply.headers.get('retry-after'))
  t.ok(wait > 15 && wait <= 20, String(wait))
  t.equal(set.first.requests.length + set.second.requests.length, 2)
})

t.test('a tool is passed on only where nothing was done', async (t) => {
  const set = await world(t, { protocol: 'http' })
  set.first.next(answer(503, 'who knows'))
  t.equal((await ask(set, '/ai/act')).status, 503)
  t.equal(set.second.requests.length, 0)
  set.first.next(answer(503, 'who knows'))
  set.second.next(answer(200, 'done'))
  const keyed = await fetch(`${set.gateway.url}/ai/act`, { method: 'POST', headers: { 'idempotency-key': 'k1' } })
  t.equal(keyed.status, 200, 'the client says that it may be done twice')
})

const overloaded: Script = async (scene) => {
  const event = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
  await scene.write(chunkedHead(200, { 'content-type': 'text/event-stream' }) + chunk(event) + lastChunk)
}

t.test("Anthropic's SDK sees one answer, although the first said 200 and then overloaded", async (t) => {
  const set = await world(t, { protocol: 'anthropic' })
  set.first.next(overloaded)
  set.second.next(async (scene) => {
    const events: [string, unknown][] = [
      ['message_start', { message: { id: 'm', type: 'message', role: 'assistant', model: 'c', content: [], usage } }],
      ['content_block_start', { index: 0, content_block: { type: 'text', text: '' } }],
      ['content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'hello' } }],
      ['content_block_stop', { index: 0 }],
      ['message_delta', { delta: { stop_reason: 'end_turn', stop_sequence: null }, usage: { output_tokens: 2 } }],
      ['message_stop', {}],
    ]
    const lines = events.map(
      ([type, rest]) => `event: ${type}\ndata: ${JSON.stringify({ type, ...(rest as object) })}\n\n`,
    )
    await scene.write(chunkedHead(200, { 'content-type': 'text/event-stream' }) + lines.map(chunk).join('') + lastChunk)
  })
  const usage = { input_tokens: 1, output_tokens: 1 }
  const client = new Anthropic({ apiKey: 'k', baseURL: `${set.gateway.url}/ai`, maxRetries: 0 })
  const stream = client.messages.stream({
    model: 'claude-sonnet-4-5',
    max_tokens: 10,
    messages: [{ role: 'user', content: 'hi' }],
  })
  t.equal(await stream.finalText(), 'hello')
  t.equal(set.first.requests.length + set.second.requests.length, 2)
})

t.test("OpenAI's SDK, the same", async (t) => {
  const set = await world(t)
  const frame = (value: unknown): string => chunk(`data: ${JSON.stringify(value)}\n\n`)
  const head = chunkedHead(200, { 'content-type': 'text/event-stream' })
  set.first.next(head + frame({ error: { type: 'server_error', message: 'try later', code: null } }) + lastChunk)
  const delta = (choice: object): string =>
    frame({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, ...choice }] })
  set.second.next(
    head +
      delta({ delta: { role: 'assistant', content: 'hello' }, finish_reason: null }) +
      delta({ delta: {}, finish_reason: 'stop' }) +
      chunk('data: [DONE]\n\n') +
      lastChunk,
  )
  const client = new OpenAI({ apiKey: 'k', baseURL: `${set.gateway.url}/ai/v1`, maxRetries: 0 })
  let text = ''
  for await (const part of await client.chat.completions.create({ ...chat, stream: true }, { timeout: 60_000 }))
    text += part.choices[0]?.delta.content ?? ''
  t.equal(text, 'hello')
  t.equal(set.first.requests[0]?.header('x-stainless-timeout'), '60')
})

t.test('where the upstream honours keys, a model call has one in every attempt, and may be made again', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams: { ai: { protocol: openai, url: "${upstream.url}", retry: { idempotencyKey: true } } }
routes: [{ id: ai, path: /ai, upstream: ai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  upstream.next((scene) => scene.reset(), completion('hello'))
  const set = { first: upstream, second: upstream, gateway }
  t.match(await ask(set), { status: 200, text: /hello/ })
  const keys = upstream.requests.map((request) => request.header('idempotency-key'))
  t.equal(keys.length, 2)
  t.ok(keys[0]?.startsWith('req_'))
  t.equal(keys[1], keys[0])
})

t.test('to an upstream that honours keys, the same key of two callers is two', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams: { ai: { protocol: openai, url: "${upstream.url}", retry: { idempotencyKey: true } } }
routes: [{ id: ai, path: /ai, upstream: ai }]
principals:
  - { id: one, keys: [{ sha256: ${createHash('sha256').update('key-one').digest('hex')} }] }
  - { id: two, keys: [{ sha256: ${createHash('sha256').update('key-two').digest('hex')} }] }
defaultEffect: allow`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  upstream.always(completion('hello'))
  for (const caller of ['one', 'two', 'one']) {
    const reply = await fetch(`${gateway.url}/ai/v1/chat/completions`, {
      method: 'POST',
      headers: {
        authorization: `Bearer key-${caller}`,
        'content-type': 'application/json',
        'idempotency-key': 'shared',
      },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'hi' }] }),
    })
    t.equal(reply.status, 200)
    await reply.text()
  }
  const [one, two, again] = upstream.requests.map((request) => request.header('idempotency-key'))
  t.not(one, two)
  t.equal(again, one)
})

t.test('a tool is asked again only by methods that change nothing', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(
    `
upstreams:
  tool: { protocol: http, url: "${upstream.url}", retry: { budget: 1, idempotent: ["/told/*"] }, breaker: { mode: disabled } }
routes: [{ id: tool, path: /tool, upstream: tool }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow`,
    { random: () => 0 },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  upstream.always(answer(204))
  const failures: Record<string, Script> = {
    reset: (scene) => scene.reset(),
    'half a head': async (scene) => {
      await scene.write('HTTP/1.1 200 O')
      scene.end()
    },
    '500': answer(500),
  }
  const sent = async (method: string, path: string, failure: Script): Promise<number> => {
    const before = upstream.requests.length
    upstream.next(failure)
    const reply = await fetch(gateway.url + path, { method })
    await reply.text()
    return upstream.requests.length - before
  }
  for (const [name, failure] of Object.entries(failures)) {
    for (const method of ['GET', 'HEAD', 'OPTIONS'])
      t.equal(await sent(method, '/tool/a', failure), 2, `${method} ${name}`)
    for (const method of ['PUT', 'DELETE', 'PATCH', 'POST'])
      t.equal(await sent(method, '/tool/a', failure), 1, `${method} ${name}`)
  }
  t.equal(await sent('PUT', '/tool/told/a', failures['reset'] as Script), 2, 'but where the operator says so')
})

t.test('an operator says of which paths and tools a repetition does no harm', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams:
  tool: { protocol: http, url: "${upstream.url}", retry: { idempotent: ["/search/*"] } }
  server: { protocol: mcp, url: "${upstream.url}/mcp", retry: { idempotent: ["server/find_*"] } }
routes:
  - { id: tool, path: /tool, upstream: tool }
  - { id: server, path: /mcp, upstream: server }
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const post = async (path: string, body: unknown): Promise<number> => {
    const before = upstream.requests.length
    upstream.next((scene) => scene.reset())
    const reply = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify(body),
    })
    await reply.text()
    return upstream.requests.length - before
  }
  upstream.always(jsonAnswer(200, { jsonrpc: '2.0', id: 1, result: { content: [] } }))
  const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } })
  t.equal(await post('/tool/search/people', {}), 2)
  t.equal(await post('/mcp', call('find_people')), 2)
  t.equal(await post('/tool/pay', {}), 1)
  t.equal(await post('/mcp', call('pay')), 1)
})

t.test('an operator holds a breaker open by hand, on the record, and lets go; a reload keeps to it', async (t) => {
  const set = await world(t)
  set.first.always(completion('first'))
  set.second.always(completion('second'))
  const hold = (mode: string) =>
    fetch(`${set.gateway.adminUrl}/v1/breakers/first`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode }),
    })
  t.match((await ask(set)).text, '"first"')
  t.equal((await hold('forced-open')).status, 200)
  t.match((await ask(set)).text, '"second"')
  t.ok(set.gateway.gateway.reload().ok)
  t.match((await ask(set)).text, '"second"')
  await hold('auto')
  t.match((await ask(set)).text, '"first"')
  await set.gateway.gateway.close()
  const made = auditLines(set.gateway.auditDir).filter(({ kind }) => kind === 'admin')
  t.match(made, [
    { action: 'breaker', upstream: 'first', mode: 'forced-open' },
    { action: 'breaker', upstream: 'first', mode: 'auto' },
  ])
})
