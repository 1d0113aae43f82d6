// External detectors as a client of the whole proxy sees them, over real sockets: what they find, and what happens when
// they do not answer.
import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { openAnalyzer, type Analyzer } from '../support/analyzer.ts'
import { auditLines } from '../support/audit-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { metric } from '../support/proxy-process.ts'
import { answer, jsonAnswer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

type Setup = {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  readonly analyzer: Analyzer
}

type Options = {
  readonly detector?: string
  readonly direction?: string
  readonly more?: string
  readonly redaction?: string
  readonly clock?: ManualClock
}

const names = { 'Ada Lovelace': 'PERSON', 'Grace 😀 Hopper': 'PERSON', Paris: 'LOCATION' }

async function setUp(
  t: Test,
  { detector = '', direction = 'both', more = '', redaction = '', clock }: Options = {},
): Promise<Setup> {
  const analyzer = await openAnalyzer(names)
  const upstream = (await scriptedUpstream()).always(jsonAnswer(200, { ok: true }))
  const gateway = await startGateway(
    `
upstreams:
  tool: { protocol: http, url: "${upstream.url}" }
  openai: { protocol: openai, url: "${upstream.url}" }
  ollama: { protocol: ollama, url: "${upstream.url}" }
routes: [{ id: tool, path: /tool, upstream: tool }, { id: openai, path: /openai, upstream: openai }, { id: ollama, path: /ollama, upstream: ollama }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
detectors: [{ id: presidio, url: "${analyzer.url}", protocol: presidio, entities: [PERSON, LOCATION], timeout: 500ms, ${detector} }]
redaction: [${redaction || `{ id: names, direction: ${direction}, detect: [person, email], action: mask }`}]
audit: { durability: batch, onFailure: allow }
${more}`,
    { random: () => 0.5, ...(clock === undefined ? {} : { clock }) },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
    await analyzer.close()
  })
  return { gateway, upstream, analyzer }
}

async function post({ gateway }: Setup, value: unknown, path = '/tool/1'): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(gateway.url + path, { method: 'POST', headers, body: JSON.stringify(value) })
}

/** As they stand in the log; closes the gateway. */
async function outcomes({ gateway }: Setup): Promise<string[]> {
  await gateway.gateway.close()
  return auditLines(gateway.auditDir).flatMap((line) => (line.kind === 'outcome' ? [JSON.stringify(line)] : []))
}

const bodyOf = ({ upstream }: Setup): unknown => JSON.parse(String(upstream.requests.at(-1)?.body))

t.test('what it finds is replaced, both ways, and emoji move nothing', async (t) => {
  const set = await setUp(t)
  set.upstream.next(jsonAnswer(200, { said: 'Ask 😀 Ada Lovelace in Paris.' }))
  const text = '😀😀 Ada Lovelace and Grace 😀 Hopper wrote to ada@example.org from Paris'
  const reply = await post(set, { text, empty: '', n: 1 })
  t.same(bodyOf(set), { text: '😀😀 [PERSON] and [PERSON] wrote to [EMAIL] from Paris', empty: '', n: 1 })
  t.same(await reply.json(), { said: 'Ask 😀 [PERSON] in Paris.' })
  t.equal(reply.headers.get('x-gatewright-redactions'), 'person=3, email=1')
  t.match(set.analyzer.questions[0], { language: 'en', entities: ['PERSON', 'LOCATION'], score_threshold: 0.5 })
  const asked = set.analyzer.questions.length
  await (await post(set, { text, empty: '', n: 1 })).text()
  t.equal(set.analyzer.questions.length, asked, 'of a text that it has seen it is not asked again')
  const [record] = await outcomes(set)
  t.match(String(record), /"scanned":\{"answer":\["email","presidio"\],"request":\["email","presidio"\]\}/)
})

t.test('what is only observed hides nothing that it finds', async (t) => {
  const set = await setUp(t, {
    redaction: `{ id: names, direction: both, detect: [person], action: mask },
      { id: seen, direction: both, detect: [url-credentials, email], action: tag }`,
  })
  set.upstream.next(jsonAnswer(200, { said: 'Ada Lovelace@example.org' }))
  const text = 'https://x:Ada Lovelace@example.org, https://ada:s3cretPw9Ada@example.org'
  const reply = await post(set, { text: 'see https://ada:Grace 😀 Hopper@example.org', other: text })
  const sent = JSON.stringify(bodyOf(set))
  t.notMatch(sent, /Lovelace|Hopper/)
  t.equal(reply.headers.get('x-gatewright-redactions'), 'person=3')
})

t.test('rules over findings see what it finds', async (t) => {
  const set = await setUp(t, {
    more: 'rules: [{ id: no-places, effect: deny, actions: [tool.call], findings: [location] }]',
  })
  t.equal((await post(set, { text: 'Ada Lovelace' })).status, 200)
  const denied = await post(set, { text: 'in Paris' })
  t.equal(denied.status, 403)
  t.equal(denied.headers.get('x-gatewright-rule'), 'no-places')
})

t.test('where all rules that ask it are in shadow, it stops nothing', async (t) => {
  const watching = [
    { redaction: '{ id: names, direction: both, detect: [person, email], action: mask, mode: shadow }' },
    { redaction: '{ id: names, direction: both, detect: [person], action: block }', more: 'mode: shadow' },
    {
      redaction: '{ id: mail, direction: both, detect: [email], action: mask }',
      more: 'rules: [{ id: no-names, effect: deny, findings: [person], mode: shadow }]',
    },
  ]
  for (const options of watching) {
    const set = await setUp(t, options)
    set.analyzer.instead = (response) => response.writeHead(500).end('{"error":"no"}')
    const reply = await post(set, { text: 'Ada Lovelace' })
    t.equal(reply.status, 200)
    t.equal(reply.headers.get('x-gatewright-open'), 'detector:presidio', 'and says that nobody looked')
    set.upstream.next(answer(200, 'data: [DONE]\n\n', { 'content-type': 'text/event-stream' }))
    const stream = await post(set, { model: 'm', stream: true, messages: [] }, '/openai/v1/chat/completions')
    t.equal(stream.status, 200)
    t.match(await stream.text(), 'DONE')
  }
})

t.test('several texts go in one question where it takes lists', async (t) => {
  const set = await setUp(t, { detector: 'batch: 10' })
  await (await post(set, { a: 'Ada Lovelace', b: 'nobody here', c: 'Grace 😀 Hopper', d: '123 456' })).text()
  t.same(bodyOf(set), { a: '[PERSON]', b: 'nobody here', c: '[PERSON]', d: '123 456' })
  t.equal(set.analyzer.questions[0]?.text.length, 3, 'what has no letters has no names')
})

t.test('long texts are asked about in pieces', async (t) => {
  const set = await setUp(t, { direction: 'request' })
  const text = `${'One sentence of many. '.repeat(900)}Ada Lovelace. ${'And on. '.repeat(900)}`
  await (await post(set, { text })).text()
  t.equal(set.analyzer.questions.length, 3)
  t.same(bodyOf(set), { text: text.replace('Ada Lovelace', '[PERSON]') })
})

const failures: Record<string, (response: ServerResponse) => void> = {
  'an error': (response) => response.writeHead(500).end('{"error":"no"}'),
  'not JSON': (response) => response.end('<html>'),
  'another shape': (response) => response.end('{"results":[]}'),
  'an offset past the end': (response) =>
    response.end(JSON.stringify([{ entity_type: 'PERSON', start: 0, end: 1000, score: 1 }])),
  'a broken connection': (response) => response.destroy(),
}

for (const [what, instead] of Object.entries(failures)) {
  t.test(`${what} is no answer: deny`, async (t) => {
    const set = await setUp(t)
    set.analyzer.instead = instead
    const reply = await post(set, { text: 'Ada Lovelace' })
    t.equal(reply.status, 503)
    t.match(await reply.json(), { code: 'detector-unavailable' })
    t.equal(set.upstream.requests.length, 0, 'nothing went upstream')
  })

  t.test(`${what} is no answer: allow says so`, async (t) => {
    const set = await setUp(t, { detector: 'onError: allow' })
    set.analyzer.instead = instead
    const reply = await post(set, { text: 'Ada Lovelace, ada@example.org' })
    t.equal(reply.status, 200)
    t.equal(reply.headers.get('x-gatewright-open'), 'detector:presidio')
    t.same(bodyOf(set), { text: 'Ada Lovelace, [EMAIL]' })
    t.equal(await metric(set.gateway.adminUrl, 'gatewright_fail_open_total{what="detector:presidio"}'), 1)
    const [record] = await outcomes(set)
    t.match(String(record), /"open":\["detector:presidio"\]/)
    t.notMatch(String(record), /"request":\["email","presidio"\]/, 'it did not run')
  })
}

t.test('a detector that is too slow, and a breaker that spares it', async (t) => {
  const clock = new ManualClock()
  const set = await setUp(t, { detector: 'breaker: { consecutive: 2 }', clock })
  const arrived = (): Promise<void> =>
    new Promise((resolve) => {
      set.analyzer.instead = () => resolve()
    })
  for (let i = 0; i < 2; i++) {
    const here = arrived()
    const reply = post(set, { text: `Ada Lovelace ${i} x` })
    await here
    clock.advance(600)
    t.equal((await reply).status, 503)
  }
  const refused = await post(set, { text: 'Ada Lovelace once more' })
  t.match(await refused.json(), { code: 'detector-unavailable' })
  t.ok(Number(refused.headers.get('retry-after')) >= 1)
  t.equal(set.analyzer.questions.length, 2, 'it is left alone')
  t.equal(await metric(set.gateway.adminUrl, 'gatewright_breaker_state{upstream="detector:presidio"}'), 2)
})

const chat = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Who is Ada Lovelace?' }] }
const stream = `data: {"id":"c","object":"chat.completion.chunk","model":"gpt-4o","choices":[{"index":0,"delta":{"role":"assistant","content":"Ada Lovelace"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`

t.test('a stream is refused before it is asked for', async (t) => {
  const set = await setUp(t)
  const refused = await post(set, { ...chat, stream: true }, '/openai/v1/chat/completions')
  t.equal(refused.status, 403)
  t.match(await refused.json(), { error: { message: /ask for the answer as a whole/ } })
  t.equal(set.upstream.requests.length, 0)
  set.upstream.next(answer(200, stream, { 'content-type': 'text/event-stream' }))
  t.equal((await post(set, chat, '/openai/v1/chat/completions')).status, 403, 'nor one that was not asked for')
  set.upstream.next(
    jsonAnswer(200, {
      id: 'c',
      object: 'chat.completion',
      model: 'gpt-4o',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Ada Lovelace' }, finish_reason: 'stop' }],
    }),
  )
  t.match(await (await post(set, chat, '/openai/v1/chat/completions')).text(), /"content":"\[PERSON\]"/)
})

t.test('a stream that passes it by says so', async (t) => {
  const set = await setUp(t, { detector: 'onStream: skip' })
  set.upstream.next(answer(200, stream, { 'content-type': 'text/event-stream' }))
  const reply = await post(set, { ...chat, stream: true }, '/openai/v1/chat/completions')
  t.equal(reply.headers.get('x-gatewright-open'), 'detector:presidio')
  t.match(await reply.text(), /Ada Lovelace/)
  t.match(bodyOf(set), { messages: [{ content: 'Who is [PERSON]?' }] }, 'the request is looked into all the same')
  const [record] = await outcomes(set)
  t.match(String(record), /"uninspected":\["answer:detector:presidio"\]/)
})

const held = [
  { role: 'assistant', content: 'It was Ada ' },
  { content: 'Lovelace 😀 of Pa' },
  { content: 'ris.' },
  { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"who":"Ada' } }] },
  { tool_calls: [{ index: 0, function: { arguments: ' Lovelace"}' } }] },
]

t.test('a stream that is held until it is over is looked into as a whole', async (t) => {
  const set = await setUp(t, { detector: 'onStream: hold' })
  const chunks = [
    ...held.map((delta) => ({ index: 0, delta, finish_reason: null })),
    { index: 0, delta: {}, finish_reason: 'tool_calls' },
  ].map((choice) => ({ id: 'c', object: 'chat.completion.chunk', model: 'gpt-4o', choices: [choice] }))
  const events = [...chunks.map((chunk) => JSON.stringify(chunk)), '[DONE]'].map((data) => `data: ${data}\n\n`)
  set.upstream.next(answer(200, events.join(''), { 'content-type': 'text/event-stream' }))
  const reply = await post(set, { ...chat, stream: true }, '/openai/v1/chat/completions')
  t.equal(reply.headers.get('x-gatewright-open'), null)
  const deltas = (await reply.text()).split('\n\n').flatMap((event) => {
    const data = event.replace(/^data: /, '')
    if (!data.startsWith('{')) return []
    const { choices } = JSON.parse(data) as { choices: { delta: (typeof held)[number] }[] }
    return choices.map(({ delta }) => delta)
  })
  t.equal(deltas.map(({ content }) => content ?? '').join(''), 'It was [PERSON] 😀 of Paris.')
  const called = deltas.flatMap(({ tool_calls: calls }) => calls ?? []).map((call) => call.function.arguments)
  t.same(JSON.parse(called.join('')), { who: '[PERSON]' })
  const [record] = await outcomes(set)
  t.match(String(record), /"answer":\["email","presidio"\]/)
  t.notMatch(String(record), /uninspected/)
})

t.test('what stands in a last line of a held stream is looked into without its line end as well', async (t) => {
  const set = await setUp(t, { detector: 'onStream: hold' })
  const line = JSON.stringify({ model: 'm', message: { role: 'assistant', content: 'Ada Lovelace' }, done: true })
  set.upstream.next(answer(200, line, { 'content-type': 'application/x-ndjson' }))
  const said = await (await post(set, { ...chat, stream: true }, '/ollama/api/chat')).text()
  t.match(JSON.parse(said), { message: { content: '[PERSON]' }, done: true })
})

t.test('a held stream without an answer of the detector is broken off', async (t) => {
  const set = await setUp(t, { detector: 'onStream: hold', direction: 'response' })
  set.upstream.next(answer(200, stream, { 'content-type': 'text/event-stream' }))
  set.analyzer.instead = (response) => response.writeHead(500).end()
  const reply = await post(set, { ...chat, stream: true }, '/openai/v1/chat/completions')
  const said = await reply.text().catch((error: unknown) => String(error))
  t.match(said, /detector-unavailable|detector presidio does not answer|terminated/)
  t.notMatch(said, /Ada Lovelace/)
})

t.test('a rule for requests alone leaves streams alone', async (t) => {
  const set = await setUp(t, { direction: 'request' })
  set.upstream.next(answer(200, stream, { 'content-type': 'text/event-stream' }))
  const reply = await post(set, { ...chat, stream: true }, '/openai/v1/chat/completions')
  t.equal(reply.status, 200)
  t.equal(reply.headers.get('x-gatewright-open'), null)
  await reply.text()
})

t.test('what it finds may be let be', async (t) => {
  const analyzer = await openAnalyzer(names)
  t.teardown(() => analyzer.close())
  const set = await setUp(t, { detector: 'onError: allow, allow: ["Ada*"]' })
  await (await post(set, { text: 'Ada Lovelace, Grace 😀 Hopper' })).text()
  t.same(bodyOf(set), { text: 'Ada Lovelace, [PERSON]' }, 'values that are let be')
})
