// The official OpenAI SDK on everything but chat and responses, and its Azure client, through a whole proxy in front of a
// scripted upstream.
import { createHash } from 'node:crypto'
import OpenAI, { AzureOpenAI } from 'openai'
import t from 'tap'
import { failure } from '../support/failure.ts'
import { startGateway } from '../support/gateway.ts'
import { answer, jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

const upstream = await scriptedUpstream()
const sha256 = createHash('sha256').update('gw_test').digest('hex')
const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: ${upstream.url} }
routes:
  - { id: openai, path: /openai-route, upstream: openai }
principals:
  - { id: agent, keys: [{ sha256: ${sha256} }] }
defaultEffect: deny
rules:
  - { id: models, effect: allow, actions: [model.call], models: ['gpt-*', 'text-*', 'tts-*', 'omni-*'] }
  - { id: tools, effect: allow, actions: [tool.call] }
redaction:
  - { id: out, direction: request, detect: [email], action: mask }
`)
t.teardown(async () => {
  await gateway.close()
  await upstream.close()
})

const client = new OpenAI({ baseURL: `${gateway.url}/openai-route/v1`, apiKey: 'gw_test' })
const sentBody = (): string => upstream.requests.at(-1)?.body.toString() ?? ''

t.test('embeddings come back as numbers, their input goes out masked', async (t) => {
  const embedding = Buffer.from(new Float32Array([0.25, -0.5]).buffer).toString('base64')
  const usage = { prompt_tokens: 2, total_tokens: 2 }
  upstream.next(jsonAnswer(200, { object: 'list', data: [{ object: 'embedding', index: 0, embedding }], usage }))
  const made = await client.embeddings.create({ model: 'text-embedding-3-small', input: 'ada@example.org' })
  t.same(made.data[0]?.embedding, [0.25, -0.5])
  t.notMatch(sentBody(), 'ada@example.org')
})

t.test('legacy completions, plain and streamed', async (t) => {
  const choice = (text: string, finish_reason: string | null = null) => ({
    id: 'cmpl-1',
    object: 'text_completion',
    choices: [{ index: 0, text, finish_reason, logprobs: null }],
  })
  const ask = { model: 'gpt-3.5-turbo-instruct', prompt: 'I am ada@example.org' }
  upstream.next(jsonAnswer(200, choice('Hello.', 'stop')))
  t.equal((await client.completions.create(ask)).choices[0]?.text, 'Hello.')
  t.notMatch(sentBody(), 'ada@example.org')
  const events = [choice('Hel'), choice('lo.', 'stop')].map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')
  upstream.next(answer(200, `${events}data: [DONE]\n\n`, { 'content-type': 'text/event-stream' }))
  let text = ''
  for await (const chunk of await client.completions.create({ ...ask, stream: true })) text += chunk.choices[0]?.text
  t.equal(text, 'Hello.')
  upstream.next(answer(200, events, { 'content-type': 'text/event-stream' }))
  const cut = await failure(
    (async () => {
      for await (const chunk of await client.completions.create({ ...ask, stream: true })) t.ok(chunk.id)
    })(),
  )
  t.ok(cut instanceof OpenAI.APIError)
})

t.test('moderations, images and files', async (t) => {
  upstream.next(jsonAnswer(200, { id: 'modr-1', model: 'omni', results: [{ flagged: true }] }))
  t.equal((await client.moderations.create({ model: 'omni-latest', input: 'x' })).results[0]?.flagged, true)
  upstream.next(jsonAnswer(200, { created: 1, data: [{ b64_json: 'aGVsbG8=' }] }))
  const made = await client.images.generate({ model: 'gpt-image-1', prompt: 'ada@example.org' })
  t.equal(made.data?.[0]?.b64_json, 'aGVsbG8=')
  t.notMatch(sentBody(), 'ada@example.org')
  upstream.next(jsonAnswer(200, { object: 'list', data: [{ id: 'file-1', object: 'file' }], has_more: false }))
  t.equal((await client.files.list()).data[0]?.id, 'file-1')
})

t.test('what cannot be inspected is a PermissionDeniedError that says so, and nothing is sent', async (t) => {
  const before = upstream.requests.length
  const rows: [() => Promise<unknown>, RegExp][] = [
    [
      () => client.batches.create({ input_file_id: 'file-1', endpoint: '/v1/embeddings', completion_window: '24h' }),
      /in a file/,
    ],
    [() => client.files.create({ file: new File(['x'], 'x.jsonl'), purpose: 'batch' }), /files cannot be inspected/],
    [() => client.files.content('file-1'), /files cannot be inspected/],
    [() => client.audio.transcriptions.create({ file: new File(['x'], 'x.mp3'), model: 'whisper-1' }), /multipart/],
    [() => client.fineTuning.jobs.create({ model: 'gpt-4o', training_file: 'file-1' }), /kept at the provider/],
  ]
  for (const [ask, reason] of rows) {
    const error = await failure(ask())
    t.ok(error instanceof OpenAI.PermissionDeniedError, String(reason))
    t.match((error as Error).message, reason)
  }
  t.equal(upstream.requests.length, before)
})

t.test('the Azure client: its deployment is the model', async (t) => {
  const azure = (deployment: string) =>
    new AzureOpenAI({
      endpoint: `${gateway.url}/openai-route`,
      apiKey: 'gw_test',
      apiVersion: '2024-10-21',
      deployment,
      maxRetries: 0,
    })
  const ask = { model: '', messages: [{ role: 'user' as const, content: 'ada@example.org' }] }
  const said = { index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }
  upstream.next(jsonAnswer(200, { id: 'c1', object: 'chat.completion', choices: [said] }))
  const made = await azure('gpt-ours').chat.completions.create({ ...ask, model: 'gpt-ours' })
  t.equal(made.choices[0]?.message.content, 'Hello.')
  t.equal(upstream.requests.at(-1)?.target, '/openai/deployments/gpt-ours/chat/completions?api-version=2024-10-21')
  t.notMatch(sentBody(), 'ada@example.org')
  const denied = await failure(azure('forbidden').chat.completions.create({ ...ask, model: 'forbidden' }))
  t.ok(denied instanceof OpenAI.PermissionDeniedError)
  const azureUpstream = { id: 'resp_1', object: 'response', output: [], model: 'gpt-ours' }
  upstream.next(jsonAnswer(200, azureUpstream), jsonAnswer(200, { object: 'list', data: [{ id: 'gpt-ours' }] }))
  const responding = azure('gpt-ours').responses.create({ model: 'gpt-ours', input: 'ada@example.org' })
  t.equal((await responding).output_text, '')
  t.equal(upstream.requests.at(-1)?.target, '/openai/responses?api-version=2024-10-21')
  t.notMatch(sentBody(), 'ada@example.org')
  t.equal((await azure('gpt-ours').models.list()).data[0]?.id, 'gpt-ours')
  t.equal(upstream.requests.at(-1)?.target, '/openai/models?api-version=2024-10-21')
  const two = await failure(azure('gpt-ours').chat.completions.create({ ...ask, model: 'o3' }))
  t.ok(two instanceof OpenAI.BadRequestError)
})
