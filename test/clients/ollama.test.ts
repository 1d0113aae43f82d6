// The official Ollama client with default options but the host and the key, through a whole proxy in front of a scripted
// upstream: each way an exchange can end must be that client's own result or error.
import { Ollama } from 'ollama'
import { createHash } from 'node:crypto'
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { scriptedUpstream } from '../support/scripted-upstream.ts'

const upstream = await scriptedUpstream()
const gateway = await startGateway(`
upstreams:
  model: { protocol: ollama, url: ${upstream.url} }
routes:
  - { id: model, path: /ollama, upstream: model }
  - { id: limited, path: /limited, upstream: model }
principals:
  - { id: agent, org: acme, roles: [], keys: [{ sha256: ${createHash('sha256').update('gw_test').digest('hex')} }] }
defaultEffect: deny
rules:
  - { id: everyone, effect: allow, actions: [model.call, tool.call] }
  - { id: approved, effect: deny, actions: [model.call], models: ['forbidden*'], reason: Only approved models. }
  - { id: no-deletes, effect: deny, actions: [tool.call], tools: ['delete_*'], reason: Nothing is deleted. }
redaction:
  - { id: out, direction: request, detect: [email], action: token }
limits:
  - { id: few, by: [route], routes: [limited], requests: 1/1h }
`)
t.teardown(async () => {
  await gateway.close()
  await upstream.close()
})

const headers = { authorization: 'Bearer gw_test' }
const client = new Ollama({ host: `${gateway.url}/ollama`, headers })

const head = { model: 'llama3.2', created_at: '2026-08-04T08:52:19.385406Z' }
const line = (content: string, more: object = {}, done = false): string =>
  `${JSON.stringify({ ...head, message: { role: 'assistant', content, ...more }, done, ...(done ? { done_reason: 'stop', eval_count: 2 } : {}) })}\n`
const call = (name: string): object => ({ function: { name, arguments: { id: 7 } } })

/** Given to the next request, in two pieces for each line. */
function answers(body: string | ((request: string) => string), type = 'application/x-ndjson', status = 200): void {
  upstream.next(async (scene) => {
    const text = typeof body === 'string' ? body : body(scene.request.body.toString('utf8'))
    await scene.write(`HTTP/1.1 ${status} X\r\ncontent-type: ${type}\r\nconnection: close\r\n\r\n`)
    for (const piece of text.match(/[^]{1,37}/g) ?? []) await scene.write(piece)
    scene.end()
  })
}

const ask = (content: string) => ({ model: 'llama3.2', messages: [{ role: 'user', content }] })

t.test('a plain call, redacted on its way out and restored on its way back', async (t) => {
  answers((request) => {
    const { messages } = JSON.parse(request) as { messages: [{ content: string }] }
    return line(messages[0].content, {}, true)
  }, 'application/json; charset=utf-8')
  const answer = await client.chat(ask('Write to ada@example.org today.'))
  t.equal(answer.message.content, 'Write to ada@example.org today.')
  t.equal(answer.eval_count, 2)
  t.notMatch(upstream.requests.at(-1)?.body.toString(), 'ada@example.org')
  t.equal(upstream.requests.at(-1)?.header('authorization'), undefined)
})

t.test('a streamed call, token by token', async (t) => {
  answers((request) => {
    const { messages } = JSON.parse(request) as { messages: [{ content: string }] }
    return `${Array.from(messages[0].content)
      .map((one) => line(one))
      .join('')}${line('', {}, true)}`
  })
  let text = ''
  for await (const part of await client.chat({ ...ask('Write to ada@example.org today.'), stream: true }))
    text += part.message.content
  t.equal(text, 'Write to ada@example.org today.')
})

t.test('completions, embeddings, listings', async (t) => {
  answers(
    `${JSON.stringify({ ...head, response: 'Hel', done: false })}\n${JSON.stringify({ ...head, response: 'lo', done: true })}\n`,
  )
  let text = ''
  for await (const part of await client.generate({ model: 'llama3.2', prompt: 'x', stream: true }))
    text += part.response
  t.equal(text, 'Hello')
  answers('{"model":"m","embeddings":[[0.5,1]]}', 'application/json')
  t.same((await client.embed({ model: 'm', input: 'x' })).embeddings, [[0.5, 1]])
  answers('{"models":[{"name":"llama3.2:latest","size":4683075271}]}', 'application/json')
  t.match((await client.list()).models, [{ name: 'llama3.2:latest', size: 4683075271 }])
})

t.test('a denied tool call becomes text, streamed or not; the others are made', async (t) => {
  const denied = '[Gatewright denied the tool call delete_issue by rule no-deletes: Nothing is deleted.]'
  const calls = { tool_calls: [call('delete_issue'), call('get_issue')] }
  answers(line('So.', calls, true), 'application/json')
  const { message } = await client.chat(ask('x'))
  t.match(message, { content: `So.\n\n${denied}`, tool_calls: [{ function: { name: 'get_issue' } }] })
  t.equal(message.tool_calls?.length, 1)

  answers(line('So.') + line('', calls) + line('', { tool_calls: [call('delete_issue')] }) + line('', {}, true))
  let text = ''
  const made: string[] = []
  for await (const part of await client.chat({ ...ask('x'), stream: true })) {
    text += part.message.content
    for (const one of part.message.tool_calls ?? []) made.push(one.function.name)
  }
  t.equal(text, `So.\n\n${denied}\n\n${denied}`)
  t.same(made, ['get_issue'])
})

t.test('refusals are the errors of the client, with our reason', async (t) => {
  const before = upstream.requests.length
  const error = await client.chat({ ...ask('x'), model: 'forbidden-model' }).catch((error: unknown) => error)
  t.match(error, { name: 'ResponseError', status_code: 403, error: 'Only approved models.' })
  const stranger = new Ollama({ host: `${gateway.url}/ollama`, headers: { authorization: 'Bearer gw_no' } })
  t.match(await stranger.list().catch((error: unknown) => error), { name: 'ResponseError', status_code: 401 })
  t.match(await client.pull({ model: 'm' }).catch((error: unknown) => error), { status_code: 403 })
  t.equal(upstream.requests.length, before, 'nothing was sent upstream')

  answers('{"models":[]}', 'application/json')
  const limited = new Ollama({ host: `${gateway.url}/limited`, headers })
  await limited.list()
  t.match(await limited.list().catch((error: unknown) => error), { name: 'ResponseError', status_code: 429 })
})

t.test('a failure in mid-stream is an error, never a shorter answer', async (t) => {
  for (const body of [line('So.'), `${line('So.')}{"mod`, `${line('So.')}{"error":"out of memory"}\n`]) {
    answers(body)
    const read = async (): Promise<void> => {
      for await (const part of await client.chat({ ...ask('x'), stream: true })) t.equal(part.message.content, 'So.')
    }
    const error = await read().catch((error: unknown) => error)
    t.match((error as Error).message, body.includes('memory') ? 'out of memory' : 'broke off')
  }
})
