import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { StreamStep } from '../../../proxy/protocol/protocol.ts'
import { messageLine, messagesOf } from '../../../proxy/protocol/socket.ts'
import type { ClientReading, SocketOperation, SocketReader } from '../../../proxy/protocol/socket.ts'
import { feed } from './golden.ts'

function operationAt(path = '/v1/realtime', query = 'model=gpt-realtime-2'): SocketOperation {
  const found = openaiProtocol.resolveSocket?.(path, query)
  if (found?.ok !== true) throw new Error('no conversation')
  return found.operation
}

function whyNot(query: string): string | undefined {
  const found = openaiProtocol.resolveSocket?.('/v1/realtime', query)
  return found?.ok === false ? found.message : undefined
}

function said(event: unknown, reader: SocketReader = operationAt().openSocket()): ClientReading {
  return reader.readClient(typeof event === 'string' ? event : JSON.stringify(event))
}

t.test('addresses of conversations', async (t) => {
  for (const [path, query, upstream, model] of [
    ['/v1/realtime', 'model=gpt-realtime-2', '/v1/realtime', 'gpt-realtime-2'],
    ['/realtime', 'model=gpt-realtime-2', '/v1/realtime', 'gpt-realtime-2'],
    ['/v1/v1/realtime', '', '/v1/realtime', undefined],
    [
      '/v1/realtime/translations',
      'model=gpt-realtime-translate',
      '/v1/realtime/translations',
      'gpt-realtime-translate',
    ],
    ['/openai/v1/realtime', 'model=mine', '/openai/v1/realtime', 'mine'],
    ['/openai/realtime', 'api-version=2025-04-01-preview&deployment=mine', '/openai/realtime', 'mine'],
    ['/realtime', 'api-version=2025-04-01-preview&deployment=mine', '/realtime', 'mine'],
    ['/v1/realtime', 'intent=transcription', '/v1/realtime', undefined],
  ] as const) {
    const operation = operationAt(path, query)
    t.equal(operation.path, upstream, `${path}?${query}`)
    t.equal(operation.content.model, model)
    t.same(operation.content.uninspected, [])
  }
  t.same(operationAt('/v1/realtime', 'call_id=rtc_1').content.uninspected, ['history'])
  t.same(operationAt().subprotocols.forwarded, ['realtime', 'openai-beta.realtime-v1'])
  t.equal(operationAt().subprotocols.keyInSubprotocol, 'openai-insecure-api-key.')
})

t.test('addresses that mean more than one thing, or none', async (t) => {
  t.match(whyNot('model=a&model=b'), 'twice')
  t.match(whyNot('model=a&Model=b'), 'twice')
  t.match(whyNot('model=a&deployment=b'), 'two models')
  t.match(whyNot('model=ada%40example.org%20said'), 'not acceptable')
  t.match(whyNot('model='), 'not acceptable')
  t.match(whyNot('model=a;model=b'), 'semicolon')
  for (const path of ['/v1/realtime/calls', '/v1/realtimes', '/v1/chat/completions', '/openai/deployments/d/realtime'])
    t.equal(openaiProtocol.resolveSocket?.(path, 'model=a'), undefined, path)
})

t.test('without an upgrade nothing of it is served, and it says why', async (t) => {
  for (const [method, path, why] of [
    ['GET', '/v1/realtime', 'upgrade'],
    ['GET', '/v1/realtime/translations', 'upgrade'],
    ['POST', '/v1/realtime/client_secrets', 'past the gateway'],
    ['POST', '/v1/realtime/translations/client_secrets', 'past the gateway'],
    ['POST', '/v1/realtime/sessions', 'past the gateway'],
    ['POST', '/v1/realtime/transcription_sessions', 'past the gateway'],
    ['POST', '/v1/realtime/calls', 'WebSocket'],
    ['POST', '/v1/realtime/calls/rtc_1/accept', 'WebSocket'],
  ] as const) {
    t.equal(openaiProtocol.resolve(method, path), undefined)
    t.match(openaiProtocol.whyUnserved?.(method, path), why)
  }
})

t.test('client events that have no single meaning', async (t) => {
  for (const [event, why] of [
    ['no JSON', 'not acceptable JSON'],
    ['{"type":"response.create","type":"session.update"}', 'not acceptable JSON'],
    [[], 'no type'],
    [{ type: 7 }, 'no type'],
    [{ type: 'conversation.forget' }, 'no adapter'],
    [{ type: 'session.update' }, 'session is missing'],
    [{ type: 'session.update', session: 'a' }, 'must be object'],
    [{ type: 'session.update', session: { tools: {} } }, 'must be array'],
    [{ type: 'session.update', session: { model: 'gpt-other' } }, 'another than the address'],
    [{ type: 'conversation.item.create' }, 'item is missing'],
    [{ type: 'conversation.item.create', item: { type: 'message', content: 'a' } }, 'must be array'],
    [{ type: 'response.create', response: { input: ['a'] } }, 'must be an object'],
    [{ type: 'response.create', response: { tools: [{}] } }, 'has no name'],
    [{ type: 'response.create', event_id: 7 }, 'must be string'],
  ] as const) {
    const reading = said(event)
    t.match(reading, { ok: false })
    t.match(reading.ok ? '' : reading.message, why)
  }
  t.match(said({ type: 'conversation.forget', event_id: 'e1' }), { ok: false, eventId: 'e1' })
})

t.test('every model that an event asks for', async (t) => {
  const transcription = (model: string): Json => ({ audio: { input: { transcription: { model } } } })
  const reader = operationAt('/v1/realtime', '').openSocket()
  t.match(said({ type: 'response.create' }, reader), { content: { model: undefined } })
  feed(reader, { type: 'session.created', session: { type: 'realtime', model: 'gpt-realtime-2' } })
  t.match(said({ type: 'response.create' }, reader), { content: { model: 'gpt-realtime-2' } }, 'as the server said')
  const settings = { type: 'session.update', session: { model: 'gpt-other', ...(transcription('ears') as object) } }
  t.match(said(settings, reader), { content: { model: 'gpt-other' }, alsoModels: ['ears'] })
  const writer = operationAt('/v1/realtime', 'intent=transcription').openSocket()
  const listening = { type: 'session.update', session: transcription('ears') }
  t.match(said(listening, writer), { content: { model: 'ears' }, alsoModels: [] })
  const both = { ...(transcription('ears') as object), input_audio_transcription: { model: 'whisper-1' } }
  t.match(said({ type: 'session.update', session: both }), { alsoModels: ['ears', 'whisper-1'] })
})

t.test('withheld tools leave their lists, and no choice speaks of them', async (t) => {
  const tool = (name: string): Json => ({ type: 'function', name })
  const after = (owner: Json, names: readonly string[], member = 'session'): Json => {
    const event = { type: member === 'session' ? 'session.update' : 'response.create', [member]: owner }
    const reading = said(event)
    if (!reading.ok) throw new Error(reading.message)
    const withheld = reading.content.tools.filter(({ name }) => names.includes(name))
    const edits = operationAt().withdrawTools(reading.value, withheld)
    return (JSON.parse(applyEdits(reading.text, edits)) as { [key: string]: Json })[member] ?? null
  }
  const two = [tool('keep'), tool('drop')]
  t.same(after({ tools: two, tool_choice: 'required' }, ['drop']), { tools: [tool('keep')], tool_choice: 'required' })
  t.same(after({ tools: two, tool_choice: tool('drop') }, ['drop']), { tools: [tool('keep')], tool_choice: 'auto' })
  t.same(after({ tools: two, tool_choice: 'required' }, ['keep', 'drop']), { tools: [], tool_choice: 'auto' })
  const mcp = { type: 'mcp', server_label: 'crm', server_url: 'https://crm.example/mcp' }
  t.same(
    after({ tools: [mcp, tool('keep')], tool_choice: { type: 'mcp', server_label: 'crm' } }, ['mcp'], 'response'),
    { tools: [tool('keep')], tool_choice: 'auto' },
  )
  t.same(after({ tools: two }, []), { tools: two })
})

t.test('a refusal is an error event that names the event refused', async (t) => {
  const reader = operationAt().openSocket()
  const fault = {
    code: 'denied',
    kind: 'denied',
    status: 403,
    message: 'No.',
    retry: { allowed: false },
    requestId: 'req_1',
    rule: 'r1',
  }
  const written = reader.refusal(fault as unknown as Parameters<SocketReader['refusal']>[0], 'evt_1')
  t.notMatch(written, '\n')
  t.match(JSON.parse(written), {
    type: 'error',
    event_id: /^event_/,
    error: {
      type: 'permission_error',
      code: 'policy_denied',
      message: 'No.',
      param: null,
      event_id: 'evt_1',
      rule: 'r1',
    },
  })
})

const call = { id: 'i1', type: 'function_call', status: 'in_progress', call_id: 'c1', name: 'look', arguments: '' }
const place = { response_id: 'r1', output_index: 0 }

t.test('the message in the place of a denied call is whole', async (t) => {
  for (const old of [false, true]) {
    const reader = operationAt().openSocket()
    const told = old ? 'conversation.item.created' : 'conversation.item.added'
    const whole = { ...call, status: 'completed', arguments: '{}' }
    const step = feed(
      reader,
      { type: 'response.output_item.added', ...place, item: call },
      { type: told, previous_item_id: 'i0', item: call },
      ...(old ? [] : [{ type: 'conversation.item.done', previous_item_id: 'i0', item: whole }]),
      { type: 'response.output_item.done', ...place, item: whole },
    )
    if (!step.ok || step.calls[0] === undefined) throw new Error('no call')
    const refused = reader.refuse?.(step.calls[0], 'Denied.')
    const events = messagesOf(refused?.opening ?? '').map((line) => JSON.parse(line) as { [key: string]: Json })
    const name = old ? 'response.text' : 'response.output_text'
    const types = [
      'response.output_item.added',
      told,
      'response.content_part.added',
      `${name}.delta`,
      `${name}.done`,
      'response.content_part.done',
      ...(old ? [] : ['conversation.item.done']),
      'response.output_item.done',
    ]
    t.same(
      events.map(({ type }) => type),
      types,
    )
    t.equal(new Set(events.map(({ event_id }) => event_id)).size, types.length)
    t.match(events[1], { previous_item_id: 'i0', item: { id: 'i1', type: 'message', content: [] } })
    t.match(events.at(-1), {
      ...place,
      item: { id: 'i1', role: 'assistant', content: [{ type: old ? 'text' : 'output_text', text: 'Denied.' }] },
    })
  }
})

t.test('server events that have no single meaning', async (t) => {
  const opened = { type: 'response.output_item.added', ...place, item: call }
  const message = { type: 'response.output_item.added', ...place, item: { id: 'i1', type: 'message', content: [] } }
  const text = { type: 'response.output_text.delta', ...place, item_id: 'i1', content_index: 0, delta: 'a' }
  const args = 'response.function_call_arguments'
  for (const [why, ...events] of [
    ['no type', {}],
    ['unknown type', { type: 'response.sung', verse: 'La la.' }],
    ['no open item', text],
    ['another item', message, { ...text, output_index: 1 }],
    ['another item', message, { ...text, response_id: 'r2' }],
    ['no index', message, { ...text, content_index: undefined }],
    ['after its end', message, { ...text, type: 'response.output_text.done', text: 'a' }, text],
    ['another kind', opened, text],
    ['begins twice', opened, opened],
    ['no id', { ...opened, item: { ...call, id: 'ada@example.org' } }],
    ['no id', { type: 'conversation.item.done', item: { ...call, id: undefined, arguments: '{}' } }],
    ['no name', { ...opened, item: { ...call, name: undefined } }],
    ['changes its name', opened, { type: `${args}.done`, ...place, item_id: 'i1', name: 'drop', arguments: '{}' }],
    ['changes its id', opened, { type: `${args}.done`, ...place, item_id: 'i1', call_id: 'c2', arguments: '{}' }],
    ['changes what it is', opened, { type: 'conversation.item.done', item: { ...call, name: 'drop' } }],
    ['changes what it is', opened, { type: 'response.output_item.done', ...place, item: { ...call, name: 'drop' } }],
    ['not open', { type: 'response.output_item.done', ...place, item: call }],
    ['a key to the provider', { type: 'session.created', session: { client_secret: { value: 'ek_1' } } }],
    ['no item', { type: 'conversation.item.input_audio_transcription.delta', item_id: '@', delta: 'a' }],
  ] as const) {
    const step: StreamStep = feed(operationAt().openSocket(), ...events)
    t.match(step.ok ? 'it was read' : step.message, why)
  }
  t.match(feed(operationAt().openSocket(), { type: 'response.hummed', event_id: 'event_1' }), { ok: true })
})

t.test('what the client says of earlier calls is no call when the server repeats it', async (t) => {
  const item = { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{"a":1}' }
  const echo = { type: 'conversation.item.added', item: { ...item, id: 'item_9', status: 'completed' } }
  const reader = operationAt().openSocket()
  const reading = said({ type: 'conversation.item.create', item }, reader)
  t.match(reading, { ok: true, content: { toolCalls: [] } })
  if (!reading.ok) return
  reader.sent(reading, reading.text)
  t.match(feed(reader, echo), { calls: [] })
  t.match(feed(reader, { ...echo, item: { ...echo.item, arguments: '{"a":2}' } }), { calls: [{ name: 'look' }] })
})

t.test('what was never sent, or otherwise than it was said, is no history', async (t) => {
  const item = { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{"a":1}' }
  const echo = { type: 'conversation.item.added', item: { ...item, id: 'item_9', status: 'completed' } }
  const reader = operationAt().openSocket()
  const reading = said({ type: 'conversation.item.create', item }, reader)
  if (!reading.ok) throw new Error(reading.message)
  t.match(feed(reader, echo), { calls: [{ name: 'look' }] }, 'refused')
  const other = operationAt().openSocket()
  other.sent(reading, reading.text.replace('1}', '2}'))
  t.match(feed(other, echo), { calls: [{ name: 'look' }] }, 'not what was sent')
  t.match(feed(other, { ...echo, item: { ...echo.item, arguments: '{"a":2}' } }), { calls: [] })
})

t.test('every wording of a call is judged, and so is what a client may make of the pieces', async (t) => {
  const args = { type: 'response.function_call_arguments.delta', ...place, item_id: 'i1' }
  const step = feed(
    operationAt().openSocket(),
    { type: 'response.output_item.added', ...place, item: { ...call, arguments: '{"a":1' } },
    { ...args, delta: ',"b":2}' },
    { type: 'response.function_call_arguments.done', ...place, item_id: 'i1', arguments: '{"a":3}' },
    { type: 'response.output_item.done', ...place, item: { ...call, arguments: '{"a":4}' } },
  )
  if (!step.ok) throw new Error(step.message)
  const [first, ...others] = step.calls
  const judged = [first, ...(first?.also ?? []), ...others].map((one) => one?.args)
  for (const wanted of [{ a: 3 }, { a: 4 }, { a: 1, b: 2 }]) t.ok(judged.some((one) => isDeepStrictEqual(one, wanted)))
})

t.test('answers at the same time have places of their own', async (t) => {
  const reader = operationAt().openSocket()
  const other = { response_id: 'r2', output_index: 1 }
  const message = { id: 'i2', type: 'message', content: [] }
  feed(reader, { type: 'response.output_item.added', ...place, item: call })
  const opened = feed(reader, { type: 'response.output_item.added', ...other, item: message })
  t.notOk(opened.ok && opened.behind, 'another answer does not wait')
  const later = feed(reader, {
    type: 'response.output_item.added',
    response_id: 'r1',
    output_index: 1,
    item: { ...message, id: 'i3' },
  })
  t.match(later, { behind: 'call:i1' })
  const done = feed(reader, { type: 'response.done', response: { id: 'r2', output: [] } })
  t.match(done, { calls: [] }, 'nor does it end what is not its own')
  t.match(feed(reader, { type: 'response.done', response: { id: 'r1', output: [] } }), { calls: [{ name: 'look' }] })
})

t.test('a message is one line, whatever it is laid out like', async (t) => {
  const event = { type: 'error', error: { message: 'two\nlines' } }
  const line = messageLine(JSON.stringify(event, null, 2).replaceAll('\n', '\r\n'))
  t.notMatch(line, /[\r\n]/)
  t.same(JSON.parse(line), event)
  t.same(messagesOf('{"a":1}\n{"b":2}\n'), ['{"a":1}', '{"b":2}'])
})
