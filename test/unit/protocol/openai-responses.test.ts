import t from 'tap'
import type { Json } from '../../../proxy/lib/json.ts'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { StreamReader } from '../../../proxy/protocol/protocol.ts'
import { feed } from './golden.ts'

function operation(method: string, path: string) {
  const found = openaiProtocol.resolve(method, path)
  if (found === undefined) throw new Error(`${method} ${path} is missing`)
  return found
}

const responses = operation('POST', '/v1/responses')

function open(): StreamReader {
  const reader = responses.openStream?.()
  if (reader === undefined) throw new Error('no stream')
  return reader
}

const request = (body: Json) => responses.readRequest(body, JSON.stringify(body))
const answer = (body: Json) => responses.readAnswer(body, JSON.stringify(body))

const added = (item: object, output_index: unknown = 0) => ({ type: 'response.output_item.added', output_index, item })
const done = (item: object, output_index = 0) => ({ type: 'response.output_item.done', output_index, item })
const message = { type: 'message', id: 'msg_1', role: 'assistant', content: [] }
const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'f', arguments: '' }
const text = (delta: unknown, more: object = {}) => ({
  type: 'response.output_text.delta',
  item_id: 'msg_1',
  output_index: 0,
  content_index: 0,
  delta,
  ...more,
})
const completed = { type: 'response.completed', response: { id: 'resp_1', output: [] } }

t.test('requests of no single meaning are refused', async (t) => {
  const rows: [string, Json][] = [
    ['no object', []],
    ['an input of another kind', { input: {} }],
    ['an item that is none', { input: ['hello'] }],
    ['a content that is none', { input: [{ role: 'user', content: { text: 'x' } }] }],
    ['a model that is none', { model: 7 }],
    ['a stream that is none', { stream: 'yes' }],
    ['tools that are no list', { tools: {} }],
    ['a tool without type', { tools: [{ name: 'f' }] }],
    ['a function without name', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['a namespace with a nameless tool', { tools: [{ type: 'namespace', name: 'n', tools: [{ type: 'function' }] }] }],
  ]
  for (const [name, body] of rows) t.match(request(body), { ok: false }, name)
})

t.test('thoughts grow in parts of vLLM as in those of messages', async (t) => {
  const reader = open()
  const place = { item_id: 'rs_1', output_index: 0, content_index: 0 }
  const part = (when: string, text: string) => ({
    type: `response.reasoning_part.${when}`,
    ...place,
    part: { type: 'reasoning_text', text },
  })
  const thought = { type: 'response.reasoning_text.delta', ...place, delta: 'b' }
  feed(reader, added({ type: 'reasoning', id: 'rs_1', summary: [] }))
  const channel = 'reasoning:0:0'
  t.match(feed(reader, part('added', 'a')), { ok: true, deltas: [{ channel, text: 'a' }], parts: [] })
  t.match(feed(reader, thought), { ok: true, deltas: [{ channel, text: 'b' }] })
  const whole = { ok: true, ends: [channel], deltas: [], parts: [{ text: 'ab' }] }
  t.match(feed(reader, part('done', 'ab')), whole)
  t.notOk('unknown' in feed(reader, part('done', 'ab')))
  t.match(feed(reader, { ...part('added', ''), item_id: 'rs_2' }), { ok: false }, 'of another item')
})

t.test('a patch that grows is held, and judged with all that was said of it', async (t) => {
  const reader = open()
  const patch = (diff: string) => ({ type: 'update_file', path: 'a.txt', diff })
  const item = { type: 'apply_patch_call', id: 'apc_1', call_id: 'call_1', operation: patch('') }
  const grow = {
    type: 'response.apply_patch_call_operation_diff.delta',
    item_id: 'apc_1',
    output_index: 0,
    delta: '+a',
  }
  t.match(feed(reader, added(item), grow), { ok: true, held: [{ channel: 'call:0' }], unknown: undefined })
  const end = { ...grow, type: 'response.apply_patch_call_operation_diff.done', diff: '+a' }
  const last = feed(reader, end, done({ ...item, operation: patch('+a') }))
  const calls = last.ok ? last.calls.flatMap((call) => [call, ...(call.also ?? [])]) : []
  t.ok(calls.some(({ name, args }) => name === 'apply_patch' && JSON.stringify(args) === JSON.stringify(patch('+a'))))
})

t.test('a text for input, and what stands for a stored prompt', async (t) => {
  t.match(request({ model: 'gpt-5.1', input: 'hello' }), {
    ok: true,
    content: { model: 'gpt-5.1', messages: 1, parts: [{ text: 'hello', role: 'user' }], uninspected: [] },
  })
  const stored = request({ prompt: { id: 'pmpt_1' } })
  t.match(stored, { ok: true, content: { model: undefined, uninspected: ['prompt'] } })
})

t.test('answers that call nobody by name are refused', async (t) => {
  t.match(answer({ output: [{ type: 'function_call', arguments: '{}' }] }), { ok: false })
  t.match(answer({ output: [{ type: 'mcp_call', name: '', arguments: '{}' }] }), { ok: false })
  t.match(answer({ output: {} }), { ok: false })
  t.match(answer({ output: [{ type: 'function_call', name: 'f', arguments: 'oops' }] }), {
    ok: true,
    content: { toolCalls: [{ name: 'f', args: undefined }] },
  })
})

t.test('usage of a kept response counts only where nobody waited for it', async (t) => {
  const kept = operation('GET', '/v1/responses/resp_1')
  const body = { output: [], usage: { input_tokens: 3, output_tokens: 4 } }
  t.match(kept.readAnswer(body, JSON.stringify(body)), { content: { usage: undefined } })
  const later = { ...body, background: true }
  t.match(kept.readAnswer(later, JSON.stringify(later)), { content: { usage: { input: 3, output: 4 } } })
  t.match(feed(kept.openStream?.() ?? open(), { type: 'response.completed', response: body }), { usage: undefined })
  t.match(feed(open(), { type: 'response.completed', response: body }), { usage: { input: 3, output: 4 } })
})

t.test('streams: what has no single meaning is refused', async (t) => {
  const args = (delta: unknown, more: object = {}) => ({
    type: 'response.function_call_arguments.delta',
    output_index: 0,
    delta,
    ...more,
  })
  const rows: [string, unknown[]][] = [
    ['not JSON', ['{"type":']],
    ['no type', [{ delta: 'x' }]],
    ['a delta of no item', [text('x')]],
    ['a delta that is none', [added(message), text(7)]],
    ['a delta without an index', [added(message), text('x', { content_index: null })]],
    ['an index beyond counting', [added(message), text('x', { content_index: 1e9 })]],
    ['an item without index', [added(message, null)]],
    ['an item twice', [added(message), added(message)]],
    ['an item that ends unopened', [done(message)]],
    ['an item that ends twice', [added(message), done(message), done(message)]],
    ['an item of two types', [added(message), done(call)]],
    ['a delta after the end', [added(message), done(message), text('x')]],
    ['a delta of another item', [added(message), text('x', { item_id: 'msg_2' })]],
    ['a delta of another kind', [added(message), args('{}')]],
    ['a call of two names', [added(call), done({ ...call, name: 'g' })]],
    ['a call without name', [added({ ...call, name: '' })]],
    ['a call that loses its name', [added(call), done({ ...call, name: '' })]],
    ['an event after the end', [completed, added(message)]],
    ['a nameless call at the end', [{ ...completed, response: { output: [{ type: 'function_call' }] } }]],
    [
      'a text after its end',
      [added(message), { ...text('x'), type: 'response.output_text.done', text: 'x' }, text('y')],
    ],
  ]
  for (const [name, data] of rows) t.match(feed(open(), ...data), { ok: false }, name)
  t.match(open().read({ event: 'response.completed', data: JSON.stringify(text('x')) }), { ok: false }, 'another name')
})

t.test('streams: an unknown event with text is told from one without, and its text is read', async (t) => {
  const step = feed(open(), { type: 'response.telepathy.delta', delta: 'x' })
  t.match(step, { ok: true, unknown: String, parts: [{ text: 'x' }], deltas: [] })
  t.match(feed(open(), { type: 'response.telepathy.started' }), { ok: true, unknown: undefined })
})

t.test('streams: what is given out late has the number of the event before, read or not', async (t) => {
  const reader = open()
  feed(reader, added(message), text('x', { sequence_number: 4 }))
  reader.repeated?.(7)
  feed(reader, { ...text('x'), type: 'response.output_text.done', text: 'x', sequence_number: 8 })
  t.match(reader.deltaEvent('text:0:0', 'y'), /"delta":"y",.*"sequence_number":7}/)
})

t.test('streams: what is odd and harmless is read', async (t) => {
  t.match(feed(open(), { type: 'response.telepathy.started', output_index: 0, item_id: 'x_1' }), { ok: true })
  t.match(feed(open(), completed, '[DONE]'), { ok: true, terminal: false })
  t.match(feed(open(), { error: { message: 'out of order' } }), { ok: true, error: true })
  t.match(feed(open(), added(message), text('x')), { repeatable: true })
  const numbered = text('x', { sequence_number: 4, obfuscation: 'a1B2' })
  t.match(feed(open(), added(message), numbered), {
    repeatable: true,
    varying: [
      { address: { path: ['obfuscation'] }, kind: 'padding' },
      { address: { path: ['sequence_number'] }, kind: 'number' },
    ],
  })
  const begun = { ...message, content: [{ type: 'output_text', text: 'He' }] }
  t.match(feed(open(), added(begun)), { deltas: [{ channel: 'text:0:0', text: 'He' }], parts: [] })
})

t.test('streams: every wording of a call is judged before any of it leaves', async (t) => {
  const reader = open()
  const event = { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 0, delta: '{"a":1}' }
  t.match(feed(reader, added(call), event), { calls: [], withheld: [{ path: [] }], held: [{ channel: 'call:0' }] })
  const said = { type: 'response.function_call_arguments.done', output_index: 0, arguments: '{"a":2}' }
  t.match(feed(reader, said), { calls: [], withheld: [{ path: [] }] })
  const step = feed(reader, done({ ...call, arguments: '{"a":3}' }))
  const [judged] = step.ok ? step.calls : []
  t.same([judged?.args, ...(judged?.also ?? []).map(({ args }) => args)], [{ a: 2 }, { a: 3 }, { a: 1 }])
  t.match(feed(reader, { ...completed, response: { output: [{ ...call, arguments: '{"a":3}' }] } }), { calls: [] })
  const again = open()
  feed(again, added(call), event, done({ ...call, arguments: '{"a":1}' }))
  const changed = { ...completed, response: { output: [{ ...call, arguments: '{"a":4}' }] } }
  t.match(feed(again, changed), { calls: [{ args: { a: 4 } }], terminal: true })
})

t.test('streams: a call that never ends is complete with the response, and others wait for it', async (t) => {
  const reader = open()
  feed(reader, added(call), { type: 'response.function_call_arguments.delta', output_index: 0, delta: '{"a":' })
  t.match(feed(reader, added(message, 1)), { behind: 'call:0' })
  const cut = { type: 'response.incomplete', response: { output: [] } }
  t.match(feed(reader, cut), { calls: [{ name: 'f', args: undefined, channel: 'call:0' }], terminal: true })
})

t.test('streams: the result of a denied call of the provider is withheld', async (t) => {
  const reader = open()
  const shell = { type: 'shell_call', id: 'sh_1', call_id: 'call_5', action: { commands: ['pwd'] } }
  feed(reader, added(shell))
  const step = feed(reader, done(shell))
  const [judged] = step.ok ? step.calls : []
  if (judged === undefined) throw new Error('no call')
  t.match(reader.refuse?.(judged, 'Denied.')?.opening, /"type":"message".*Denied\./s)
  const output = { type: 'shell_call_output', id: 'so_1', call_id: 'call_5', output: [{ stdout: 'secret' }] }
  feed(reader, added(output, 1))
  t.match(reader.amend?.(added(output, 1) as unknown as Json, []), [{ address: { path: ['item'] } }])
  const more = { type: 'response.shell_call_output_content.delta', output_index: 1, command_index: 0 }
  t.match(feed(reader, { ...more, delta: { stdout: 'secret' } }), { deltas: [], withheld: [{ path: [] }] })
  const last = { ...completed, response: { output: [shell, output] } } as unknown as Json
  const edits = reader.amend?.(last, []) ?? []
  t.same(
    edits.map(({ address }) => address.path),
    [
      ['response', 'output', 0],
      ['response', 'output', 1],
    ],
  )
})
