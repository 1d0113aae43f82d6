// Secrets that only the name of their member tells, in the JSON of tools and of models, there and back.
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

const password = 'Tr0ub4dor3xQ9'

t.test('what is called a password leaves masked, however deep it stands', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
upstreams: { tool: { protocol: http, url: '${upstream.url}' }, openai: { protocol: openai, url: '${upstream.url}' } }
routes: [{ id: tool, path: /tool, upstream: tool }, { id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
redaction: [{ id: all, direction: both, detect: [secrets], action: mask }]
`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const send = async (path: string, body: object, answer: object): Promise<{ sent: string; came: string }> => {
    upstream.next(jsonAnswer(200, answer))
    const answered = await fetch(gateway.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { came: await answered.text(), sent: upstream.requests.at(-1)?.body.toString() ?? '' }
  }
  const deep = { note: 'kept', login: { password, dump: JSON.stringify({ password }) } }
  const masked = JSON.stringify(deep).replaceAll(password, '[GENERIC_SECRET]')
  const tool = await send('/tool/x', deep, deep)
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
