// The Ollama dialect: its paths, its samples, what it refuses, and how denied calls leave its answers and lines.
import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { framings } from '../../../proxy/lib/framing.ts'
import { ollamaProtocol } from '../../../proxy/protocol/ollama.ts'
import type { Operation, StreamReader, StreamStep } from '../../../proxy/protocol/protocol.ts'
import { feed, golden, linesOfReading, linesOfStep, parsed, sample } from './golden.ts'

function operation(path: string, method = 'POST'): Operation {
  const found = ollamaProtocol.resolve(method, path)
  if (found === undefined) throw new Error(`${path} is not served`)
  return found
}

function open(name: 'chat' | 'generate' = 'chat'): StreamReader {
  const reader = operation(`/api/${name}`).openStream?.()
  if (reader === undefined) throw new Error('no stream')
  return reader
}

t.test('paths', async (t) => {
  const posts = ['chat', 'generate', 'embed', 'embeddings', 'show']
  for (const name of posts) t.match(ollamaProtocol.resolve('POST', `/api/${name}`), { name, path: `/api/${name}` })
  for (const name of ['tags', 'ps', 'version']) t.ok(ollamaProtocol.resolve('GET', `/api/${name}`), name)
  t.match(ollamaProtocol.resolve('POST', '/api//api/chat'), { path: '/api/chat' })
  for (const name of ['pull', 'push', 'create', 'copy', 'delete', 'blobs/sha256:1', 'web_search', 'chat/', 'Chat'])
    t.equal(ollamaProtocol.resolve('POST', `/api/${name}`), undefined, name)
  t.equal(ollamaProtocol.resolve('DELETE', '/api/delete'), undefined)
  t.equal(ollamaProtocol.resolve('GET', '/api/chat'), undefined)
  t.equal(ollamaProtocol.resolve('POST', '/v1/chat/completions'), undefined, 'the openai format')
})

t.test('samples', async (t) => {
  for (const name of ['chat', 'generate', 'embed']) {
    const served = operation(`/api/${name}`)
    golden(
      t,
      `ollama/${name}-request.json`,
      linesOfReading(served.readRequest(...parsed(`ollama/${name}-request.json`))),
    )
    golden(t, `ollama/${name}-answer.json`, linesOfReading(served.readAnswer(...parsed(`ollama/${name}-answer.json`))))
  }
  const tags = operation('/api/tags', 'GET')
  golden(t, 'ollama/tags-answer.json', linesOfReading(tags.readAnswer(...parsed('ollama/tags-answer.json'))))
  const show = operation('/api/show')
  golden(t, 'ollama/show-answer.json', linesOfReading(show.readAnswer(...parsed('ollama/show-answer.json'))))
  for (const name of ['chat-stream', 'generate-stream', 'error-stream']) {
    const reader = open(name.startsWith('generate') ? 'generate' : 'chat')
    const { ndjson } = framings
    const { blocks } = ndjson.open({ eventBytesMax: 10_000 }).split(Buffer.from(sample(`ollama/${name}.ndjson`)))
    golden(
      t,
      `ollama/${name}.ndjson`,
      blocks.flatMap((raw) => ['line', ...linesOfStep(reader.read(ndjson.parse(raw)))]),
    )
  }
})

t.test('it streams unless told not to', async (t) => {
  const chat = operation('/api/chat')
  const said = (more: object) => {
    const body = { model: 'm', messages: [], ...more } as Json
    return chat.readRequest(body, JSON.stringify(body))
  }
  t.match(said({}), { content: { stream: true } })
  t.match(said({ stream: false }), { content: { stream: false } })
  t.match(said({ stream: null }), { content: { stream: true } })
  t.match(operation('/api/embed').readRequest({ model: 'm', input: 'x' }, '{}'), { content: { stream: false } })
})

t.test('requests that could be read in two ways are refused', async (t) => {
  const bodies: Json[] = [
    [],
    { messages: [] },
    { model: 'm', Tools: [] },
    { model: 'm', messages: [{ role: 'user', Content: 'x' }] },
    { model: 'm', messages: [{ content: 'x' }] },
    { model: 'm', messages: ['x'] },
    { model: 'm', messages: {} },
    { model: 'm', stream: 'false' },
    { model: 'm', options: [] },
    { model: 'm', tools: [{ name: 'x' }] },
    { model: 'm', name: 'n' },
  ]
  for (const body of bodies) {
    const text = JSON.stringify(body)
    t.match(operation('/api/chat').readRequest(body, text), { ok: false }, text)
  }
})

const line = (message: object, more: object = {}) => ({ model: 'm', created_at: 'x', message, done: false, ...more })
const called = { function: { name: 'rm', arguments: { path: '/etc' } } }

t.test('streams that have no single meaning are refused', async (t) => {
  const rows: [string, unknown[]][] = [
    ['no JSON', ['{']],
    ['a list', ['[]']],
    ['a line after the end', [line({}, { done: true }), line({ content: 'x' })]],
    ['a call without a name', [line({ tool_calls: [{ function: {} }] })]],
    ['calls that are no list', [line({ tool_calls: called })]],
    ['a message that is none', [{ message: [] }]],
  ]
  for (const [what, lines] of rows) t.match(feed(open(), ...lines), { ok: false }, what)
})

t.test('lines of our own look like theirs', async (t) => {
  const reader = open()
  feed(reader, line({ thinking: 'a' }))
  t.equal(
    reader.deltaEvent('thinking:0', 'X'),
    `${JSON.stringify(line({ role: 'assistant', content: '', thinking: 'X' }))}\n`,
  )
  const completing = open('generate')
  feed(completing, { model: 'm', response: 'a', done: false })
  t.equal(completing.deltaEvent('text:0', 'X\n'), '{"model":"m","response":"X\\n","done":false}\n')
  t.equal(completing.deltaEvent('thinking:0', 'X'), '{"model":"m","response":"","thinking":"X","done":false}\n')
})

t.test('denied calls leave an answer and a line, and text stands in their place', async (t) => {
  const refuse = (body: object, ...which: number[]): unknown => {
    const chat = operation('/api/chat')
    const text = JSON.stringify(body)
    const reading = chat.readAnswer(JSON.parse(text) as Json, text)
    const calls = reading.ok ? reading.content.toolCalls : []
    const refused = which.map((at) => ({ call: calls[at] as (typeof calls)[number], text: `No ${at}.` }))
    return JSON.parse(applyEdits(text, chat.refuseCalls?.(JSON.parse(text) as Json, refused) ?? []))
  }
  t.same(refuse(line({ content: 'So.', tool_calls: [called] }), 0), line({ content: 'So.\n\nNo 0.' }))
  t.same(
    refuse(line({ tool_calls: [called, called, called] }), 0, 2),
    line({ tool_calls: [called], content: 'No 0.\n\nNo 2.' }),
  )
  t.same(refuse({ response: '', tool_calls: [called] }, 0), { response: 'No 0.' })

  const reader = open()
  const step = feed(reader, line({ content: 'So.' }), line({ content: '', tool_calls: [called] }))
  t.match(step, { ends: ['text:0'], calls: [{ name: 'rm', args: { path: '/etc' } }] })
  const [call] = (step as Extract<StreamStep, { ok: true }>).calls
  if (call === undefined) throw new Error('no call')
  t.same(reader.refuse?.(call, 'No.'), { opening: '', channel: 'text:0', text: '\n\nNo.' })
  t.same(reader.amend?.(line({ tool_calls: [called] }) as Json, [{ call, text: 'No.' }]), [
    { address: { path: ['message', 'tool_calls'] }, remove: true },
  ])
})

t.test('refusals are texts', async (t) => {
  const fault = { code: 'denied', kind: 'denied', status: 403, message: 'No.', retry: 'never', requestId: 'r' } as const
  t.match(ollamaProtocol.refusal(fault), { status: 403, body: '{"error":"No."}' })
  t.equal(ollamaProtocol.streamError(fault), '{"error":"No."}\n')
})
