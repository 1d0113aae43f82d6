import t from 'tap'
import type { Edit } from '../../../proxy/lib/edit.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { anthropicProtocol } from '../../../proxy/protocol/anthropic.ts'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { StreamedCall, StreamReader, StreamStep } from '../../../proxy/protocol/protocol.ts'
import { feed } from './golden.ts'

function open(protocol: 'openai' | 'anthropic'): StreamReader {
  const [adapter, path] =
    protocol === 'openai' ? [openaiProtocol, '/chat/completions'] : [anthropicProtocol, '/messages']
  const reader = adapter.resolve('POST', path)?.openStream?.()
  if (reader === undefined) throw new Error('no stream')
  return reader
}

function callsOf(step: StreamStep): StreamedCall[] & [StreamedCall, StreamedCall] {
  if (!step.ok) throw new Error(step.message)
  return step.calls as StreamedCall[] & [StreamedCall, StreamedCall]
}

function amended(reader: StreamReader, event: unknown): readonly Edit[] | undefined {
  return reader.amend?.(JSON.parse(JSON.stringify(event)) as Json, [])
}

const chunk = (delta: object, more: object = {}) => ({
  id: 'c',
  choices: [{ index: 0, delta, finish_reason: null, ...more }],
})
const call = (more: object, index: unknown = 0) => chunk({ tool_calls: [{ index, ...more }] })
const named = (name: string, text = '') => call({ id: 'call_1', function: { name, arguments: text } })

t.test('OpenAI: what has no single meaning is refused', async (t) => {
  const rows: [string, unknown[]][] = [
    ['not JSON', ['{"choices":']],
    ['not an object', ['[]']],
    ['a key twice', ['{"choices":[],"choices":[]}']],
    ['choices that are none', [{ choices: {} }]],
    ['a choice without index', [{ choices: [{ delta: { content: 'x' } }] }]],
    ['a call without index', [call({ function: { name: 'f' } }, null)]],
    ['calls that are no list', [chunk({ tool_calls: { index: 0 } })]],
    ['a legacy call in a list', [chunk({ function_call: [{ name: 'f' }] })]],
    ['a delta in a list', [{ choices: [{ index: 0, delta: [{ tool_calls: [] }] }] }]],
    ['a call of nothing', [call({ id: 'call_1' })]],
    ['a name in two versions', [named('read'), named('wipe')]],
    ['an id in two versions', [named('read'), call({ id: 'call_2' })]],
    ['two kinds at once', [call({ function: { name: 'f' }, custom: { name: 'g' } })]],
    ['two kinds in turn', [named('f'), call({ custom: { input: 'x' } })]],
    ['arguments that are no text', [call({ function: { name: 'f', arguments: {} } })]],
    ['no name at the end', [call({ function: { arguments: '{}' } }), chunk({}, { finish_reason: 'tool_calls' })]],
    ['no name at [DONE]', [call({ function: { arguments: '{}' } }), '[DONE]']],
    ['a call after its end', [named('f'), chunk({}, { finish_reason: 'stop' }), named('f')]],
    ['a text after its end', [chunk({ content: '123-45' }, { finish_reason: 'stop' }), chunk({ content: '-6789' })]],
    ['a text that ends in each chunk', ['a', 'b'].map((content) => chunk({ content }, { finish_reason: 'stop' }))],
    ['another text after the end', [chunk({}, { finish_reason: 'stop' }), chunk({ reasoning: 'b' })]],
    ['a whole message in a chunk', [{ choices: [{ index: 0, message: { tool_calls: [{}] } }] }]],
    ['an event after the end', ['[DONE]', chunk({ content: 'x' })]],
  ]
  for (const [name, data] of rows) t.match(feed(open('openai'), ...data), { ok: false }, name)
})

t.test('OpenAI: what is odd and harmless is read', async (t) => {
  t.match(feed(open('openai'), ''), { ok: true, deltas: [], terminal: false })
  t.match(feed(open('openai'), named('f'), named('f', '{}')), { ok: true })
  t.match(feed(open('openai'), named('f'), call({ id: '', function: { name: '' } })), { ok: true })
  t.match(feed(open('openai'), { id: 'c', choices: null }), { ok: true })
  t.match(feed(open('openai'), chunk({}, { finish_reason: 'stop' }), chunk({ content: '', role: 'assistant' })), {
    ok: true,
    deltas: [],
  })
  const unfinished = { finish_reason: '' }
  t.match(feed(open('openai'), chunk({ content: 'a' }, unfinished), chunk({ content: 'b' }, unfinished)), { ends: [] })
  const late = feed(
    open('openai'),
    chunk({ content: 'a' }, unfinished),
    named('f'),
    chunk({}, { finish_reason: 'stop' }),
  )
  t.match(late, { ok: true, ends: ['text:0', 'arguments:0:0'], calls: [{ name: 'f' }] })
  t.match(feed(open('openai'), { object: 'error', error: 'out of order' }), { ok: true, error: true })
})

t.test('OpenAI: a call and its end in one chunk are one', async (t) => {
  const whole = { index: 0, id: 'call_1', function: { name: 'f', arguments: '{"a":1}' } }
  const step = feed(open('openai'), chunk({ content: 'bye', tool_calls: [whole] }, { finish_reason: 'tool_calls' }))
  t.match(step, { ok: true, calls: [{ name: 'f', args: { a: 1 }, channel: 'arguments:0:0' }] })
  t.match(step, { deltas: [{ channel: 'text:0' }, { channel: 'arguments:0:0' }], ends: ['text:0', 'arguments:0:0'] })
})

t.test('OpenAI: a call without a finish_reason is complete at [DONE]', async (t) => {
  const step = feed(open('openai'), named('f', '{"a":'), call({ function: { arguments: 'oops' } }), '[DONE]')
  t.match(step, { ok: true, terminal: true, ends: ['arguments:0:0'], calls: [{ name: 'f', args: undefined }] })
})

t.test('OpenAI: parallel calls keep apart, whatever their order', async (t) => {
  const reader = open('openai')
  const second = (text: string, name?: string) => call({ function: { name, arguments: text } }, 1)
  feed(reader, named('f', '{"a"'), second('{"b"', 'g'), call({ function: { arguments: ':1}' } }), second(':2}'))
  const step = feed(reader, chunk({}, { finish_reason: 'tool_calls' }))
  t.match(step, {
    calls: [
      { name: 'f', args: { a: 1 } },
      { name: 'g', args: { b: 2 } },
    ],
  })
})

t.test('OpenAI: the error that ends a stream hides no text', async (t) => {
  const step = feed(open('openai'), {
    error: { message: 'x' },
    choices: [{ index: 0, delta: { content: 'ada@example.org' } }],
  })
  t.match(step, { ok: true, error: true, parts: [{ text: 'x' }, { text: 'ada@example.org' }] })
})

t.test('OpenAI: events of our own look like theirs', async (t) => {
  const reader = open('openai')
  const head = { object: 'chat.completion.chunk', created: 1, model: 'm' }
  feed(reader, { ...head, ...chunk({ content: 'a', reasoning: 'b', refusal: 'c', audio: { transcript: 'd' } }) })
  const delta = (channel: string, piece?: string) => {
    const text = (piece === undefined ? reader.deltaEvent(channel, 'X') : reader.pieceEvent?.(channel, piece)) ?? ''
    const event = JSON.parse(text.replace(/^data: /, '')) as { choices: [{ index: number; delta: object }] }
    t.match(event, { ...head, id: 'c', choices: [{ index: 0, finish_reason: null }] })
    return event.choices[0].delta
  }
  t.same(delta('text:0'), { content: 'X' })
  t.same(delta('reasoning-text:0'), { reasoning: 'X' })
  t.same(delta('refusal:0'), { refusal: 'X' })
  t.same(delta('transcript:0'), { audio: { transcript: 'X' } })
  t.same(delta('arguments:0:0', '{"index":0,"n":1}'), { tool_calls: [{ index: 0, n: 1 }] })
  t.same(delta('input:0:1', '{"index":1}'), { tool_calls: [{ index: 1 }] })
  t.same(delta('arguments:0:function', '{"name":"h"}'), { function_call: { name: 'h' } })
  t.throws(() => reader.deltaEvent('text:1', 'X'))
})

t.test('OpenAI: what vendors add to a delta grows as clients join it', async (t) => {
  const reader = open('openai')
  const detail = { type: 'reasoning.text', index: 3, format: 'f' }
  const thinking = (piece: string) => ({ type: 'thinking', thinking: [{ type: 'text', text: piece }] })
  const first = feed(
    reader,
    chunk({ note: 'ada@', reasoning_details: [{ ...detail, text: 'b' }], content: [thinking('c')] }),
  )
  const channels = ['more:0:note', 'more:0:reasoning_details:3:reasoning.text:text']
  channels.push('more:0:content:0:thinking:thinking:0:text:text')
  t.match(first, { ok: true, deltas: channels.map((channel) => ({ channel })) })
  t.same(first.ok && first.parts.map(({ text }) => text), ['f'], 'they are not read twice')
  const deltas = channels.map((channel) =>
    reader.deltaEvent(channel, 'X').replace(/^.*"delta":|,"finish_reason".*\n+$/g, ''),
  )
  t.same(
    deltas.map((text) => JSON.parse(text) as unknown),
    [{ note: 'X' }, { reasoning_details: [{ ...detail, text: 'X' }] }, { content: [thinking('X')] }],
  )
  t.match(feed(reader, chunk({}, { finish_reason: 'stop' })), { ok: true, ends: channels })
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, at) => [`n${at}`, 'a']))
  t.match(feed(reader, chunk(many, { index: 1 })), { ok: false })
})

const start = (block: object, index = 0) => ({ type: 'content_block_start', index, content_block: block })
const delta = (more: object, index = 0) => ({ type: 'content_block_delta', index, delta: more })
const stop = (index = 0) => ({ type: 'content_block_stop', index })
const text = { type: 'text', text: '' }
const tool = { type: 'tool_use', id: 'toolu_1', name: 'f', input: {} }
const compaction = (content: string) => ({ type: 'compaction_delta', content })
const json = (partial: unknown) => delta({ type: 'input_json_delta', partial_json: partial })

t.test('Anthropic: what nobody knows how to put together is said to be unknown', async (t) => {
  const unknown = 'An event of an unknown type carries text.'
  t.match(feed(open('anthropic'), start(text), delta({ type: 'more_delta', more: 'hello you' })), { ok: true, unknown })
  t.match(feed(open('anthropic'), { type: 'more', more: 'hello you' }), { ok: true, unknown })
  t.equal(Object.hasOwn(feed(open('anthropic'), { type: 'more', index: 1 }), 'unknown'), false)
})

t.test('Anthropic: what has no single meaning is refused', async (t) => {
  const rows: [string, unknown[]][] = [
    ['not JSON', ['']],
    ['no type', [{ index: 0 }]],
    ['a block without index', [start(text, NaN)]],
    ['a block twice', [start(text), start(text)]],
    ['a block again', [start(text), stop(), start(text)]],
    ['a delta of no block', [delta({ type: 'text_delta', text: 'x' })]],
    ['a delta of a closed block', [start(text), stop(), delta({ type: 'text_delta', text: 'x' })]],
    [
      'a compaction twice',
      [start({ type: 'compaction', content: null }), delta(compaction('ada@exam')), delta(compaction('ple.org'))],
    ],
    ['a call before its time', [{ type: 'message_start', message: { content: [tool] } }]],
    ['text in a call', [start(tool), delta({ type: 'text_delta', text: 'x' })]],
    ['arguments in a text', [start(text), json('{}')]],
    ['arguments in thinking', [start({ type: 'thinking', thinking: '' }), json('{}')]],
    ['arguments that are no text', [start(tool), json({})]],
    ['text that is no text', [start({ type: 'text', text: ['x'] })]],
    ['a legacy call in a list', [chunk({ function_call: [{ name: 'f' }] })]],
    ['a delta in a list', [{ choices: [{ index: 0, delta: [{ tool_calls: [] }] }] }]],
    ['a call of nothing', [start({ ...tool, name: '' })]],
    ['input twice', [start({ ...tool, input: { a: 1 } }), json('{"a":2}'), stop()]],
    ['the end of no block', [stop()]],
    ['the end twice', [start(text), stop(), stop()]],
    ['an event after the end', [{ type: 'message_stop' }, { type: 'ping' }]],
  ]
  for (const [name, data] of rows) t.match(feed(open('anthropic'), ...data), { ok: false }, name)
  const reader = open('anthropic')
  t.match(
    reader.read({ event: 'ping', data: JSON.stringify(start(text)) }),
    { ok: false },
    'an event under a false name',
  )
})

t.test('Anthropic: arguments are whole at the end of their block', async (t) => {
  const calls = (...data: unknown[]) => {
    const step = feed(open('anthropic'), ...data)
    return step.ok ? step.calls : step
  }
  t.match(calls(start(tool), stop()), [{ name: 'f', id: 'toolu_1', args: {}, channel: 'arguments:0' }])
  t.match(calls(start(tool), json('{"a"'), json(':2}'), stop()), [{ args: { a: 2 } }])
  t.match(calls(start(tool), json('{"a":1,"a":2}'), stop()), [{ name: 'f', args: undefined }])
  t.match(calls(start(tool), json('[1]'), { type: 'message_stop' }), [{ name: 'f', args: undefined }])
})

t.test('Anthropic: a call whole in the start of its block is judged there, once', async (t) => {
  const whole = start({ ...tool, input: { to: 'ada@example.org' } }, 1)
  const args = { to: 'ada@example.org' }
  const address = { path: ['content_block'] }
  const read = (...data: unknown[]) => feed(open('anthropic'), ...data)
  const begun = read(whole)
  t.ok(begun.ok && begun.calls.length === 1)
  t.match(begun, { calls: [{ name: 'f', id: 'toolu_1', args, address, channel: 'arguments:1' }] })
  t.match(begun, { parts: [{ text: 'ada@example.org' }] }, 'its texts are inspected all the same')
  const ended = read(whole, stop(1))
  t.strictSame(ended.ok && [ended.calls, ended.ends], [[], ['arguments:1']])
  const over = read(whole, { type: 'message_stop' })
  t.strictSame(over.ok && over.calls, [])
  t.strictSame(read(start(tool)), { ...read(start(tool)), calls: [] }, 'an empty input is not yet a call')
})

t.test('Anthropic: what stands in the start of a block is read', async (t) => {
  const said = feed(open('anthropic'), start({ type: 'text', text: 'ada@' }))
  t.match(said, {
    deltas: [{ channel: 'text:0', text: 'ada@', address: { path: ['content_block', 'text'] } }],
    parts: [],
  })
  const called = feed(open('anthropic'), start({ ...tool, input: { to: 'ada@example.org' } }))
  t.match(called, { parts: [{ text: 'ada@example.org', address: { path: ['content_block', 'input', 'to'] } }] })
})

t.test('Anthropic: events of our own look like theirs', async (t) => {
  const reader = open('anthropic')
  t.equal(
    reader.deltaEvent('text:2', 'X\n'),
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"X\\n"}}\n\n',
  )
  const piece = JSON.stringify(json('{'))
  t.equal(reader.pieceEvent?.('arguments:1', piece), `event: content_block_delta\ndata: ${piece}\n\n`)
})

t.test('OpenAI: of denied calls nothing is left, and those that stay close up', async (t) => {
  const reader = open('openai')
  const other = call({ id: 'call_2', function: { name: 'g', arguments: '{}' } }, 1)
  const end = chunk({}, { finish_reason: 'tool_calls' })
  const [first, second] = callsOf(feed(reader, chunk({ content: 'so' }), named('f', '{}'), other, end))
  t.same(reader.refuse?.(first, 'No.'), { opening: '', channel: 'text:0', text: '\n\nNo.' })
  t.match(reader.pieceEvent?.(second.channel, '{"index":1,"id":"call_2"}'), '"tool_calls":[{"index":0,"id":"call_2"}]')
  t.same(amended(reader, end), [], 'one call is left')
  reader.refuse?.(second, 'No.')
  t.same(amended(reader, end), [{ address: { path: ['choices', 0, 'finish_reason'] }, text: 'stop' }])
  const stopped = chunk({}, { finish_reason: 'length' })
  t.same(amended(reader, stopped), [])
})

t.test('Anthropic: a denied call becomes a text block in its place', async (t) => {
  const reader = open('anthropic')
  const [denied] = callsOf(
    feed(reader, start(tool, 1), delta({ type: 'input_json_delta', partial_json: '{}' }, 1), stop(1)),
  )
  const placed = reader.refuse?.(denied, 'No.')
  t.match(placed, { channel: 'text:1', text: 'No.' })
  t.match(placed?.opening, '"index":1,"content_block":{"type":"text","text":""}')
  const end = { type: 'message_delta', delta: { stop_reason: 'tool_use' } }
  t.same(amended(reader, end), [{ address: { path: ['delta', 'stop_reason'] }, text: 'end_turn' }])
  const result = start({ type: 'web_search_tool_result', tool_use_id: 'toolu_1', content: [] }, 2)
  t.match(amended(reader, result), [{ address: { path: ['content_block'] }, json: /"type":"text".*withheld/ }])
  feed(reader, start({ ...tool, id: 'toolu_3' }, 3), stop(3))
  t.same(amended(reader, end), [], 'one call is left')
})

t.test('Anthropic: no block overtakes a call that is not complete', async (t) => {
  const reader = open('anthropic')
  feed(reader, start(text, 0), start(tool, 1))
  t.notOk('behind' in feed(reader, delta({ type: 'text_delta', text: 'x' }, 0)), 'an earlier block goes on')
  t.match(feed(reader, start(text, 2)), { behind: 'arguments:1' })
  const said = feed(reader, delta({ type: 'text_delta', text: 'x' }, 2))
  t.match(said, { behind: 'arguments:1' })
  t.notOk('repeatable' in said)
  t.match(feed(reader, start({ ...tool, id: 'toolu_3' }, 3)), {
    behind: 'arguments:1',
    held: [{ channel: 'arguments:3' }],
  })
  t.match(feed(reader, start(text, 4)), { behind: 'arguments:3' })
  t.notOk('behind' in feed(reader, stop(1)))
})
