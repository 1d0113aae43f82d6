// Secrets that only the name of their member tells, in the JSON of tools and of models, there and back.
import t, { type Test } from 'tap'
import { startGateway } from '../support/gateway.ts'
import { answer, jsonAnswer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

const password = 'Tr0ub4dor3xQ9'

type World = {
  readonly upstream: ScriptedUpstream
  readonly post: (path: string, body: object) => Promise<string>
}

async function world(t: Test): Promise<World> {
  const upstream = await scriptedUpstream()
  const names = ['http', 'openai', 'anthropic']
  const gateway = await startGateway(`
upstreams: { ${names.map((name) => `${name}: { protocol: ${name}, url: '${upstream.url}' }`).join(', ')} }
routes: [${names.map((name) => `{ id: ${name}, path: /${name}, upstream: ${name} }`).join(', ')}]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
redaction: [{ id: all, direction: both, detect: [secrets], action: mask }]
`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const post = async (path: string, body: object): Promise<string> => {
    const headers = { 'content-type': 'application/json' }
    return (await fetch(gateway.url + path, { method: 'POST', headers, body: JSON.stringify(body) })).text()
  }
  return { upstream, post }
}

t.test('what is called a password leaves masked, however deep it stands', async (t) => {
  const { upstream, post } = await world(t)
  const send = async (path: string, body: object, answer: object): Promise<{ sent: string; came: string }> => {
    upstream.next(jsonAnswer(200, answer))
    const came = await post(path, body)
    return { came, sent: upstream.requests.at(-1)?.body.toString() ?? '' }
  }
  const deep = { note: 'kept', login: { password, dump: JSON.stringify({ password }) } }
  const masked = JSON.stringify(deep).replaceAll(password, '[GENERIC_SECRET]')
  const tool = await send('/http/x', deep, deep)
  t.equal(tool.sent, masked)
  t.equal(tool.came, masked)

  const message = {
    role: 'assistant',
    content: null,
    tool_calls: [
      { id: 'call_1', type: 'function', function: { name: 'login', arguments: JSON.stringify({ password }) } },
    ],
  }
  const chat = await send(
    '/openai/v1/chat/completions',
    { model: 'gpt-4o', messages: [{ role: 'user', content: 'log in' }, message] },
    { id: 'c', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'tool_calls' }] },
  )
  for (const text of [chat.sent, chat.came]) {
    t.notMatch(text, password)
    t.match(text, '{\\"password\\":\\"[GENERIC_SECRET]\\"}')
  }
})

/** As models write arguments, and JSON in text: a few characters an event. */
const inPieces = (text: string): string[] => text.match(/[^]{1,5}/g) ?? []
const events = (...all: readonly (readonly [string, unknown])[]): string =>
  all.map(([event, data]) => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`).join('')
const dataOf = (stream: string): unknown[] =>
  stream.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6)) as unknown] : []))

t.test('streamed JSON says no more than JSON that is known whole, in text and in arguments', async (t) => {
  const { upstream, post } = await world(t)
  const token = 'q7Rk2Vw9Lz4Np8Xc'.repeat(60)
  const document = { user: 'ada', db: { password: `${password.slice(0, 5)}"${password}` }, session_token: token, n: 1 }
  const json = JSON.stringify(document)
  const masked = JSON.stringify({
    ...document,
    db: { password: '[GENERIC_SECRET]' },
    session_token: '[AWS_SESSION_TOKEN]',
  })
  const streamed = async (path: string, stream: string): Promise<string> => {
    upstream.next(answer(200, stream, { 'content-type': 'text/event-stream' }))
    return post(path, { model: 'm', max_tokens: 9, stream: true, messages: [{ role: 'user', content: 'go on' }] })
  }
  const chunk = (delta: object, finish: string | null = null): [string, unknown] => [
    'message',
    {
      id: 'c',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'm',
      choices: [{ index: 0, delta, finish_reason: finish }],
    },
  ]
  const chat = await streamed(
    '/openai/v1/chat/completions',
    `${events(...inPieces(json).map((content) => chunk({ content })), chunk({}, 'stop'))}data: [DONE]\n\n`,
  )
  type Chunk = { choices: { delta: { content?: string; tool_calls?: { function: { arguments?: string } }[] } }[] }
  t.equal(
    dataOf(chat)
      .map((one) => (one as Chunk).choices[0]?.delta.content ?? '')
      .join(''),
    masked,
  )

  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'f', arguments: '' } }
  const calls = await streamed(
    '/openai/v1/chat/completions',
    `${events(
      chunk({ role: 'assistant', tool_calls: [call] }),
      ...inPieces(json).map((piece) => chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
      chunk({}, 'tool_calls'),
    )}data: [DONE]\n\n`,
  )
  const said = dataOf(calls).flatMap((one) => (one as Chunk).choices[0]?.delta.tool_calls ?? [])
  t.equal(said.map((one) => one.function.arguments ?? '').join(''), masked)

  const blocks = await streamed('/anthropic/v1/messages', events(...anthropicCall(json)))
  type Block = { delta?: { partial_json?: string } }
  t.equal(
    dataOf(blocks)
      .map((one) => (one as Block).delta?.partial_json ?? '')
      .join(''),
    masked,
  )
})

function anthropicCall(json: string): (readonly [string, unknown])[] {
  const message = {
    id: 'm',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
  }
  const usage = { input_tokens: 1, output_tokens: 1 }
  const block = { type: 'tool_use', id: 't', name: 'f', input: {} }
  const all = [
    { type: 'message_start', message: { ...message, usage } },
    { type: 'content_block_start', index: 0, content_block: block },
    ...inPieces(json).map((partial_json) => ({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'input_json_delta', partial_json },
    })),
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use', stop_sequence: null }, usage: { output_tokens: 2 } },
    { type: 'message_stop' },
  ]
  return all.map((one) => [one.type, one] as const)
}
