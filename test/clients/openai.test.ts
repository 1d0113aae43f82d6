// The official OpenAI SDK with default options but the base URL, through a whole proxy in front of the demo upstream:
// each way an exchange can end must be that client's own typed result or error.
import OpenAI from 'openai'
import t from 'tap'
import { startOnDemo } from '../support/on-demo.ts'

const { gateway, demo, close } = await startOnDemo()
const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_test' })
t.teardown(close)

function ask(content: string) {
  return { model: 'gpt-4o', messages: [{ role: 'user' as const, content }] }
}

t.test('a plain call', async (t) => {
  const completion = await client.chat.completions.create(ask('demo: say Hello there.'))
  t.equal(completion.choices[0]?.message.content, 'Hello there.')
  t.ok(completion.usage)
})

t.test('a streamed call, redacted on its way out and restored on its way back', async (t) => {
  const stream = await client.chat.completions.create({
    ...ask('demo: echo Write to ada@example.org today.'),
    stream: true,
  })
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  t.equal(text, 'Write to ada@example.org today.')
  t.notMatch(demo.requests.at(-1)?.body, 'ada@example.org')
  t.match(demo.requests.at(-1)?.body, /EMAIL_[0-9a-z]{10}/)
})

t.test('the list of models', async (t) => {
  const models = await client.models.list()
  t.ok(models.data.length > 0)
})

t.test('a tool call that the rules allow', async (t) => {
  const completion = await client.chat.completions.create({
    ...ask('demo: call get_issue {"id": 7}'),
    tools: [{ type: 'function', function: { name: 'get_issue', parameters: { type: 'object' } } }],
  })
  const [call] = completion.choices[0]?.message.tool_calls ?? []
  t.match(call, { type: 'function', function: { name: 'get_issue' } })
})

t.test('a tool call against the rules never reaches the agent, streamed or not', async (t) => {
  const tools = [{ type: 'function' as const, function: { name: 'delete_issue', parameters: { type: 'object' } } }]
  const request = { ...ask('demo: call delete_issue {"id": 7}'), tools }
  const denied =
    '[Gatewright denied the tool call delete_issue by rule no-destructive-tools: Destructive tools need dry_run.]'
  const { data, response } = await client.chat.completions.create(request).withResponse()
  t.match(data.choices, [{ message: { content: denied }, finish_reason: 'stop' }])
  t.notOk(data.choices[0]?.message.tool_calls)
  t.equal(response.headers.get('x-gatewright-decision'), 'deny')
  t.equal(response.headers.get('x-gatewright-rule'), 'no-destructive-tools')

  const stream = client.chat.completions.stream(request)
  const raw: string[] = []
  stream.on('chunk', (chunk) => raw.push(JSON.stringify(chunk)))
  const final = await stream.finalChatCompletion()
  t.match(final.choices, [{ message: { content: denied }, finish_reason: 'stop' }])
  t.notOk(final.choices[0]?.message.tool_calls)
  t.notMatch(raw.join(''), /tool_calls|"arguments"/, 'nothing of the call came through')
})

t.test('beside a denied call the others are made', async (t) => {
  const tool = (name: string) => ({ type: 'function' as const, function: { name, parameters: { type: 'object' } } })
  const content = 'demo: call delete_issue {"id": 7}\ndemo: call get_issue {"id": 8}\ndemo: call delete_all {}'
  const request = { ...ask(content), tools: ['delete_issue', 'get_issue', 'delete_all'].map(tool) }
  const completion = await client.chat.completions.create(request)
  const final = await client.chat.completions.stream(request).finalChatCompletion()
  for (const { choices } of [completion, final]) {
    const [choice] = choices
    t.equal(choice?.finish_reason, 'tool_calls')
    t.match(choice?.message.content, /delete_issue by rule[^]*delete_all by rule/)
    t.equal(choice?.message.tool_calls?.length, 1)
    t.match(choice?.message.tool_calls, [{ type: 'function', function: { name: 'get_issue', arguments: '{"id": 8}' } }])
  }
})

t.test('a denial is a PermissionDeniedError with our reason, in one request', async (t) => {
  const before = demo.received()
  let requests = 0
  const counting = new OpenAI({
    baseURL: `${gateway.url}/openai/v1`,
    apiKey: 'gw_test',
    fetch: (input, init) => {
      requests += 1
      return fetch(input, init)
    },
  })
  const error = await counting.chat.completions
    .create({ ...ask('hello'), model: 'forbidden-model' })
    .catch((error: unknown) => error)
  t.ok(error instanceof OpenAI.PermissionDeniedError)
  t.match(error, { status: 403, code: 'policy_denied', type: 'permission_error' })
  t.match((error as Error).message, 'Only approved models.')
  t.equal(requests, 1)
  t.equal(demo.received(), before, 'nothing was sent upstream')
})

t.test('a 429 is retried by the client, and is its RateLimitError in the end', async (t) => {
  const limited = new OpenAI({ baseURL: `${gateway.url}/limited/v1`, apiKey: 'gw_test', maxRetries: 0 })
  await limited.chat.completions.create(ask('demo: say one'))
  const error = await limited.chat.completions.create(ask('demo: say two')).catch((error: unknown) => error)
  t.ok(error instanceof OpenAI.RateLimitError)
  t.match((error as InstanceType<typeof OpenAI.RateLimitError>).headers?.get('retry-after'), /^[0-9]+$/)

  const retrying = new OpenAI({ baseURL: `${gateway.url}/limited/v1`, apiKey: 'gw_test' })
  const completion = await retrying.chat.completions.create(ask('demo: say three'))
  t.equal(completion.choices[0]?.message.content, 'three', 'the default client waited as told and got through')
})

t.test('a failure in mid-stream is an APIError, never a shorter answer', async (t) => {
  const stream = await client.chat.completions.create({ ...ask('demo: events 20\ndemo: break 5'), stream: true })
  const error = await (async () => {
    for await (const chunk of stream) t.ok(chunk.id)
  })().catch((error: unknown) => error)
  t.ok(error instanceof OpenAI.APIError)
  t.match((error as Error).message, 'broke off')
})

t.test('a bad key is an AuthenticationError', async (t) => {
  const stranger = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_unknown' })
  const error = await stranger.chat.completions.create(ask('hello')).catch((error: unknown) => error)
  t.ok(error instanceof OpenAI.AuthenticationError)
})
