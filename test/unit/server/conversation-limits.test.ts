// What realtime conversations take of limits: each answer is reserved for before it is asked for, put right by what it used,
// and stopped where the server began it by itself and there is no room.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import t, { type Test } from 'tap'
import type { WebSocket } from 'ws'
import type { AuditLine } from '../../support/audit-lines.ts'
import { inbox, openSocketWorld } from '../../support/socket-world.ts'

type Event = { readonly type: string; readonly [member: string]: unknown }
type Talk = {
  readonly atClient: () => Promise<Event>
  readonly atServer: () => Promise<Event>
  readonly say: (event: object) => void
  readonly answer: (event: object) => void
  /** The record. */
  readonly leave: () => Promise<AuditLine | undefined>
  /** Of the limit, as the handshake told it. */
  readonly left: number
}

/** Opens conversations, one after the other. */
async function opener(t: Test, limit: string): Promise<() => Promise<Talk>> {
  const world = await openSocketWorld(`limits: [${limit}]`)
  t.teardown(() => world.close())
  let left = 0
  return async () => {
    const accepted = new Promise<WebSocket>((resolve) => {
      world.upstream.onSocket = resolve
    })
    const client = world.open('/models/v1/realtime?model=gpt-realtime')
    const told = once(client, 'upgrade') as Promise<[IncomingMessage]>
    const atClient = inbox(client)
    const server = await accepted
    const atServer = inbox(server)
    const [{ headers }] = await told
    const parsed = async (text: Promise<string>): Promise<Event> => JSON.parse(await text) as Event
    return {
      atClient: () => parsed(atClient()),
      atServer: () => parsed(atServer()),
      say: (event) => client.send(JSON.stringify(event)),
      answer: (event) => server.send(JSON.stringify(event)),
      leave: async () => {
        client.close(1000)
        // What it used is settled before it is on the record.
        return (await world.outcomes((left += 1))).at(-1)
      },
      left: Number(/;r=(\d+)/.exec(String(headers['ratelimit']))?.[1]),
    }
  }
}

const created = (id: string, more: object = {}): object => ({
  type: 'response.created',
  response: { object: 'realtime.response', id, status: 'in_progress', output: [], ...more },
})
const done = (id: string, input: number, output: number): object => ({
  type: 'response.done',
  response: {
    object: 'realtime.response',
    id,
    status: 'completed',
    output: [],
    usage: { total_tokens: input + output, input_tokens: input, output_tokens: output },
  },
})
const tokens = '{ id: tokens, by: [principal], tokens: 1000/d, assumedTokens: 400 }'

t.test('answers are reserved for and put right one by one', async (t) => {
  const open = await opener(t, tokens)
  const talk = await open()
  t.equal(talk.left, 1000)
  const { say, answer, atClient, atServer } = talk
  for (let n = 0; n < 2; n += 1) {
    say({ type: 'response.create' })
    t.same(await atServer(), { type: 'response.create' }, 'no limit says how long')
  }
  say({ type: 'response.create', event_id: 'third' })
  t.match(await atClient(), { type: 'error', error: { event_id: 'third', message: /limit tokens/ } })
  answer(created('a'))
  answer(created('b'))
  answer(done('b', 30, 20))
  t.match([await atClient(), await atClient(), await atClient()], [{}, {}, { type: 'response.done' }])
  // 50 were used, 400 are reserved, and 450 are: what was said so far is what the next one reads.
  say({ type: 'response.create' })
  t.same(await atServer(), { type: 'response.create' })
  answer(done('a', 10, 10))
  answer(created('c'))
  answer(done('c', 60, 40))
  answer({
    type: 'conversation.item.input_audio_transcription.completed',
    item_id: 'i',
    content_index: 0,
    transcript: 'x',
    usage: { type: 'tokens', total_tokens: 7, input_tokens: 5, output_tokens: 2 },
  })
  for (let n = 0; n < 4; n += 1) await atClient()
  await talk.leave()
  t.equal((await open()).left, 1000 - 50 - 20 - 100 - 7, 'all that the provider said, and no more')
})

t.test('an answer that is cut off keeps what was reserved for it, one that was refused does not', async (t) => {
  const open = await opener(t, tokens)
  const talk = await open()
  const { say, answer, atClient, atServer } = talk
  for (const event_id of ['one', 'two', undefined]) {
    say({ type: 'response.create', event_id, response: { max_output_tokens: 100 } })
    await atServer()
  }
  answer({ type: 'error', error: { type: 'invalid_request_error', message: 'no', event_id: 'one' } })
  answer({ type: 'error', error: { type: 'invalid_request_error', message: 'no', event_id: null } })
  answer(created('a'))
  for (let n = 0; n < 3; n += 1) await atClient()
  await talk.leave()
  t.equal((await open()).left, 900)
})

t.test('what the server begins by itself is stopped where there is no room', async (t) => {
  const open = await opener(t, `${tokens}, { id: answers, by: [principal], requests: 4/h }`)
  const talk = await open()
  const { answer, atClient, atServer } = talk
  answer(created('a', { max_output_tokens: 600 }))
  t.match(await atClient(), { type: 'response.created' })
  answer(created('b', { max_output_tokens: 'inf' }))
  t.match(await atClient(), { type: 'response.created' })
  answer(created('c'))
  t.match([await atClient(), await atClient()], [{ type: 'response.created' }, { type: 'error' }])
  t.same(await atServer(), { type: 'response.cancel', response_id: 'c' })
  answer({ ...done('c', 3, 4) })
  answer(done('a', 10, 10))
  answer(done('b', 10, 10))
  for (let n = 0; n < 3; n += 1) await atClient()
  answer(created('d'))
  t.match(await atClient(), { type: 'response.created' })
  // One for the conversation, and one for each answer but the one that was refused.
  answer(created('e'))
  t.match([await atClient(), await atClient()], [{}, { error: { message: /limit answers/ } }])
  t.same(await atServer(), { type: 'response.cancel', response_id: 'e' })
})

t.test('an answer is no longer than a limit says', async (t) => {
  const open = await opener(t, '{ id: tokens, by: [principal], tokens: 9000/d, maxTokens: 300 }')
  const { say, answer, atClient, atServer } = await open()
  const sent = async (response?: object): Promise<unknown> => {
    say({ type: 'response.create', ...(response === undefined ? {} : { response }) })
    return (await atServer())['response']
  }
  t.same(await sent(), { max_output_tokens: 300 })
  t.same(await sent({ max_output_tokens: 'inf' }), { max_output_tokens: 300 })
  t.same(await sent({ max_output_tokens: 200 }), { max_output_tokens: 200 })
  answer({ type: 'session.updated', session: { type: 'realtime', max_output_tokens: 100 } })
  await atClient()
  t.same(await sent({ instructions: 'Be brief.' }), { instructions: 'Be brief.', max_output_tokens: 100 })
  t.same(await sent({ max_output_tokens: 5000 }), { max_output_tokens: 300 })
})

t.test('the record says once what each answer met', async (t) => {
  const open = await opener(t, '{ id: watched, by: [principal], requests: 1/h, mode: shadow }')
  const { say, atServer, leave } = await open()
  for (let n = 0; n < 3; n += 1) {
    say({ type: 'response.create' })
    await atServer()
  }
  t.same((await leave())?.['limitsExceeded'], ['watched'])
})
