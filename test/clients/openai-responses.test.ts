// The official OpenAI SDK on the Responses format, through a whole proxy in front of a scripted upstream: each way an
// exchange can end must be that client's own typed result or error.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import OpenAI from 'openai'
import t from 'tap'
import { failure } from '../support/failure.ts'
import { startGateway } from '../support/gateway.ts'
import { call, message, response, streamed, type Item } from '../support/response-sample.ts'
import { answer, jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

const upstream = await scriptedUpstream()
const sha256 = createHash('sha256').update('gw_test').digest('hex')
const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: ${upstream.url} }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: limited, path: /limited, upstream: openai }
principals:
  - { id: agent, keys: [{ sha256: ${sha256} }] }
tools:
  - { name: 'delete_*', tags: [destructive] }
defaultEffect: deny
rules:
  - { id: everyone, effect: allow, actions: [model.call, tool.call, tool.offer] }
  - { id: approved-models, effect: deny, actions: [model.call], models: ['forbidden*'], reason: Only approved models. }
  - id: no-destructive-tools
    effect: deny
    actions: [tool.call]
    tags: [destructive]
    when: '!(args.dry_run == true)'
    reason: Destructive tools need dry_run.
redaction:
  - { id: out, direction: request, detect: [email], action: token }
  - { id: back, direction: response, detect: [us-ssn], action: mask }
limits:
  - { id: few, by: [route], routes: [limited], requests: 1/h }
`)
t.teardown(async () => {
  await gateway.close()
  await upstream.close()
})

const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_test' })
const ask = { model: 'gpt-5.1', input: 'hello' }
const tools = ['get_issue', 'delete_issue'].map((name) => ({
  type: 'function' as const,
  name,
  parameters: { type: 'object' },
  strict: null,
}))

const sentBody = (): string => upstream.requests.at(-1)?.body.toString() ?? ''

t.test('a plain call, redacted on its way out and back', async (t) => {
  upstream.next(jsonAnswer(200, response([message('msg_1', 'Her number is 123-45-6789.')])))
  const made = await client.responses.create({ ...ask, input: 'Write to ada@example.org.' })
  t.equal(made.output_text, 'Her number is [US_SSN].')
  t.match(made.usage, { input_tokens: 3, output_tokens: 2 })
  t.notMatch(sentBody(), 'ada@example.org')
  t.match(sentBody(), /EMAIL_[0-9a-z]{10}/)
})

t.test('a streamed call: what grew, what each event repeats and what the client gathers are the same', async (t) => {
  upstream.next(streamed([message('msg_1', 'Her number is 123-45-6789, and that is all.')]))
  const running = client.responses.stream(ask)
  let text = ''
  const whole: string[] = []
  running.on('response.output_text.delta', (event) => void (text += event.delta))
  running.on('response.output_text.done', (event) => void whole.push(event.text))
  running.on('response.content_part.done', ({ part }) => void whole.push('text' in part ? part.text : ''))
  const final = await running.finalResponse()
  const expected = 'Her number is [US_SSN], and that is all.'
  t.equal(text, expected)
  t.same(whole, [expected, expected])
  t.equal(final.output_text, expected)
})

t.test('a token that was given out comes back as what it stands for', async (t) => {
  upstream.next(async (scene) => {
    const token = /EMAIL_[0-9a-z]{10}/.exec(scene.request.body.toString())?.[0] ?? 'none'
    await scene.write(streamed([message('msg_1', `Sent to ${token} today.`)]))
  })
  const final = await client.responses.stream({ ...ask, input: 'Write to ada@example.org.' }).finalResponse()
  t.equal(final.output_text, 'Sent to ada@example.org today.')
})

t.test('tool calls that the rules allow, streamed or not', async (t) => {
  const output = [
    message('msg_1', 'Looking.'),
    call('fc_1', 'get_issue', '{"id":7}'),
    call('fc_2', 'get_issue', '{"id":8}'),
  ]
  upstream.next(jsonAnswer(200, response(output)), streamed(output))
  const whole = await client.responses.create({ ...ask, tools })
  t.match(whole.output[1], { type: 'function_call', name: 'get_issue', arguments: '{"id":7}' })
  const running = client.responses.stream({ ...ask, tools })
  let args = ''
  running.on('response.function_call_arguments.delta', ({ delta }) => void (args += delta))
  const final = await running.finalResponse()
  t.equal(args, '{"id":7}{"id":8}')
  t.match(final.output, output)
})

t.test('a denied tool call becomes text, streamed or not, and its neighbours stay', async (t) => {
  const output = [
    message('msg_1', 'Doing both.'),
    call('fc_1', 'delete_issue', '{"id":7}'),
    call('fc_2', 'get_issue', '{"id":8}'),
    message('msg_2', 'Done.'),
  ]
  upstream.next(jsonAnswer(200, response(output)), streamed(output))
  const whole = await client.responses.create({ ...ask, tools })
  const running = client.responses.stream({ ...ask, tools })
  const seen: string[] = []
  running.on('event', (event) => void seen.push(JSON.stringify(event)))
  const final = await running.finalResponse()
  for (const made of [whole, final]) {
    t.match(made.output[0], output[0])
    t.match(made.output[1], { type: 'message', content: [{ text: /denied the tool call delete_issue.*dry_run/ }] })
    t.match(made.output[2], output[2])
    t.match(made.output[3], output[3])
  }
  t.notOk(
    seen.some((event) => event.includes('"id\\":7')),
    'no argument of the call came through',
  )
})

t.test('a call of a tool behind the provider is denied by the same rule', async (t) => {
  const run = {
    type: 'mcp_call',
    id: 'mcp_1',
    server_label: 'crm',
    name: 'delete_all',
    arguments: '{}',
    output: 'gone',
  }
  upstream.next(jsonAnswer(200, response([run as unknown as Item])))
  const made = await client.responses.create(ask)
  t.match(made.output_text, 'denied the tool call delete_all')
  t.notMatch(JSON.stringify(made), 'gone')
})

t.test('what was kept at the provider is a model answer when it is fetched', async (t) => {
  const output = [message('msg_1', 'It is 123-45-6789.'), call('fc_1', 'delete_issue', '{}')]
  upstream.next(jsonAnswer(200, response(output)), streamed(output))
  const kept = await client.responses.retrieve('resp_1')
  t.match(kept.output_text, /^It is \[US_SSN\]\./)
  t.match(kept.output_text, 'denied the tool call')
  let text = ''
  for await (const event of await client.responses.retrieve('resp_1', { stream: true }))
    if (event.type === 'response.output_text.delta') text += event.delta
  t.match(text, /^It is \[US_SSN\]\.\[Gatewright denied/)
  upstream.next(
    jsonAnswer(200, response([], 'cancelled')),
    jsonAnswer(200, { object: 'list', data: [], has_more: false }),
  )
  t.equal((await client.responses.cancel('resp_1')).status, 'cancelled')
  t.same((await client.responses.inputItems.list('resp_1')).data, [])
  upstream.next(jsonAnswer(200, { id: 'resp_1', object: 'response', deleted: true }))
  await client.responses.delete('resp_1')
  t.equal(upstream.requests.at(-1)?.method, 'DELETE')
})

t.test('a denial is a PermissionDeniedError with our reason, in one request', async (t) => {
  const before = upstream.requests.length
  const error = await failure(client.responses.create({ ...ask, model: 'forbidden-model' }))
  t.ok(error instanceof OpenAI.PermissionDeniedError)
  t.match(error, { status: 403, code: 'policy_denied', message: /Only approved models\./ })
  t.equal(upstream.requests.length, before, 'nothing was sent upstream')
})

t.test('a 429 is a RateLimitError', async (t) => {
  const limited = new OpenAI({ baseURL: `${gateway.url}/limited/v1`, apiKey: 'gw_test', maxRetries: 0 })
  upstream.next(jsonAnswer(200, response([])))
  await limited.responses.create(ask)
  t.ok((await failure(limited.responses.create(ask))) instanceof OpenAI.RateLimitError)
})

t.test('a stream that stops early is an APIError, never a shorter answer', async (t) => {
  upstream.next(streamed([message('msg_1', 'Her number is long.')], 6))
  const error = await failure(client.responses.stream(ask).finalResponse())
  t.ok(error instanceof OpenAI.APIError)
  t.match((error as Error).message, 'broke off')
})

t.test('the samples of every event type are what the client gathers', async (t) => {
  for (const name of ['responses-stream', 'responses-tools-stream']) {
    const sample = readFileSync(new URL(`../fixtures/openai/${name}.sse`, import.meta.url), 'utf8')
    upstream.next(answer(200, sample, { 'content-type': 'text/event-stream' }))
    const direct: unknown[] = [...sample.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => JSON.parse(data) as unknown)
    const final = await client.responses.stream(ask).finalResponse()
    t.match(final.output, (direct.at(-1) as { response: { output: object[] } }).response.output, name)
  }
})
