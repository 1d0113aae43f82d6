// What an operation is depends on the path that is sent, and an upstream's url may go further down than operations are
// told apart: nothing that has an adapter may get past it by such a url, nor over a WebSocket.
import { once } from 'node:events'
import t from 'tap'
import type { WebSocket } from 'ws'
import { WebSocket as Client } from 'ws'
import { untilOutcomes } from '../support/audit-lines.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'
import { inbox, refusalOf, socketUpstream } from '../support/socket-world.ts'

const denied = { id: 'c1', type: 'function', function: { name: 'delete_all', arguments: '{}' } }
const chatAnswer = {
  id: 'x',
  object: 'chat.completion',
  model: 'gpt-4o',
  choices: [
    { index: 0, finish_reason: 'tool_calls', message: { role: 'assistant', content: null, tool_calls: [denied] } },
  ],
}

t.test('completions below a url that ends with /chat are chat completions', async (t) => {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(policy(`${upstream.url}/v1/chat`))
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  for (const route of ['inspected', 'opaque']) {
    upstream.next(jsonAnswer(200, chatAnswer))
    const answer = await fetch(`${gateway.url}/${route}/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'hello' }] }),
    })
    t.equal(answer.headers.get('x-gatewright-decision'), 'deny', route)
    t.notMatch(await answer.text(), /tool_calls/)
    t.equal(upstream.requests.at(-1)?.target, '/v1/chat/completions')
  }
  for (const line of await outcomes(gateway, 2)) t.equal(line['operation'], 'chat.completions')
})

t.test('a conversation below a url that ends with /realtime is read', async (t) => {
  const upstream = await socketUpstream()
  const gateway = await startGateway(policy(`${upstream.url}/v1/realtime`))
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  upstream.onSocket = (socket: WebSocket) =>
    socket.on('message', (data: Buffer) => {
      const { item } = JSON.parse(data.toString()) as { item: object }
      socket.send(JSON.stringify({ type: 'conversation.item.done', item: { id: 'item_1', ...item } }))
    })
  for (const path of ['/opaque?model=gpt-4o', '/inspected?model=gpt-4o']) {
    const client = open(gateway, path)
    const next = inbox(client)
    await once(client, 'open')
    const part = { type: 'input_text', text: 'write to ada@example.org' }
    const item = { type: 'message', role: 'user', content: [part] }
    client.send(JSON.stringify({ type: 'conversation.item.create', item }))
    t.notMatch(await next(), /ada@example/, path)
    t.equal(upstream.asked.at(-1)?.url, '/v1/realtime?model=gpt-4o')
    client.terminate()
  }
  t.equal((await refusalOf(open(gateway, '/opaque/?model=gpt-4o'))).status, 403, 'written otherwise')
})

t.test('an operation with an adapter is not asked for over a WebSocket', async (t) => {
  const upstream = await socketUpstream()
  const gateway = await startGateway(policy(upstream.url))
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  for (const path of ['/v1/responses', '/v1/responses/', '/V1/Responses', '/responses', '/v1/chat/completions'])
    t.equal((await refusalOf(open(gateway, `/opaque${path}`))).status, 403, path)
  t.equal(upstream.asked.length, 0)
  const other = open(gateway, '/opaque/v1/something')
  await once(other, 'open')
  t.pass('what none knows passes as before')
  other.terminate()
})

function policy(url: string): string {
  return `
upstreams: { model: { protocol: openai, url: '${url}' } }
routes:
  - { id: inspected, path: /inspected, upstream: model, websocket: true }
  - { id: opaque, path: /opaque, upstream: model, posture: opaque }
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
rules: [{ id: no-deletions, effect: deny, actions: [tool.call], tools: ['delete_*'] }]
redaction: [{ id: emails, direction: request, detect: [email], action: mask }]
`
}

function open(gateway: TestGateway, path: string): Client {
  const client = new Client(gateway.url.replace('http', 'ws') + path)
  client.on('error', () => {})
  return client
}

const outcomes = (gateway: TestGateway, count: number) => untilOutcomes(gateway.auditDir, count)
