// The filter for event streams: what stands outside of the data, denied calls, and upstreams that do not keep to the format.
import t from 'tap'
import { Fault } from '../../../proxy/errors.ts'
import { grow } from '../../../proxy/pipeline/exchange.ts'
import { filterStream } from '../../support/filter-stream.ts'
import { chunks, openBack, type Back, type Way } from './answered.ts'
import { anthropic, openai } from './stream-formats.ts'

const masked = openBack('redaction: [{ id: back, direction: response, detect: [us-ssn], action: mask }]')
const blocking = openBack('redaction: [{ id: stop, direction: response, detect: [us-ssn], action: block }]')
const judged = openBack('rules: [{ id: no-rm, effect: deny, actions: [tool.call], tools: [rm] }]')
const ssn = '378-07-9520'

async function run(
  back: Back,
  way: Way,
  body: string,
): Promise<{ written: string; fault: string | undefined; x: ReturnType<Back['answered']>['x'] }> {
  const { x, redaction } = back.answered(way)
  let written = ''
  try {
    for await (const text of filterStream(x, back.runtime, redaction, chunks([Buffer.from(body)]))) written += text
    return { written, fault: undefined, x }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { written, fault: error.code, x }
  }
}

function chunk(content: string): string {
  return JSON.stringify({
    id: 'c',
    object: 'chat.completion.chunk',
    model: 'm',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  })
}

const done = 'data: [DONE]\n\n'

t.test('what stands beside the data carries nothing past the redaction', async (t) => {
  const places = {
    'a comment': `: ${ssn}\n\ndata: ${chunk('x')}\n\n`,
    'a comment before the data': `: ${ssn}\ndata: ${chunk('x')}\n\n`,
    'a comment after the data': `data: ${chunk('x')}\n: ${ssn}\n\n`,
    'a field of no meaning': `data: ${chunk('x')}\nnote: ${ssn}\n\n`,
    'an id': `id: ${ssn}\ndata: ${chunk('x')}\n\n`,
    'the name of an event': `event: about ${ssn}\ndata: ${chunk('x')}\n\n`,
    'the name of an event like the one before': `event: ${ssn}\ndata: ${chunk('x')}\n\n`.repeat(4),
    'a member that nobody knows': `data: ${chunk('x').replace('"id"', `"note":"${ssn}","id"`)}\n\n`,
    'the data of an event like the one before': `: ${chunk(`${ssn} `)}\ndata: ${chunk(`${ssn} `)}\n\n: ${chunk('x')}\ndata: ${chunk(`${ssn} `)}\n\n`,
  }
  for (const [place, body] of Object.entries(places)) {
    const { written, fault } = await run(masked, 'openai', body + done)
    t.equal(fault, undefined, place)
    t.notMatch(written, ssn, place)
    t.ok(written.endsWith(done), place)
  }
})

t.test('the name of an event is a name, or is read like any text', async (t) => {
  const named = (name: string): string => `event: ${name}\ndata: ${chunk('x')}\n\n${done}`
  const head = (text: string): string | undefined => text.split('\n')[0]
  for (const name of ['response.output_text.delta', 'message_start', 'x-note', 'Ping2', 'zwei Wörter'])
    t.equal(head((await run(masked, 'openai', named(name))).written), `event: ${name}`)
  for (const name of [ssn, `${ssn}\nevent: delta`]) t.notMatch((await run(masked, 'openai', named(name))).written, ssn)
  t.equal(head((await run(masked, 'openai', named(`of ${ssn}`))).written), 'event: of [US_SSN]')
  const { written, fault } = await run(blocking, 'openai', named(`of ${ssn}`))
  t.equal(fault, 'content-blocked')
  t.equal(written, '')
})

t.test('the last event may lack its blank line where it shows by itself that all of it is there', async (t) => {
  const text = `data: ${chunk(ssn)}\n\n`
  const whole = await run(masked, 'openai', text + done)
  for (const last of ['data: [DONE]', 'data:[DONE]', 'data: [DONE]\n', 'data: [DONE]\r\n', ': end\ndata: [DONE]'])
    t.match(
      await run(masked, 'openai', text + last),
      { fault: undefined, written: /^data: .*\n\ndata: ?\[DONE\]\n\n$/s },
      last,
    )
  t.equal((await run(masked, 'openai', `${text}data: [DONE]`)).written, whole.written)

  const error = 'data: {"error":{"message":"overloaded","type":"server_error"}}'
  t.match(await run(masked, 'openai', text + error), { fault: undefined, x: { trace: { upstreamError: true } } })
  const secret = await run(blocking, 'openai', `${text}${done}`)
  t.same([secret.fault, secret.written.includes(ssn)], ['content-blocked', false])
  const late = `data: ${chunk(ssn)}`
  for (const back of [masked, blocking])
    t.match(await run(back, 'openai', late), { fault: /^(?:upstream-truncated|content-blocked)$/, written: '' })

  const cut = [
    'data: [DONE',
    'data: [DONE]\nev',
    'data: [DONE]\n:',
    'dat',
    'event: x',
    `data: ${chunk('x').slice(0, -1)}`,
  ]
  for (const last of cut) t.match(await run(masked, 'openai', text + last), { fault: 'upstream-truncated' }, last)
})

t.test('what was observed of a stream that breaks off or is stopped is recorded', async (t) => {
  const seeing = openBack(`redaction:
  - { id: seen, direction: response, detect: [email], action: tag }
  - { id: stop, direction: response, detect: [us-ssn], action: block }`)
  const said = `data: ${chunk('by ada@example.org, and ')}\n\n`
  const cut = await run(seeing, 'openai', `${said}data: {`)
  t.match([cut.fault, cut.x.trace.observedAnswer.get('email')], ['upstream-truncated', 1])
  const stopped = await run(seeing, 'openai', `${said}data: ${chunk(`${ssn} of bob@example.org `)}\n\n${done}`)
  t.match([stopped.fault, stopped.x.trace.observedAnswer.get('email')], ['content-blocked', 1])
})

t.test('a call that the rules deny is never written; text stands in its place', async (t) => {
  for (const [way, format] of [
    ['openai', openai],
    ['anthropic', anthropic],
  ] as const) {
    const body = format
      .write([
        { kind: 'text', at: 0, pieces: ['I will ', 'remove it.'] },
        { kind: 'arguments', at: 1, name: 'rm', pieces: ['{"path":', '"/etc"}'] },
        { kind: 'text', at: 2, pieces: ['afterwards'] },
      ])
      .join('')
    const { written, fault, x } = await run(judged, way, body)
    t.equal(fault, undefined, way)
    t.notMatch(written, /\/etc|"rm"|call_1|toolu_1|input_json_delta/, way)
    const texts = format.assemble(written)
    t.equal(texts.get('text:0'), 'I will remove it.', way)
    t.match(texts.get('text:1'), /^\[Gatewright denied the tool call rm by rule no-rm: .+\]$/, way)
    t.equal(texts.get('text:2'), 'afterwards', way)
    t.match(x.trace.answerDecisions, [{ tool: 'rm', decision: { effect: 'deny', rule: 'no-rm' } }], way)
  }
})

t.test('nothing of a denied call leaves beside a text, however often it is said', async (t) => {
  const whole = { index: 0, id: 'call_1', type: 'function' }
  const rows = [
    { tool_calls: [{ ...whole, function: { name: 'rm' } }] },
    { tool_calls: [{ ...whole, function: { name: 'rm', arguments: '' } }] },
    { function_call: { name: 'rm', arguments: '' } },
  ]
  for (const call of rows) {
    const said = (content: string): string => {
      const choices = [{ index: 0, delta: { content, ...call }, finish_reason: null }]
      return `data: ${JSON.stringify({ id: 'c', choices, obfuscation: `a${content}` })}\n\n`
    }
    const end = `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: {}, finish_reason: 'tool_calls' }] })}\n\n`
    const body = ['So', 'So', 'be', 'it'].map(said).join('') + end + done
    const { written, fault, x } = await run(judged, 'openai', body)
    t.equal(fault, undefined)
    t.notMatch(written, /"rm"|call_1|"function_call"/)
    t.match(openai.assemble(written).get('text:0'), /^SoSobeit\n\n\[Gatewright denied the tool call rm/)
    t.match(x.trace.answerDecisions, [{ tool: 'rm', decision: { effect: 'deny' } }])
  }
})

t.test('an event is known again only when two in a row have meant the same', async (t) => {
  const gemini = (text: string): object => ({
    candidates: [{ content: { parts: [{ videoMetadata: { fps: 1 } }, { text }], role: 'model' }, index: 0 }],
  })
  const last = { candidates: [{ content: { parts: [{ text: '' }], role: 'model' }, index: 0, finishReason: 'STOP' }] }
  const body = ['hi', 'A', ssn, 'Z rest '].map((text) => `data: ${JSON.stringify(gemini(text))}\n\n`).join('')
  const whole = `${body}data: ${JSON.stringify(last)}\n\n`
  const { written, fault, x } = await run(masked, 'gemini', whole)
  t.equal(fault, undefined)
  t.notMatch(written, ssn)
  t.match(written, '[US_SSN]')
  t.same([...x.trace.redactedAnswer], [['us-ssn', 1]])
  t.equal((await run(blocking, 'gemini', whole)).fault, 'content-blocked')
})

t.test('a chat choice that goes on after its end ends the stream, also where each event says both', async (t) => {
  const said = (content: string, finish: string): string => {
    const choices = [
      { index: 0, delta: {}, finish_reason: finish },
      { index: 0, delta: { content }, finish_reason: null },
    ]
    return `data: ${JSON.stringify({ id: 'c', choices })}\n\n`
  }
  const pieces = ['hi ', ssn.slice(0, 6), ssn.slice(6), ' rest']
  const ended = await run(masked, 'openai', pieces.map((piece) => said(piece, 'stop')).join('') + done)
  t.equal(ended.fault, 'upstream-invalid')
  const unended = await run(masked, 'openai', pieces.map((piece) => said(piece, '')).join('') + done)
  t.equal(unended.fault, undefined)
  t.notMatch(unended.written, /378|9520/)
  t.same([...unended.x.trace.redactedAnswer], [['us-ssn', 1]])
})

t.test('after a denied call every event is looked at for what it says of it', async (t) => {
  const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'rm', arguments: '{}' } }
  const finished = { index: 1, delta: {}, finish_reason: 'tool_calls' }
  const chunkOf = (...choices: object[]): string => `data: ${JSON.stringify({ id: 'c', choices })}\n\n`
  const body =
    chunkOf({ index: 1, delta: { tool_calls: [call] }, finish_reason: null }) +
    chunkOf(finished) +
    ['a', 'b', 'c', 'd'].map((content) => chunkOf({ index: 0, delta: { content } }, finished)).join('')
  const { written, fault } = await run(judged, 'openai', body + done)
  t.equal(fault, undefined)
  t.equal(openai.assemble(written).get('text:0'), 'abcd')
  t.notMatch(written, '"tool_calls"')
})

t.test('nothing follows an error that has a text beside it', async (t) => {
  const line = (content: string): string =>
    `${JSON.stringify({ model: 'm', created_at: content, message: { role: 'assistant', content }, error: 'gone', done: false })}\n`
  const { written, x } = await run(masked, 'ollama', line('so') + line('and') + line('so'))
  t.match(written, '"so"')
  t.notMatch(written, '"and"')
  t.ok(x.trace.upstreamError)
})

t.test('a value that is to be blocked stops the stream before it', async (t) => {
  const body = openai.write([{ kind: 'text', at: 0, pieces: ['The number is 378-', '07-9520, keep it.'] }]).join('')
  const { written, fault } = await run(blocking, 'openai', body)
  t.equal(fault, 'content-blocked')
  t.notMatch(written, '378')
  t.notMatch(written, 'keep it')
})

t.test('what stands before a value that is to be blocked is given out, also from the same chunk', async (t) => {
  const pieces = ['Hello, ', 'here ', 'is ', 'it: 378-', '07-9520, ', 'keep ', 'it.']
  const { written, fault } = await run(blocking, 'openai', openai.write([{ kind: 'text', at: 0, pieces }]).join(''))
  t.equal(fault, 'content-blocked')
  t.equal(openai.assemble(written).get('text:0'), 'Hello, here is it: ')
})

t.test('what is no stream of the format is a fault', async (t) => {
  const bodies = {
    'no JSON': 'data: {\n\n',
    'two keys of one name': 'data: {"choices":[],"choices":[]}\n\n',
    'an event after the end': `${done}data: ${chunk('x')}\n\n`,
    'no UTF-8': Buffer.concat([Buffer.from('data: "'), Buffer.from([0xff]), Buffer.from('"\n\n')]).toString('latin1'),
  }
  for (const [what, body] of Object.entries(bodies)) {
    const { x, redaction } = masked.answered('openai')
    const bytes = what === 'no UTF-8' ? Buffer.from(body, 'latin1') : Buffer.from(body)
    const read = async (): Promise<void> => {
      for await (const text of filterStream(x, masked.runtime, redaction, chunks([bytes]))) t.notMatch(text, 'x"')
    }
    await t.rejects(read(), { code: 'upstream-invalid' }, what)
  }
})

t.test('an event that grows without end is a fault, not memory', async (t) => {
  const { x, redaction } = masked.answered('openai')
  const piece = Buffer.alloc(64 * 1024, 'x')
  let given = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('data: ')
    for (;;) {
      given += 1
      yield piece
    }
  }
  const read = async (): Promise<void> => {
    for await (const text of filterStream(x, masked.runtime, redaction, endless())) t.fail(text.slice(0, 20))
  }
  await t.rejects(read(), { code: 'answer-too-large' })
  t.ok(given <= 17, 'stopped at 1 MiB')
})

t.test("the upstream's own error event ends a call that it does not complete", async (t) => {
  const [open = '', delta = ''] = openai.write([{ kind: 'arguments', at: 0, name: 'ls', pieces: ['{"a"'] }]).slice(1)
  const { written, fault } = await run(judged, 'openai', `${open}${delta}data: {"error":{"message":"Overloaded"}}\n\n`)
  t.equal(fault, undefined)
  t.notMatch(written, 'tool_calls')
  t.match(written, 'Overloaded')
})

t.test(
  'what is written in an event of its own has the id of the answer, though Azure begins without one',
  async (t) => {
    const first = { id: '', object: '', created: 0, model: '', choices: [], prompt_filter_results: [] }
    const body = `data: ${JSON.stringify(first)}\n\ndata: ${chunk(`so ${ssn}`)}\n\n${done}`
    const { written, fault } = await run(masked, 'openai', body)
    t.equal(fault, undefined)
    const events = written.split('\n\n').slice(1, -2)
    t.match(written, '[US_SSN]')
    for (const event of events)
      t.match(JSON.parse(event.slice(6)), { id: 'c', object: 'chat.completion.chunk', model: 'm' })
  },
)

t.test("the upstream's own error event comes after all text, and nothing after it", async (t) => {
  const error = 'data: {"error":{"message":"Overloaded"}}\n\n'
  const { written, fault } = await run(
    masked,
    'openai',
    `data: ${chunk('so far 378')}\n\n${error}data: ${chunk('-07')}\n\n${done}`,
  )
  t.equal(fault, undefined)
  t.match(written, '378')
  t.ok(written.endsWith(error), written)
})

t.test("the upstream's own error event ends a stream that has no other end", async (t) => {
  const { fault, x } = await run(
    masked,
    'anthropic',
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}\n\n',
  )
  t.equal(fault, undefined)
  t.ok(x.trace.upstreamError)
})

t.test('JSON lines of a tool: each is read and leaves by itself, whatever the chunks', async (t) => {
  const read = async (text: string, size: number): Promise<{ written: string[]; fault: string | undefined }> => {
    const { x, redaction } = masked.answered('http')
    const lined = grow(x, { operation: { ...x.operation, ...x.operation.lines } })
    const written: string[] = []
    const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
    try {
      const body = chunks(pieces.map((piece) => Buffer.from(piece)))
      for await (const out of filterStream(lined, masked.runtime, redaction, body)) written.push(out)
      return { written, fault: undefined }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      return { written, fault: error.code }
    }
  }
  const text = `{"id": 1.0}\r\n\n {"ssn": "${ssn}"}\n["x", {"y": "{\\"ssn\\": \\"${ssn}\\"}"}]\n7\n`
  const masking = text.replaceAll(ssn, '[US_SSN]')
  for (const size of [1, 2, 3, 7, 20, 500]) {
    const { written, fault } = await read(text, size)
    t.equal(fault, undefined)
    t.equal(written.join('').replaceAll(/\s/g, ''), masking.replaceAll(/\s/g, ''), `in ${size}`)
    t.ok(size > 20 || written.length > 1, 'before the end')
  }
  t.match(await read(`{"a":1}\n{"ssn":"${ssn}"}`, 9), { fault: undefined })
  t.equal((await read(`{"a":1}\n{"ssn":"${ssn}"}`, 9)).written.join('').trimEnd(), '{"a":1}\n{"ssn":"[US_SSN]"}')
  t.equal((await read(`"${ssn}"\n ["a"]\n`, 9)).written.join(''), '"[US_SSN]"\n ["a"]\n')
  t.equal((await read('{"a":1}\n12', 9)).fault, 'upstream-truncated')
  t.equal((await read('{"a":1}\n{"b":', 9)).fault, 'upstream-truncated')
  t.equal((await read('{"a":1}\n{"b":1} x\n', 9)).fault, 'upstream-invalid')
})

type Piece = { index: number; id?: string; function: { name?: string; arguments: string } }

/** What a client makes of a stream that goes by the indexes, as the SDKs of OpenAI do. */
function calledIn(written: string): { id: string; name: string; arguments: string }[] {
  const calls: { id: string; name: string; arguments: string }[] = []
  for (const line of written.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const { choices } = JSON.parse(line.slice(6)) as { choices: { delta: { tool_calls?: Piece[] } }[] }
    for (const piece of choices[0]?.delta.tool_calls ?? []) {
      const call = (calls[piece.index] ??= { id: '', name: '', arguments: '' })
      call.id += piece.id ?? ''
      call.name += piece.function.name ?? ''
      call.arguments += piece.function.arguments
    }
  }
  return calls
}

t.test('several calls under one index are each judged and written under an index of their own', async (t) => {
  const call = (id: string, name: string, args: string): Piece => ({
    index: 0,
    id,
    function: { name, arguments: args },
  })
  const event = (calls: Piece[] | undefined, finish: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta: calls === undefined ? {} : { tool_calls: calls }, finish_reason: finish }] })}\n\n`
  const rest: Piece = { index: 0, function: { arguments: ':1}' } }
  const ls = call('c1', 'ls', '{"a"')
  const rm = call('c2', 'rm', '{"b"')
  const cat = call('c3', 'cat', '{"c"')
  const last: Piece = { index: 7, id: 'c4', function: { name: 'ls', arguments: '{}' } }
  const kept = [
    { id: 'c1', name: 'ls', arguments: '{"a":1}' },
    { id: 'c3', name: 'cat', arguments: '{"c":1}' },
    { id: 'c4', name: 'ls', arguments: '{}' },
  ]
  const ways = {
    'an event each': [
      event([ls]),
      event([rest]),
      event([rm]),
      event([rest]),
      event([cat]),
      event([rest]),
      event([last]),
    ],
    'in one event': [event([ls, rest, rm, rest, cat, rest, last])],
    'the other index first': [event([last]), event([ls, rest, rm]), event([rest, cat, rest])],
  }
  for (const [way, events] of Object.entries(ways)) {
    const { written, fault } = await run(judged, 'openai', events.join('') + event(undefined, 'tool_calls') + done)
    t.equal(fault, undefined, way)
    t.same(calledIn(written), kept, way)
    t.match(written, /Gatewright denied.*rm/, way)
    const all = await run(masked, 'openai', events.join('') + event(undefined, 'tool_calls') + done)
    t.same(
      calledIn(all.written).map(({ id }) => id),
      ['c1', 'c2', 'c3', 'c4'],
      way,
    )
  }
  for (const again of [
    { ...rest, id: 'c2' },
    { ...call('c1', 'cat', '') },
    { ...rest, id: 'c2', function: { name: '', arguments: '' } },
  ]) {
    const { fault } = await run(judged, 'openai', event([ls]) + event([again]) + event(undefined, 'tool_calls') + done)
    t.equal(fault, 'upstream-invalid', JSON.stringify(again))
  }
})
