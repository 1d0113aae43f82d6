// The official Anthropic SDK with default options but the base URL, through a whole proxy in front of the demo upstream.
import Anthropic from '@anthropic-ai/sdk'
import t from 'tap'
import { startOnDemo } from '../support/on-demo.ts'

const { gateway, demo, close } = await startOnDemo()
const client = new Anthropic({ baseURL: `${gateway.url}/anthropic`, apiKey: 'gw_test' })
t.teardown(close)

function ask(content: string) {
  return { model: 'claude-next', max_tokens: 100, messages: [{ role: 'user' as const, content }] }
}

t.test('a plain call', async (t) => {
  const message = await client.messages.create(ask('demo: say Hello there.'))
  t.match(message.content, [{ type: 'text', text: 'Hello there.' }])
})

t.test('a streamed call, redacted on its way out and restored on its way back', async (t) => {
  const stream = client.messages.stream(ask('demo: echo Write to ada@example.org today.'))
  const message = await stream.finalMessage()
  t.match(message.content, [{ type: 'text', text: 'Write to ada@example.org today.' }])
  t.notMatch(demo.requests.at(-1)?.body, 'ada@example.org')
})

t.test('counting tokens', async (t) => {
  const count = await client.messages.countTokens({
    model: 'claude-next',
    messages: [{ role: 'user', content: 'hello' }],
  })
  t.ok(count.input_tokens > 0)
})

t.test('a tool call against the rules never reaches the agent', async (t) => {
  const tools = [{ name: 'delete_issue', input_schema: { type: 'object' as const } }]
  const request = { ...ask('demo: call delete_issue {"id": 7}'), tools }
  const denied =
    '[Gatewright denied the tool call delete_issue by rule no-destructive-tools: Destructive tools need dry_run.]'
  const { data, response } = await client.messages.create(request).withResponse()
  t.equal(data.stop_reason, 'end_turn')
  t.match(data.content.at(-1), { type: 'text', text: denied })
  t.equal(response.headers.get('x-gatewright-decision'), 'deny')

  const inputs: string[] = []
  const stream = client.messages.stream(request).on('inputJson', (part) => inputs.push(part))
  const final = await stream.finalMessage()
  t.equal(final.stop_reason, 'end_turn')
  t.match(final.content.at(-1), { type: 'text', text: denied })
  t.same(inputs, [], 'nothing of the arguments came through')
})

t.test('beside a denied call the others are made', async (t) => {
  const content = 'demo: call get_issue {"id": 8}\ndemo: call delete_issue {"id": 7}\ndemo: call get_user {"id": 9}'
  const tools = ['get_issue', 'delete_issue', 'get_user'].map((name) => ({
    name,
    input_schema: { type: 'object' as const },
  }))
  const request = { ...ask(content), tools }
  for (const message of [await client.messages.create(request), await client.messages.stream(request).finalMessage()]) {
    t.equal(message.stop_reason, 'tool_use')
    t.match(message.content.slice(-3), [
      { type: 'tool_use', name: 'get_issue', input: { id: 8 } },
      { type: 'text', text: /delete_issue by rule/ },
      { type: 'tool_use', name: 'get_user', input: { id: 9 } },
    ])
  }
})

t.test('a denial is a PermissionDeniedError with our reason, in one request', async (t) => {
  let requests = 0
  const counting = new Anthropic({
    baseURL: `${gateway.url}/anthropic`,
    apiKey: 'gw_test',
    fetch: (input, init) => {
      requests += 1
      return fetch(input, init)
    },
  })
  const error = await counting.messages
    .create({ ...ask('hello'), model: 'forbidden-model' })
    .catch((error: unknown) => error)
  t.ok(error instanceof Anthropic.PermissionDeniedError)
  t.match((error as Error).message, 'Only approved models.')
  t.equal(requests, 1)
})

t.test('a 429 is retried by the client', async (t) => {
  const limited = new Anthropic({ baseURL: `${gateway.url}/limited-anthropic`, apiKey: 'gw_test', maxRetries: 0 })
  await limited.messages.create(ask('demo: say one'))
  const error = await limited.messages.create(ask('demo: say two')).catch((error: unknown) => error)
  t.ok(error instanceof Anthropic.RateLimitError)

  const retrying = new Anthropic({ baseURL: `${gateway.url}/limited-anthropic`, apiKey: 'gw_test' })
  const message = await retrying.messages.create(ask('demo: say three'))
  t.match(message.content, [{ type: 'text', text: 'three' }])
})

t.test('a failure in mid-stream is an error, never a shorter answer', async (t) => {
  const stream = client.messages.stream(ask('demo: events 20\ndemo: break 5'))
  const error = await stream.finalMessage().catch((error: unknown) => error)
  t.ok(error instanceof Anthropic.AnthropicError)
  t.match((error as Error).message, 'broke off')
})

t.test('a bad key is an AuthenticationError', async (t) => {
  const stranger = new Anthropic({ baseURL: `${gateway.url}/anthropic`, apiKey: 'gw_unknown' })
  const error = await stranger.messages.create(ask('hello')).catch((error: unknown) => error)
  t.ok(error instanceof Anthropic.AuthenticationError)
})
