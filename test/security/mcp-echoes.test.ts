// What a server writes and a client sends back as it is, by itself: a token that stands there must come back as a token, or
// a server that was sent one would be told what it stands for.
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { scriptedUpstream } from '../support/scripted-upstream.ts'

const server = await scriptedUpstream()
const gateway = await startGateway(`
upstreams: { m: { protocol: mcp, url: '${server.url}/mcp' } }
routes: [{ id: m, path: /mcp, upstream: m }]
principals: [{ id: agent, keys: [{ sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 }] }]
defaultEffect: allow
redaction: [{ id: out, direction: request, detect: [pii], action: token, restore: [response.text] }]
`)
t.teardown(async () => {
  await gateway.close()
  await server.close()
})

const card = '4111111111111111'

/** Of a call with the card in it: what the client gets of an answer that the server makes of the token. */
async function answerOf(id: string, answer: (token: string, id: string) => string): Promise<string> {
  server.next(async (scene) => {
    const body = scene.request.body.toString()
    const token = /PAYMENT_CARD_\w{10}/.exec(body)?.[0] ?? ''
    const text = answer(token, (JSON.parse(body) as { id: string }).id)
    await scene.write(
      `HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
    )
  })
  const answered = await fetch(`${gateway.url}/mcp`, {
    method: 'POST',
    headers: { authorization: 'Bearer test', 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'pay', arguments: { card } } }),
  })
  return answered.text()
}

const message = (members: object): string => `data: ${JSON.stringify({ jsonrpc: '2.0', ...members })}\n\n`
const long = 'x'.repeat(110)

t.test('a place to resume from', async (t) => {
  const text = await answerOf('1', (token, id) => `id: ${token}\n${message({ id, result: { content: [] } })}`)
  const place = /^id: (.*)$/m.exec(text)?.[1] ?? ''
  t.match(place, /^PAYMENT_CARD_\w{10}\./)
  server.next('HTTP/1.1 405 X\r\ncontent-length: 0\r\n\r\n')
  await fetch(`${gateway.url}/mcp`, { headers: { authorization: 'Bearer test', 'last-event-id': place } })
  t.match(server.requests.at(-1)?.header('last-event-id'), /^PAYMENT_CARD_\w{10}$/)
})

t.test('what a server makes up to know it again', async (t) => {
  const rows: [string, (token: string) => object][] = [
    ['the id of a request', (token) => ({ id: `${long}/${token}`, method: 'ping' })],
    [
      'its progress',
      (token) => ({ id: 's', method: 'ping', params: { _meta: { progressToken: `${long}/${token}` } } }),
    ],
    ['a task', (token) => ({ method: 'notifications/tasks', params: { taskId: `${long}/${token}` } })],
    ['a page', (token) => ({ id: '1', result: { tools: [], nextCursor: `! ${token}` } })],
    ['a state', (token) => ({ id: '1', result: { requestState: `! ${token}` } })],
  ]
  for (const [about, members] of rows) {
    const text = await answerOf('1', (token) => message(members(token)))
    t.match(text, /PAYMENT_CARD_\w{10}/, about)
    t.notMatch(text, card, about)
  }
})

t.test('what the client made up comes back as it was', async (t) => {
  const id = `payment of ${card}`
  const text = await answerOf(id, (token, sent) => {
    t.notMatch(sent, card)
    return message({ id: sent, result: { content: [{ type: 'text', text: token }] } })
  })
  t.match(text, `"id":${JSON.stringify(id)}`)
  t.match(text, JSON.stringify({ type: 'text', text: card }))
})
