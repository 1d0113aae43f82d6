import t from 'tap'
import { anthropicProtocol } from '../../../proxy/protocol/anthropic.ts'
import { httpProtocol } from '../../../proxy/protocol/http.ts'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { applyEdits } from '../../../proxy/lib/edit.ts'

const chat = openaiProtocol.resolve('POST', '/chat/completions')
const messages = anthropicProtocol.resolve('POST', '/messages')
const count = anthropicProtocol.resolve('POST', '/messages/count_tokens')
const plain = httpProtocol.resolve('POST', '/')
if (chat === undefined || messages === undefined || count === undefined || plain === undefined)
  throw new Error('missing')

const request = (more: Json = {}): Json => ({ model: 'm', messages: [], ...(more as object) })
const read = (operation: typeof chat, body: Json) => operation.readRequest(body, JSON.stringify(body))

t.test('malformed shapes are refused with their place', async (t) => {
  const both: [Json, RegExp][] = [
    [[], /body must be an object/],
    [{ messages: [] }, /model is missing/],
    [request({ model: ['m'] }), /model must be string/],
    [{ model: 'm' }, /messages is missing/],
    [request({ messages: {} }), /messages must be array/],
    [request({ messages: ['hi'] }), /messages\[0\] must be an object/],
    [request({ messages: [{ content: 'x' }] }), /messages\[0\]\.role is missing/],
    [request({ messages: [{ role: 1, content: 'x' }] }), /messages\[0\]\.role must be string/],
    [request({ messages: [{ role: 'user', content: 7 }] }), /messages\[0\]\.content must be string or array/],
    [request({ stream: 'true' }), /stream must be boolean/],
    [request({ max_tokens: '5' }), /max_tokens must be number/],
    [request({ tools: {} }), /tools must be array/],
    [request({ tools: [7] }), /tools\[0\] is not a tool/],
    [request({ tools: [{}] }), /tools\[0\] is not a tool/],
  ]
  for (const [body, message] of both) {
    for (const operation of [chat, messages])
      t.match(read(operation, body), { ok: false, message }, JSON.stringify(body))
  }
  t.match(read(chat, request({ tools: [{ type: 'function', function: { name: 7 } }] })), { ok: false })
  t.match(read(chat, request({ messages: [{ role: 'assistant', tool_calls: {} }] })), { ok: false })
  t.match(read(messages, request({ system: {} })), { ok: false, message: /system must be string or array/ })
  t.match(read(messages, request({ system: ['x'] })), { ok: false, message: /system\[0\]/ })
  t.match(read(messages, request({ messages: [{ role: 'user', content: ['x'] }] })), {
    ok: false,
    message: /content\[0\]/,
  })
})

t.test('malformed answers are refused too', async (t) => {
  const nameless = { choices: [{ message: { tool_calls: [{ function: { arguments: '{}' } }] } }] }
  for (const body of [[], { choices: {} }, nameless]) t.match(chat.readAnswer(body, ''), { ok: false })
  const call = { function: { name: 'wipe', arguments: '{}' } }
  const twoKinds = { type: 'custom', function: { name: 'look', arguments: '{}' }, custom: { name: 'wipe', input: '' } }
  const oddMessages = [[], { tool_calls: call }, { function_call: [call.function] }, { tool_calls: [twoKinds] }]
  for (const message of oddMessages) t.match(chat.readAnswer({ choices: [{ message }] }, ''), { ok: false })
  t.match(chat.readAnswer({ choices: [[{ message: { tool_calls: [call] } }]] }, ''), { ok: false })
  const harmless = { message: { content: 'x', tool_calls: null, function_call: null } }
  t.match(chat.readAnswer({ choices: [harmless, {}] }, ''), { ok: true })
  for (const body of [[], { content: 'x' }, { content: [{ type: 'tool_use', input: {} }] }]) {
    t.match(messages.readAnswer(body, ''), { ok: false })
  }
  t.match(count.readAnswer({ input_tokens: 7 }, ''), { ok: true })
  t.match(count.readAnswer({}, ''), { ok: false })
})

t.test('structure that is not shaped like structure is inspected', async (t) => {
  const texts = (body: Json) => {
    const reading = read(chat, body)
    return reading.ok ? reading.content.parts.map((part) => part.text) : []
  }
  t.same(texts(request({ messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] })), [])
  const odd = { role: 'ada@example.org', tool_call_id: '123-45-6789', content: [{ type: 'call me', text: 'x' }] }
  t.same(texts(request({ model: 'for ada', messages: [odd] })), [
    'for ada',
    'ada@example.org',
    '123-45-6789',
    'call me',
    'x',
  ])
  t.same(texts(request({ created: 'ada', seed: 'x y', id: { deep: 'z' } })), ['ada', 'x y', 'z'])
  t.same(texts(request({ tools: [{ type: 'function', function: { name: 'my ssn is' } }] })), ['my ssn is'])
})

t.test('encoded data is left alone, and only encoded data', async (t) => {
  const inspected = (data: string) => {
    const part = { type: 'image_url', image_url: { url: data } }
    const reading = read(chat, request({ messages: [{ role: 'user', content: [part] }] }))
    if (!reading.ok) throw new Error(reading.message)
    t.same(reading.content.uninspected, ['image'])
    return reading.content.parts.length === 1
  }
  t.notOk(inspected('data:image/png;base64,iVBORw0KGgo='))
  t.notOk(inspected(`data:image/svg+xml;charset=utf-8;base64,${'QUJD'.repeat(1000)}`))
  t.ok(inspected('data:image/png;base64,my card is 4111 1111 1111 1111'))
  t.ok(inspected('data:text/plain,ada@example.org'))
  t.ok(inspected('https://example.org/?mail=ada@example.org'))
  t.ok(inspected('123-45-6789'))
})

t.test('long numbers and telling keys are parts, with their figures', async (t) => {
  const text =
    '{"a":12345678901234567890,"b":[1e8,99999999],"c":4.111111111111111e15,"d":-411111111.5,"+49 170 1234567":0}'
  const reading = plain.readRequest(JSON.parse(text) as Json, text)
  if (!reading.ok) throw new Error(reading.message)
  const seen = reading.content.parts.map(({ text: part, form }) => `${form} ${part}`)
  t.same(seen, [
    'key +49 170 1234567',
    'number 12345678901234567890',
    'number 100000000',
    'number 4111111111111111',
    'number -411111111.5',
  ])
})

t.test('every part can be edited where it stands', async (t) => {
  const inner = JSON.stringify({ to: 'a\n"b"', 'x@y': [12345678901] })
  const body = request({
    messages: [
      { role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: inner } }] },
      { role: 'tool', content: inner },
    ],
    metadata: { 'k@z': 'v', n: 123456789 },
  })
  const text = JSON.stringify(body)
  const reading = chat.readRequest(body, text)
  if (!reading.ok) throw new Error(reading.message)
  const edits = reading.content.parts.map(({ address, form }) => ({ address, text: `[${form}]` }))
  const edited = JSON.parse(applyEdits(text, edits)) as Json
  const redacted = '{"to":"[string]","[key]":["[number]"]}'
  t.match(edited, {
    messages: [{ tool_calls: [{ function: { name: 'f', arguments: redacted } }] }, { content: redacted }],
    metadata: { '[key]': '[string]', n: '[number]' },
  })
})

t.test(
  'JSON is walked through as many strings as somebody may have put around it, and written back as JSON',
  async (t) => {
    const nested = (depth: number, value: Json): Json =>
      depth === 0 ? value : JSON.stringify({ to: nested(depth - 1, value) })
    const value = 'a\n"b"\u00e9'
    for (let depth = 1; depth <= 6; depth++) {
      const body = { args: nested(depth, { 'x@y': value, n: 12345678901 }) }
      const text = JSON.stringify(body)
      const reading = plain.readRequest(body, text)
      if (!reading.ok) throw new Error(reading.message)
      const { parts } = reading.content
      // What is deeper is text, as it is written there.
      const texts = depth <= 4 ? ['x@y', value, '12345678901'] : [nested(depth - 4, { 'x@y': value, n: 12345678901 })]
      t.same(
        parts.map((part) => part.text),
        texts,
      )
      const edits = parts.map(({ address, form }) => ({ address, text: `"${form}"` }))
      const edited = depth <= 4 ? { '"key"': '"string"', n: '"number"' } : '"string"'
      t.same(JSON.parse(applyEdits(text, edits)), { args: nested(Math.min(depth, 4), edited) })
    }
  },
)

t.test('names that an object has by itself are plain members', async (t) => {
  const text = '{"__proto__":{"model":"x"},"constructor":"ada","toString":["b"],"model":"m","messages":[]}'
  const reading = chat.readRequest(JSON.parse(text) as Json, text)
  t.match(reading, { ok: true, content: { model: 'm', parts: [{ text: 'ada' }, { text: 'b' }] } })
  t.match(chat.readRequest(JSON.parse('{"__proto__":{"model":"x"},"messages":[]}') as Json, ''), { ok: false })
})

t.test('JSON in a string is read as such with white space around it', async (t) => {
  const reading = plain.readRequest([' {"a":"\\u0041"}\n'], JSON.stringify([' {"a":"\\u0041"}\n']))
  t.match(reading, { ok: true, content: { parts: [{ text: 'A', address: { path: [0], inner: ['a'] } }] } })
})
