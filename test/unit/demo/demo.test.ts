import Anthropic, { APIError as AnthropicError, PermissionDeniedError } from '@anthropic-ai/sdk'
import OpenAI, { APIError, BadRequestError, InternalServerError, NotFoundError, RateLimitError } from 'openai'
import t, { type Test } from 'tap'
import { startDemo } from '../../../proxy/demo/demo.ts'

const demo = await startDemo({ host: '127.0.0.1', port: 0 })
t.teardown(() => demo.close())

const openai = new OpenAI({ apiKey: 'sk-none', baseURL: `${demo.url}/openai/v1`, maxRetries: 0 })
const anthropic = new Anthropic({ apiKey: 'sk-none', baseURL: `${demo.url}/anthropic`, maxRetries: 0 })

function chat(content: string, more: object = {}) {
  return { model: 'gpt-4o', messages: [{ role: 'user' as const, content }], ...more }
}

function message(content: string, more: object = {}) {
  return { model: 'claude-demo', max_tokens: 100, messages: [{ role: 'user' as const, content }], ...more }
}

const deleteIssue = {
  name: 'delete_issue',
  description: 'Deletes an issue',
  parameters: { type: 'object', properties: { id: { type: 'number' } } },
}

t.test('openai: a plain answer with usage, the same each time', async (t) => {
  const first = await openai.chat.completions.create(chat('hello'))
  t.equal(first.choices[0]?.message.content, 'You said: hello')
  t.equal(first.choices[0]?.finish_reason, 'stop')
  t.match(first.usage, { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 })
  t.same(await openai.chat.completions.create(chat('hello')), first)
})

t.test('openai responses: a plain answer, and the same in a stream', async (t) => {
  const ask = { model: 'gpt-5', instructions: 'Be brief.', input: 'demo: say Grüße, 👋 reach me at ada@example.org' }
  const whole = await openai.responses.create(ask)
  t.equal(whole.output_text, 'Grüße, 👋 reach me at ada@example.org')
  t.ok((whole.usage?.input_tokens ?? 0) > 0)
  t.same(await openai.responses.create(ask), whole)
  const pieces: string[] = []
  const running = openai.responses.stream(ask)
  running.on('response.output_text.delta', ({ delta }) => void pieces.push(delta))
  const final = await running.finalResponse()
  t.same([final.output_text, final.usage], [whole.output_text, whole.usage])
  t.equal(pieces.join(''), whole.output_text)
  t.ok(pieces.length > 3)
})

t.test('openai responses: a tool call, whole and streamed, and the answer to its result', async (t) => {
  const tools = [{ type: 'function' as const, name: 'delete_issue', parameters: {}, strict: null }]
  const ask = {
    model: 'gpt-5',
    tools,
    input: [{ role: 'user' as const, content: 'demo: call delete_issue {"id": 7}' }],
  }
  const [call] = (await openai.responses.create(ask)).output
  t.match(call, { type: 'function_call', name: 'delete_issue', arguments: '{"id": 7}' })
  const [streamed] = (await openai.responses.stream(ask).finalResponse()).output
  t.match(streamed, { type: 'function_call', name: 'delete_issue', arguments: '{"id": 7}' })
  const call_id = call?.type === 'function_call' ? call.call_id : ''
  const result = { type: 'function_call_output' as const, call_id, output: 'gone' }
  const after = await openai.responses.create({ ...ask, input: [...ask.input, result] })
  t.equal(after.output_text, 'The tool said: gone')
})

t.test('openai: a streamed answer in uneven pieces, with usage when asked for', async (t) => {
  const stream = await openai.chat.completions.create({
    ...chat('demo: say Grüße, 👋 reach me at ada@example.org'),
    stream: true,
    stream_options: { include_usage: true },
  })
  const pieces: string[] = []
  let tokens: number | undefined
  for await (const chunk of stream) {
    pieces.push(chunk.choices[0]?.delta.content ?? '')
    tokens = chunk.usage?.total_tokens ?? tokens
  }
  t.equal(pieces.join(''), 'Grüße, 👋 reach me at ada@example.org')
  t.notOk(pieces.some((piece) => piece.includes('ada@example.org')))
  t.type(tokens, 'number')
})

t.test('openai: a tool call, whole and streamed, and the answer to its result', async (t) => {
  const tools = [{ type: 'function' as const, function: deleteIssue }]
  const whole = await openai.chat.completions.create(chat('please call delete_issue {"id": 7}', { tools }))
  const call = whole.choices[0]?.message.tool_calls?.[0]
  t.equal(whole.choices[0]?.finish_reason, 'tool_calls')
  t.match(call, { type: 'function', function: { name: 'delete_issue', arguments: '{"id": 7}' } })

  const streamed = await openai.chat.completions
    .stream(chat('demo: call delete_issue {"id": 7}', { tools }))
    .finalChatCompletion()
  t.match(streamed.choices[0]?.message.tool_calls?.[0], { function: { name: 'delete_issue', arguments: '{"id": 7}' } })

  const unoffered = await openai.chat.completions.create(chat('please call drop_table {}', { tools }))
  t.equal(unoffered.choices[0]?.message.tool_calls, undefined)

  const after = await openai.chat.completions.create({
    model: 'gpt-4o',
    messages: [
      { role: 'user', content: 'call delete_issue {"id": 7}' },
      {
        role: 'assistant',
        tool_calls: [{ id: call?.id ?? '', type: 'function', function: { name: 'delete_issue', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: call?.id ?? '', content: 'deleted' },
    ],
    tools,
  })
  t.equal(after.choices[0]?.message.content, 'The tool said: deleted')
})

t.test('openai: the list of models', async (t) => {
  const models = await openai.models.list()
  t.ok(models.data.some(({ id }) => id === 'gpt-4o'))
})

t.test('anthropic: plain, streamed, counted', async (t) => {
  const whole = await anthropic.messages.create(message('demo: echo write to ada@example.org'))
  t.match(whole.content, [{ type: 'text', text: 'write to ada@example.org' }])
  t.equal(whole.stop_reason, 'end_turn')

  const streamed = await anthropic.messages.stream(message('hello')).finalMessage()
  t.match(streamed.content, [{ type: 'text', text: 'You said: hello' }])
  t.equal(streamed.usage.output_tokens, 4)

  const counted = await anthropic.messages.countTokens({
    model: 'claude-demo',
    messages: [{ role: 'user', content: 'hello' }],
  })
  t.equal(counted.input_tokens, whole.usage.input_tokens > 0 ? 3 : 0)
})

t.test('anthropic: a tool call, whole and streamed', async (t) => {
  const tools = [{ name: 'delete_issue', input_schema: { type: 'object' as const } }]
  const whole = await anthropic.messages.create(message('demo: call delete_issue {"id": 7}', { tools }))
  t.match(whole.content, [{ type: 'tool_use', name: 'delete_issue', input: { id: 7 } }])
  t.equal(whole.stop_reason, 'tool_use')
  const streamed = await anthropic.messages
    .stream(message('demo: call delete_issue {"id": 7}', { tools }))
    .finalMessage()
  t.match(streamed.content, [{ type: 'tool_use', name: 'delete_issue', input: { id: 7 } }])
  const after = await anthropic.messages.create({
    ...message(''),
    messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'deleted' }] }],
  })
  t.match(after.content, [{ type: 'text', text: 'The tool said: deleted' }])
})

t.test('failing: typed errors, in the format of each SDK', async (t) => {
  await fails(t, openai.chat.completions.create(chat('demo: fail 500')), InternalServerError)
  await fails(t, openai.chat.completions.create(chat('demo: fail 429 retry-after 1')), RateLimitError)
  await fails(t, anthropic.messages.create(message('demo: fail 403')), PermissionDeniedError)
  await fails(t, openai.chat.completions.create(chat('demo: error')), InternalServerError)
  await fails(t, openai.chat.completions.create({ model: 'x', messages: [] }), BadRequestError)
  await fails(t, openai.embeddings.create({ model: 'x', input: 'y' }), NotFoundError)
})

t.test('failing a number of times, then not', async (t) => {
  const body = chat('demo: fail 503 times 2\ndemo: say up again')
  for (const _ of [1, 2]) await fails(t, openai.chat.completions.create(body), InternalServerError)
  t.equal((await openai.chat.completions.create(body)).choices[0]?.message.content, 'up again')
})

t.test('an in-band error ends a stream with an error in both SDKs', async (t) => {
  await fails(t, drain(await openai.chat.completions.create({ ...chat('demo: error 3'), stream: true })), APIError)
  await fails(t, drain(await anthropic.messages.create({ ...message('demo: error'), stream: true })), AnthropicError)
})

t.test('breaking cuts the connection after some events, and a plain answer in its middle', async (t) => {
  const stream = await openai.chat.completions.create({ ...chat('demo: events 10\ndemo: break 4'), stream: true })
  let events = 0
  await t.rejects(async () => {
    for await (const _ of stream) events += 1
  })
  t.equal(events, 4)
  const whole = await fetch(`${demo.url}/tool/customers/42?demo=break`)
  t.equal(whole.status, 200)
  await t.rejects(whole.text())
})

t.test('stalling keeps the client waiting until it goes', async (t) => {
  const silent = new AbortController()
  const waiting = fetch(`${demo.url}/tool/echo`, { headers: { 'x-demo': 'stall' }, signal: silent.signal })
  const stalled = await fetch(`${demo.url}/openai/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(chat('demo: stall 1', { stream: true })),
  })
  const reader = stalled.body?.getReader()
  t.match(new TextDecoder().decode((await reader?.read())?.value), /^data: .*"role":"assistant"/)
  silent.abort()
  await t.rejects(waiting, { name: 'AbortError' })
  await reader?.cancel()
})

t.test('as many events as asked for', async (t) => {
  let words = 0
  for await (const chunk of await openai.chat.completions.create({ ...chat('demo: events 200'), stream: true })) {
    if (chunk.choices[0]?.delta.content?.startsWith('word') === true) words += 1
  }
  t.equal(words, 200)
})

t.test('the tool: echo, records with personal data, deletion', async (t) => {
  const echo = await fetch(`${demo.url}/tool/echo?a=1`, { method: 'POST', body: '{"to":"ada@example.org"}' })
  t.match(await echo.json(), { method: 'POST', path: '/echo', query: { a: '1' }, body: { to: 'ada@example.org' } })
  const customer = await fetch(`${demo.url}/tool/customers/42`)
  t.match(await customer.json(), { email: 'ada@example.org', card: '4111 1111 1111 1111' })
  t.match(await (await fetch(`${demo.url}/tool/customers/42`, { method: 'DELETE' })).json(), { deleted: '42' })
  t.equal((await fetch(`${demo.url}/tool/customers/42`)).status, 200)
  t.equal((await fetch(`${demo.url}/tool/customers/7`)).status, 404)
  t.equal((await fetch(`${demo.url}/tool/customers`, { method: 'DELETE' })).status, 405)
  t.equal((await fetch(`${demo.url}/elsewhere`)).status, 404)
  t.equal((await fetch(`${demo.url}/tool/echo?demo=fail+418`)).status, 418)
})

t.test('it remembers what it was asked', async (t) => {
  await fetch(`${demo.url}/tool/echo?last`, { headers: { authorization: 'Bearer upstream' } })
  t.match(demo.requests.at(-1), {
    method: 'GET',
    url: '/tool/echo?last',
    headers: { authorization: 'Bearer upstream' },
  })
  t.ok(demo.received() >= demo.requests.length)
})

t.test('a taken address is an error', async (t) => {
  await t.rejects(startDemo({ host: '127.0.0.1', port: demo.port }), { code: 'EADDRINUSE' })
})

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** By class, because an SDK's errors all have the name `Error`. */
async function fails(t: Test, work: Promise<unknown>, type: new (...args: never[]) => Error): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  t.ok(error instanceof type, type.name, { found: error })
}
