// The OpenAI SDK's realtime clients in front of the proxy: the one over `ws`, and the one of browsers, whose key stands
// among the subprotocols.
import { connect, type Socket } from 'node:net'
import OpenAI from 'openai'
import type { RealtimeClientEvent } from 'openai/resources/realtime/realtime'
import { OpenAIRealtimeWebSocket } from 'openai/realtime/websocket'
import { OpenAIRealtimeWS } from 'openai/realtime/ws'
import t, { type Test } from 'tap'
import type { WebSocket } from 'ws'
import { agentKey, openSocketWorld, upstreamKey, type SocketWorld } from '../support/socket-world.ts'

const redaction = `
redaction:
  - { id: mail-out, direction: request, detect: [email], action: token }
  - { id: cards, direction: request, detect: [payment-card], action: block }
`

// Both insist on wss, and this listener leaves TLS to what stands before it: here to nobody.
const plain = (): Socket => connect(port, '127.0.0.1')
let port = 0
const BrowserSocket = globalThis.WebSocket
globalThis.WebSocket = class extends BrowserSocket {
  constructor(url: string | URL, protocols?: ConstructorParameters<typeof BrowserSocket>[1]) {
    super(String(url).replace(/^wss:/, 'ws:'), protocols)
  }
}

const clients = {
  ws: (client: OpenAI) => new OpenAIRealtimeWS({ model: 'gpt-realtime', options: { createConnection: plain } }, client),
  browser: (client: OpenAI) =>
    new OpenAIRealtimeWebSocket({ model: 'gpt-realtime', dangerouslyAllowBrowser: true }, client),
}

for (const [name, open] of Object.entries(clients)) {
  t.test(`${name}: says, is answered, and hears why something was refused`, async (t) => {
    const world = await realtimeWorld(t)
    const client = open(new OpenAI({ apiKey: agentKey, baseURL: `${world.gateway.url}/models/v1`, maxRetries: 0 }))
    const created = new Promise<string | undefined>((resolve) => {
      client.on('session.created', ({ session }) => resolve('model' in session ? session.model : undefined))
    })
    t.equal(await created, 'gpt-realtime')
    let text = ''
    client.on('response.output_text.delta', ({ delta }) => void (text += delta))
    const done = new Promise<void>((resolve) => void client.on('response.done', () => resolve()))
    client.send(message('Write to ada@example.org.'))
    client.send({ type: 'response.create' })
    await done
    t.equal(text, 'Write to ada@example.org.')
    t.notMatch(world.heard.join(''), 'ada@example.org')
    const failed = new Promise<Error>((resolve) => void client.on('error', resolve))
    client.send(message('4111 1111 1111 1111'))
    t.match((await failed).message, /cards|payment-card/)
    t.notMatch(world.heard.join(''), '4111')
    const [asked] = world.upstream.asked
    t.equal(asked?.headers.authorization, `Bearer ${upstreamKey}`)
    t.notMatch(JSON.stringify(asked?.rawHeaders), agentKey)
    client.close()
    t.match((await world.outcomes(1))[0], { status: 101, end: 'complete' })
  })

  t.test(`${name}: a wrong key is an error of the SDK`, async (t) => {
    const world = await realtimeWorld(t)
    const client = open(new OpenAI({ apiKey: 'gw_wrong', baseURL: `${world.gateway.url}/models/v1`, maxRetries: 0 }))
    const failed = new Promise<Error>((resolve) => void client.on('error', resolve))
    t.ok((await failed) instanceof OpenAI.OpenAIError)
    t.equal(world.upstream.asked.length, 0)
  })
}

function message(text: string): RealtimeClientEvent {
  return {
    type: 'conversation.item.create',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  }
}

/** Its model says what it was told, word by word. */
async function realtimeWorld(t: Test): Promise<SocketWorld & { readonly heard: string[] }> {
  const world = await openSocketWorld(redaction)
  t.teardown(() => world.close())
  port = world.port
  const heard: string[] = []
  world.upstream.onSocket = (socket) => {
    let last = ''
    say(socket, {
      type: 'session.created',
      session: { type: 'realtime', object: 'realtime.session', id: 's', model: 'gpt-realtime' },
    })
    socket.on('message', (data: Buffer) => {
      heard.push(data.toString())
      const event = JSON.parse(data.toString()) as { type: string; item?: { content: { text: string }[] } }
      last = event.item?.content[0]?.text ?? last
      if (event.type === 'response.create') answer(socket, last)
    })
  }
  return { ...world, heard }
}

function answer(socket: WebSocket, text: string): void {
  const part = { response_id: 'r', item_id: 'i', output_index: 0, content_index: 0 }
  const item = { object: 'realtime.item', id: 'i', type: 'message', role: 'assistant' }
  const done = { ...item, status: 'completed', content: [{ type: 'output_text', text }] }
  const response = { object: 'realtime.response', id: 'r' }
  say(socket, { type: 'response.created', response: { ...response, status: 'in_progress', output: [] } })
  say(socket, {
    type: 'response.output_item.added',
    response_id: 'r',
    output_index: 0,
    item: { ...item, status: 'in_progress', content: [] },
  })
  say(socket, { type: 'response.content_part.added', ...part, part: { type: 'text', text: '' } })
  for (const delta of text.match(/.{1,5}/g) ?? []) say(socket, { type: 'response.output_text.delta', ...part, delta })
  say(socket, { type: 'response.output_text.done', ...part, text })
  say(socket, { type: 'response.content_part.done', ...part, part: { type: 'text', text } })
  say(socket, { type: 'response.output_item.done', response_id: 'r', output_index: 0, item: done })
  say(socket, {
    type: 'response.done',
    response: {
      ...response,
      status: 'completed',
      output: [done],
      usage: { total_tokens: 3, input_tokens: 1, output_tokens: 2 },
    },
  })
}

function say(socket: WebSocket, event: object): void {
  socket.send(JSON.stringify({ event_id: 'event_1', ...event }))
}
