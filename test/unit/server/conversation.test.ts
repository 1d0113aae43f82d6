// WebSockets that an adapter reads: OpenAI's realtime conversations through real sockets, judged and redacted message by
// message in both directions.
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { WebSocket } from 'ws'
import { parse } from 'yaml'
import {
  agentKey,
  closing,
  inbox,
  openSocketWorld,
  refusalOf,
  upstreamKey,
  type SocketWorld,
} from '../../support/socket-world.ts'

const rules = `
redaction:
  - { id: cards, direction: request, detect: [payment-card], action: block }
  - { id: mail-out, direction: request, detect: [email], action: token }
  - { id: phones-back, direction: response, detect: [phone], action: mask }
`
type Talk = {
  readonly world: SocketWorld
  readonly client: WebSocket
  readonly server: WebSocket
  /** The next event at either end. */
  readonly atClient: () => Promise<Event>
  readonly atServer: () => Promise<Event>
  readonly say: (event: object) => void
  readonly answer: (event: object) => void
}
type Event = { readonly type: string; readonly [member: string]: unknown }

async function begin(t: Test, { extra = '', path = '/models/v1/realtime?model=gpt-realtime' } = {}): Promise<Talk> {
  const world = await openSocketWorld(extra)
  t.teardown(() => world.close())
  const accepted = new Promise<WebSocket>((resolve) => {
    world.upstream.onSocket = resolve
  })
  const client = world.open(path)
  const atClient = inbox(client)
  const server = await accepted
  const atServer = inbox(server)
  await once(client, 'open')
  const parsed = async (text: Promise<string>): Promise<Event> => JSON.parse(await text) as Event
  return {
    world,
    client,
    server,
    atClient: () => parsed(atClient()),
    atServer: () => parsed(atServer()),
    say: (event) => client.send(JSON.stringify(event)),
    answer: (event) => server.send(JSON.stringify(event)),
  }
}

function userSays(text: string): object {
  return {
    type: 'conversation.item.create',
    event_id: 'evt_1',
    item: { type: 'message', role: 'user', content: [{ type: 'input_text', text }] },
  }
}

/** A response with one message in it, up to where its text begins. */
function openMessage({ answer }: Talk): { readonly response_id: string; readonly item_id: string } {
  const item = {
    object: 'realtime.item',
    id: 'i',
    type: 'message',
    status: 'in_progress',
    role: 'assistant',
    content: [],
  }
  const at = { response_id: 'r', output_index: 0 }
  answer({
    type: 'response.created',
    response: { object: 'realtime.response', id: 'r', status: 'in_progress', output: [] },
  })
  answer({ type: 'response.output_item.added', ...at, item })
  answer({ type: 'conversation.item.added', previous_item_id: null, item })
  answer({
    type: 'response.content_part.added',
    ...at,
    item_id: 'i',
    content_index: 0,
    part: { type: 'text', text: '' },
  })
  return { response_id: 'r', item_id: 'i' }
}

async function skip({ atClient }: Talk, type: string): Promise<void> {
  while ((await atClient()).type !== type);
}

t.test('what nobody minds passes as it is, both ways', async (t) => {
  const talk = await begin(t)
  talk.say(userSays('Hello.'))
  t.same(await talk.atServer(), userSays('Hello.'))
  talk.say({ type: 'response.create' })
  t.same(await talk.atServer(), { type: 'response.create' })
  const done = {
    type: 'response.output_text.done',
    event_id: 'event_1',
    ...openMessage(talk),
    output_index: 0,
    content_index: 0,
    text: 'Hi.',
  }
  talk.answer({ ...done, type: 'response.output_text.delta', text: undefined, delta: 'Hi.' })
  talk.answer(done)
  await skip(talk, 'response.output_text.delta')
  t.same(await talk.atClient(), done)
  const [asked] = talk.world.upstream.asked
  t.equal(asked?.url, '/v1/realtime?model=gpt-realtime')
  t.equal(asked?.headers.authorization, `Bearer ${upstreamKey}`)
  t.equal(asked?.headers['sec-websocket-extensions'], undefined)
  talk.client.close(1000)
  await closing(talk.server)
  const [outcome] = await talk.world.outcomes(1)
  t.match(outcome, {
    status: 101,
    end: 'complete',
    operation: 'realtime',
    model: 'gpt-realtime',
    messages: { up: 2, down: 6 },
  })
})

t.test('text of the client is redacted, and blocked in-band', async (t) => {
  const talk = await begin(t, { extra: rules })
  talk.say(userSays('I am ada@example.org.'))
  const said = JSON.stringify(await talk.atServer())
  t.notMatch(said, 'ada@example.org')
  const token = /I am ([^ ]+)\./.exec(said)?.[1] ?? ''
  talk.say(userSays('My card is 4111 1111 1111 1111.'))
  const refused = await talk.atClient()
  t.match(refused, { type: 'error', error: { code: /./, event_id: 'evt_1' } })
  t.match(JSON.stringify(refused), /cards/)
  // The conversation goes on, and the token is restored on its way back although it comes in pieces.
  const piece = { type: 'response.output_text.delta', ...openMessage(talk), output_index: 0, content_index: 0 }
  talk.answer({ ...piece, delta: `You are ${token.slice(0, 4)}` })
  talk.answer({ ...piece, delta: `${token.slice(4)}, and your phone is +44 20 79` })
  talk.answer({ ...piece, delta: '46 0958, is it not?' })
  talk.answer({
    ...piece,
    type: 'response.output_text.done',
    text: `You are ${token}, and your phone is +44 20 7946 0958, is it not?`,
  })
  let text = ''
  for (;;) {
    const event = await talk.atClient()
    if (event.type === 'response.output_text.done') {
      t.equal(event['text'], text)
      break
    }
    if (typeof event['delta'] === 'string') text += event['delta']
  }
  t.match(text, /You are ada@example\.org, and your phone is /)
  t.notMatch(text, /7946/)
  talk.client.close()
  const [outcome] = await talk.world.outcomes(1)
  t.match(outcome, {
    decision: 'deny',
    refusals: [{ type: 'conversation.item.create', fault: 'content-blocked', rule: 'cards' }],
  })
})

t.test('an earlier call that the client tells of is none of the model’s, redacted or not', async (t) => {
  const talk = await begin(t, { extra: rules })
  const call = { type: 'function_call', call_id: 'c1', name: 'delete_mail', status: 'completed' }
  for (const text of ['{"to":"nobody"}', '{"to":"ada@example.org"}']) {
    talk.say({ type: 'conversation.item.create', item: { ...call, arguments: text } })
    const { item } = await talk.atServer()
    t.equal((item as { arguments: string }).arguments === text, !text.includes('@'))
    talk.answer({
      type: 'conversation.item.added',
      item: { ...(item as object), id: 'item_1', object: 'realtime.item' },
    })
    t.match(await talk.atClient(), { item: { ...call, arguments: text } })
  }
  talk.say({ type: 'conversation.item.create', item: { ...call, arguments: '{"card":"4111111111111111"}' } })
  t.match(await talk.atClient(), { type: 'error' })
  talk.answer({
    type: 'conversation.item.added',
    item: { ...call, id: 'item_2', object: 'realtime.item', arguments: '{"card":"4111111111111111"}' },
  })
  t.match(await talk.atClient(), { item: { type: 'message' } }, 'what was refused is no history')
  talk.client.close(1000)
  const [record] = await talk.world.outcomes(1)
  t.match(record, { answerDecisions: [{ effect: 'deny', tool: 'delete_mail' }] })
  t.equal((record?.['answerDecisions'] as unknown[] | undefined)?.length, 1)
})

t.test('tools that may never be called are not offered, and their calls do not come back', async (t) => {
  const talk = await begin(t)
  talk.say({
    type: 'session.update',
    session: {
      type: 'realtime',
      tools: ['look_up', 'delete_all'].map((name) => ({ type: 'function', name, parameters: { type: 'object' } })),
    },
  })
  const updated = await talk.atServer()
  t.match(JSON.stringify(updated), 'look_up')
  t.notMatch(JSON.stringify(updated), 'delete_all')
  const at = { response_id: 'r', item_id: 'i', output_index: 0, call_id: 'c' }
  const item = { object: 'realtime.item', id: 'i', type: 'function_call', call_id: 'c', name: 'delete_all' }
  talk.answer({
    type: 'response.created',
    response: { id: 'r', object: 'realtime.response', status: 'in_progress', output: [] },
  })
  talk.answer({ type: 'response.output_item.added', ...at, item: { ...item, status: 'in_progress', arguments: '' } })
  talk.answer({ type: 'response.function_call_arguments.delta', ...at, delta: '{"every' })
  talk.answer({ type: 'response.function_call_arguments.delta', ...at, delta: 'thing":true}' })
  talk.answer({
    type: 'response.function_call_arguments.done',
    ...at,
    name: 'delete_all',
    arguments: '{"everything":true}',
  })
  talk.answer({
    type: 'response.output_item.done',
    ...at,
    item: { ...item, status: 'completed', arguments: '{"everything":true}' },
  })
  talk.answer({
    type: 'response.done',
    response: {
      id: 'r',
      object: 'realtime.response',
      status: 'completed',
      output: [{ ...item, status: 'completed', arguments: '{"everything":true}' }],
    },
  })
  let seen = ''
  for (;;) {
    const event = await talk.atClient()
    seen += `${JSON.stringify(event)}\n`
    if (event.type === 'response.done') break
  }
  t.notMatch(seen, 'function_call')
  t.notMatch(seen, 'everything')
  t.match(seen, 'Gatewright denied the tool call delete_all')
  talk.client.close()
  const [outcome] = await talk.world.outcomes(1)
  t.match(outcome, { decision: 'deny', answerDecisions: [{ tool: 'delete_all', effect: 'deny' }] })
  t.match(await talk.world.metrics(), /policy_decisions_total\{rule="[^"]*",effect="deny"/)
})

t.test('a model that may not be used is refused, in the address and in an event', async (t) => {
  const talk = await begin(t, { path: '/models/v1/realtime?model=gpt-realtime' })
  t.match(await refusalOf(talk.world.open('/models/v1/realtime?model=forbidden-one')), {
    status: 403,
    body: /no-such-model/,
  })
  t.match(await refusalOf(talk.world.open('/models/v1/elsewhere')), {
    status: 403,
    body: /operation-unsupported|adapter/,
  })
  const input = { transcription: { model: 'forbidden-one' } }
  talk.say({ type: 'session.update', event_id: 'evt_9', session: { type: 'realtime', audio: { input } } })
  t.match(await talk.atClient(), { type: 'error', error: { event_id: 'evt_9' } })
  talk.client.send('{"type":"response.create","type":"response.cancel"}')
  t.match(await talk.atClient(), { type: 'error' })
  talk.say({ type: 'never.heard.of', event_id: 'evt_10' })
  t.match(await talk.atClient(), { type: 'error', error: { event_id: 'evt_10' } })
  talk.say({ type: 'input_audio_buffer.append', audio: 'UklGRiQAAABXQVZF' })
  t.match(await talk.atServer(), { type: 'input_audio_buffer.append' })
  talk.client.close()
  const denials = /policy_decisions_total\{rule="no-such-model",effect="deny",mode="enforce"\} 2\n/
  const outcome = (await talk.world.outcomes(3)).find(({ status }) => status === 101)
  t.match(outcome, { uninspected: ['request:audio'], messages: { up: 1, down: 0 } })
  t.match(outcome?.['decisions'], [{ effect: 'allow' }, { effect: 'allow' }, { effect: 'deny' }])
  t.match(await talk.world.metrics(), denials)
})

t.test('a binary message ends the conversation with 1003', async (t) => {
  const talk = await begin(t)
  const closed = closing(talk.client)
  talk.client.send(Buffer.from([1, 2, 3]))
  t.equal((await closed).code, 1003)
})

t.test('a key among the subprotocols is the agent’s, and goes no further', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  const offered = ['realtime', `openai-insecure-api-key.${agentKey}`, 'openai-organization.org_1']
  const socket = world.open('/models/v1/realtime?model=gpt-realtime', { headers: { authorization: '' } }, offered)
  await once(socket, 'open')
  t.equal(socket.protocol, 'realtime')
  const [asked] = world.upstream.asked
  t.equal(asked?.headers['sec-websocket-protocol'], 'realtime')
  t.notMatch(JSON.stringify(asked?.rawHeaders), agentKey)
})

t.test('an answer of the model counts like a request', async (t) => {
  const limits = 'limits:\n  - { id: few, by: [principal], requests: 2/m, concurrency: 1 }\n'
  t.ok(parse(limits))
  const talk = await begin(t, { extra: limits })
  talk.say({ type: 'response.create' })
  t.match(await talk.atServer(), { type: 'response.create' })
  talk.say({ type: 'response.create', event_id: 'evt_3' })
  t.match(await talk.atClient(), { type: 'error', error: { code: 'rate_limit_exceeded', event_id: 'evt_3' } })
})

t.test('what the server may not say ends the conversation, and says why', async (t) => {
  const extra = 'redaction:\n  - { id: no-cards, direction: response, detect: [payment-card], action: block }\n'
  const talk = await begin(t, { extra })
  const closed = closing(talk.client)
  const piece = { type: 'response.output_text.delta', ...openMessage(talk), output_index: 0, content_index: 0 }
  talk.answer({ ...piece, delta: 'The card is 4111 11' })
  talk.answer({ ...piece, delta: '11 1111 1111, said he.' })
  let seen = ''
  for (;;) {
    const event = await talk.atClient()
    seen += JSON.stringify(event)
    if (event.type === 'error') break
  }
  t.notMatch(seen, '1111')
  t.match(seen, 'no-cards')
  t.equal((await closed).code, 1008)
  t.match((await talk.world.outcomes(1))[0], { fault: 'content-blocked', rule: 'no-cards', end: 'broken-off' })
})

t.test('what nobody knows to read is not passed on by either side', async (t) => {
  const talk = await begin(t)
  const closed = closing(talk.client)
  talk.answer({ type: 'response.whispers', text: 'psst' })
  t.match(await talk.atClient(), { type: 'error', error: { code: 'upstream-invalid' } })
  t.equal((await closed).code, 1014)
  t.match((await talk.world.outcomes(1))[0], { fault: 'upstream-invalid', messages: { up: 0, down: 0 } })
})

t.test('an error that the server reports is passed on, and is nobody’s failure', async (t) => {
  const talk = await begin(t)
  talk.answer({
    type: 'error',
    event_id: 'event_1',
    error: { type: 'invalid_request_error', message: 'No such item.' },
  })
  t.match(await talk.atClient(), { type: 'error', error: { message: 'No such item.' } })
  talk.client.close(1000)
  t.match((await talk.world.outcomes(1))[0], { end: 'complete' })
})

t.test('what the server tells of its credential is starred out, to the last word', async (t) => {
  const { world, client, server, answer, atClient } = await begin(t)
  const stars = '*'.repeat(upstreamKey.length)
  answer({ type: 'error', error: { type: 'invalid_request_error', message: `Incorrect API key: ${upstreamKey}` } })
  t.match(await atClient(), { type: 'error', error: { message: `Incorrect API key: ${stars}` } })
  const closed = closing(client)
  server.close(3000, `wrong key ${upstreamKey}`)
  t.match(await closed, { code: 3000, reason: `wrong key ${stars}` })
  await world.outcomes(1)
  t.notOk(JSON.stringify(world.gateway.logged).includes(upstreamKey))
})
