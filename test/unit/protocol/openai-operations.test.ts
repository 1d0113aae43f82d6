import t from 'tap'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { Operation } from '../../../proxy/protocol/protocol.ts'
import { feed, golden, linesOfReading, parsed, readStream, sample } from './golden.ts'

function operation(method: string, path: string): Operation {
  const found = openaiProtocol.resolve(method, path)
  if (found === undefined) throw new Error(`${method} ${path} is missing`)
  return found
}

function resolve(method: string, path: string): string | undefined {
  const found = openaiProtocol.resolve(method, path)
  return found === undefined ? undefined : `${found.name} ${found.path}`
}

const chat = operation('POST', '/v1/chat/completions')
const completions = operation('POST', '/v1/completions')
const embeddings = operation('POST', '/v1/embeddings')

t.test('samples', async (t) => {
  const both: [string, string][] = [
    ['completions', '/v1/completions'],
    ['embeddings', '/v1/embeddings'],
    ['moderations', '/v1/moderations'],
    ['images', '/v1/images/generations'],
  ]
  for (const [name, path] of both) {
    const called = operation('POST', path)
    golden(
      t,
      `openai/${name}-request.json`,
      linesOfReading(called.readRequest(...parsed(`openai/${name}-request.json`))),
    )
    golden(t, `openai/${name}-answer.json`, linesOfReading(called.readAnswer(...parsed(`openai/${name}-answer.json`))))
  }
  const speech = operation('POST', '/v1/audio/speech')
  golden(t, 'openai/speech-request.json', linesOfReading(speech.readRequest(...parsed('openai/speech-request.json'))))
  for (const name of ['files', 'batches']) {
    const called = operation('GET', `/v1/${name}`)
    golden(t, `openai/${name}-answer.json`, linesOfReading(called.readAnswer(...parsed(`openai/${name}-answer.json`))))
  }
  const streams: [string, string][] = [
    ['completions-stream', '/v1/completions'],
    ['images-stream', '/v1/images/generations'],
  ]
  for (const [name, path] of streams)
    golden(t, `openai/${name}.sse`, readStream(operation('POST', path), sample(`openai/${name}.sse`)))
})

t.test('paths', async (t) => {
  const rows: [string, string, string][] = [
    ['POST', '/responses', 'responses /v1/responses'],
    ['POST', '/v1/v1/responses/input_tokens', 'responses.input_tokens /v1/responses/input_tokens'],
    ['POST', '/v1/responses/compact', 'responses.compact /v1/responses/compact'],
    ['GET', '/v1/responses/resp_1', 'responses.get /v1/responses/resp_1'],
    ['DELETE', '/v1/responses/resp_1', 'responses.delete /v1/responses/resp_1'],
    ['POST', '/v1/responses/resp_1/cancel', 'responses.cancel /v1/responses/resp_1/cancel'],
    ['GET', '/v1/responses/resp_1/input_items', 'responses.input_items /v1/responses/resp_1/input_items'],
    ['GET', '/v1/files', 'files.list /v1/files'],
    ['GET', '/files/file-1', 'files.get /v1/files/file-1'],
    ['GET', '/v1/batches', 'batches.list /v1/batches'],
    ['GET', '/v1/batches/batch_1', 'batches.get /v1/batches/batch_1'],
    ['POST', '/v1/batches/batch_1/cancel', 'batches.cancel /v1/batches/batch_1/cancel'],
    ['POST', '/openai/v1/responses', 'responses /openai/v1/responses'],
    ['GET', '/openai/v1/models', 'models.list /openai/v1/models'],
    [
      'POST',
      '/openai/deployments/my-gpt/chat/completions',
      'chat.completions /openai/deployments/my-gpt/chat/completions',
    ],
    ['POST', '/deployments/my-gpt/embeddings', 'embeddings /deployments/my-gpt/embeddings'],
  ]
  for (const [method, path, expected] of rows) t.equal(resolve(method, path), expected, `${method} ${path}`)
})

t.test('what cannot be inspected is refused, with a reason where it is known', async (t) => {
  const rows: [string, string, RegExp | undefined][] = [
    ['POST', '/v1/files', /files cannot be inspected/],
    ['GET', '/v1/files/file-1/content', /files cannot be inspected/],
    ['POST', '/v1/batches', /stand in a file/],
    ['POST', '/openai/v1/batches', /stand in a file/],
    ['POST', '/v1/audio/transcriptions', /multipart/],
    ['POST', '/v1/audio/translations', /multipart/],
    ['POST', '/v1/images/edits', /multipart/],
    ['POST', '/v1/images/variations', /multipart/],
    ['POST', '/v1/fine_tuning/jobs', /kept at the provider/],
    ['POST', '/v1/conversations', /kept at the provider/],
    ['GET', '/v1/vector_stores', /kept at the provider/],
    ['GET', '/v1/chat/completions', /kept at the provider/],
    ['GET', '/v1/chat/completions/chatcmpl-1/messages', /kept at the provider/],
    ['POST', '/v1/videos', /kept at the provider/],
    ['POST', '/v1/skills', /kept at the provider/],
    ['PUT', '/v1/chat/completions', undefined],
    ['DELETE', '/v1/files/file-1', undefined],
    ['POST', '/v1/batches/batch_1', undefined],
    ['PATCH', '/v1/responses/resp_1', undefined],
    ['GET', '/v1/responses', undefined],
    ['GET', '/v1/responses/resp_1/cancel', undefined],
    ['POST', '/v1/responses/../files', undefined],
    ['POST', '/openai/deployments/my-gpt/responses', undefined],
    ['GET', '/openai/deployments/my-gpt/models', undefined],
    ['POST', '/openai/deployments/4111111111111111/chat/completions', undefined],
    ['POST', '/openai/deployments/a%2fb/chat/completions', undefined],
  ]
  for (const [method, path, why] of rows) {
    t.equal(resolve(method, path), undefined, `${method} ${path}`)
    const said = openaiProtocol.whyUnserved?.(method, path)
    if (why === undefined) t.equal(said, undefined, path)
    else t.match(said, why, path)
  }
})

t.test('a deployment is the model, and only one model is named', async (t) => {
  const chat = operation('POST', '/openai/deployments/my-gpt/chat/completions')
  const read = (body: { readonly [key: string]: string | null | [] }) => chat.readRequest(body, JSON.stringify(body))
  t.match(read({ messages: [] }), { ok: true, content: { model: 'my-gpt' } })
  t.match(read({ messages: [], model: null }), { ok: true, content: { model: 'my-gpt' } })
  t.match(read({ messages: [], model: 'my-gpt' }), { ok: true, content: { model: 'my-gpt' } })
  t.match(read({ messages: [], model: 'gpt-4o' }), { ok: false })
  t.match(chat.readRequest([], '[]'), { ok: false })
})

t.test('shapes that are none are refused', async (t) => {
  const rows: [Operation, { readonly [key: string]: string | number | { readonly [key: string]: string } }][] = [
    [completions, { prompt: 'x' }],
    [completions, { model: 'm', prompt: { text: 'x' } }],
    [embeddings, { model: 'm' }],
    [embeddings, { model: 'm', input: { text: 'x' } }],
    [operation('POST', '/v1/moderations'), { input: 7 }],
    [operation('POST', '/v1/images/generations'), { prompt: 7 }],
    [operation('POST', '/v1/audio/speech'), { model: 'tts-1' }],
  ]
  for (const [called, body] of rows) t.match(called.readRequest(body, JSON.stringify(body)), { ok: false }, called.name)
  t.match(completions.readAnswer({ choices: {} }, '{"choices":{}}'), { ok: false })
})

t.test('streams: what only makes events longer may differ where it says nothing', async (t) => {
  const open = () => {
    const reader = chat.openStream?.()
    if (reader === undefined) throw new Error('no stream')
    return reader
  }
  const said = (obfuscation: unknown) => ({ id: 'c', choices: [{ index: 0, delta: { content: 'x' } }], obfuscation })
  const varying = [{ address: { path: ['obfuscation'] }, kind: 'padding' }]
  for (const word of ['', 'a', 'a1B2']) t.match(feed(open(), said(word)), { repeatable: true, varying }, word)
  for (const other of ['7', 'ada@example.org', { text: 'x' }]) t.notOk('repeatable' in feed(open(), said(other)))
  t.notOk('varying' in feed(open(), said(7)))
})

t.test('legacy streams: what has no single meaning is refused', async (t) => {
  const open = () => {
    const reader = completions.openStream?.()
    if (reader === undefined) throw new Error('no stream')
    return reader
  }
  const choice = (text: string, more: object = {}) => ({ id: 'c', choices: [{ index: 0, text, ...more }] })
  const finished = choice('x', { finish_reason: 'stop' })
  t.match(feed(open(), '{"choices":'), { ok: false })
  t.match(feed(open(), []), { ok: false })
  t.match(feed(open(), { choices: [{ text: 'x' }] }), { ok: false })
  t.match(feed(open(), finished, choice('y')), { ok: false })
  t.match(feed(open(), '[DONE]', choice('y')), { ok: false })
  t.match(feed(open(), choice('y'), '[DONE]'), { ok: true, terminal: true, ends: ['text:0'] })
  t.match(feed(open(), choice('x', { finish_reason: '' }), choice('y')), { ok: true, ends: [] })
  t.match(feed(open(), choice('y')), { ok: true, repeatable: true })
  t.match(feed(open(), { error: { message: 'out of order' } }), { ok: true, error: true })
  const reader = open()
  feed(reader, choice('x'))
  t.match(reader.deltaEvent('text:0', 'y'), /^data: {"id":"c","choices":\[{"index":0,"text":"y"/)
})
