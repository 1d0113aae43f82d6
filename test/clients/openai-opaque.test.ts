// The official OpenAI SDK on operations that no adapter reads, through routes that let such pass.
import { createHash } from 'node:crypto'
import OpenAI, { toFile } from 'openai'
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { answer, jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

const upstream = await scriptedUpstream()
const sha256 = createHash('sha256').update('gw_test').digest('hex')
const credential = 'credential: { bearer: { fromEnv: PROVIDER_KEY } }'
const gateway = await startGateway(
  `
upstreams:
  openai: { protocol: openai, url: ${upstream.url}, ${credential} }
  audio: { protocol: openai, url: ${upstream.url}/v1/audio, ${credential} }
  files: { protocol: openai, url: ${upstream.url}/v1/files, ${credential} }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: audio, path: /openai/v1/audio, upstream: audio, posture: opaque }
  - { id: files, path: /openai/v1/files, upstream: files, posture: opaque }
principals:
  - { id: agent, keys: [{ sha256: ${sha256} }] }
defaultEffect: deny
rules:
  - { id: transcriptions, effect: allow, actions: [model.call], routes: [audio], when: operation == "opaque" }
  - { id: files, effect: allow, actions: [model.call], routes: [files] }
  - { id: tools, effect: allow, actions: [tool.call] }
redaction:
  - { id: both, direction: both, detect: [email], action: mask }
`,
  { env: { PROVIDER_KEY: 'provider-key' } },
)
t.teardown(async () => {
  await gateway.close()
  await upstream.close()
})

const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_test', maxRetries: 0 })
const sound = () => toFile(Buffer.from('RIFF ada@example.org'), 'a.wav')

t.test('sound is transcribed, and the transcription is read', async (t) => {
  upstream.next(jsonAnswer(200, { text: 'Write to ada@example.org.' }))
  const { data, response } = await client.audio.transcriptions
    .create({ file: await sound(), model: 'whisper-1' })
    .withResponse()
  t.equal(data.text, 'Write to [EMAIL].')
  t.equal(response.headers.get('x-gatewright-uninspected'), 'request:body, operation')
  const seen = upstream.requests.at(-1)
  t.equal(seen?.target, '/v1/audio/transcriptions')
  t.match(seen?.body.toString(), /RIFF ada@example\.org\r\n[^]*name="model"\r\n\r\nwhisper-1\r\n/)
  t.match(seen?.headers.join('\n'), 'Bearer provider-key')
  t.notMatch(seen?.headers.join('\n'), 'gw_test')
})

t.test('a streamed transcription comes as it is', async (t) => {
  const events = ['Write ', 'to ada@example.org.'].map((delta) => ({ type: 'transcript.text.delta', delta }))
  const done = { type: 'transcript.text.done', text: 'Write to ada@example.org.' }
  const body = [...events, done].map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
  upstream.next(answer(200, body, { 'content-type': 'text/event-stream' }))
  const seen: string[] = []
  const stream = await client.audio.transcriptions.create({
    file: await sound(),
    model: 'gpt-4o-transcribe',
    stream: true,
  })
  for await (const event of stream) seen.push(event.type)
  t.same(seen, ['transcript.text.delta', 'transcript.text.delta', 'transcript.text.done'])
})

t.test('files go up, are listed and come down', async (t) => {
  upstream.next(jsonAnswer(200, { id: 'file-1', object: 'file' }))
  t.equal((await client.files.create({ file: await sound(), purpose: 'user_data' })).id, 'file-1')
  upstream.next(answer(200, 'RIFF ada@example.org', { 'content-type': 'application/octet-stream' }))
  t.equal(await (await client.files.content('file-1')).text(), 'RIFF ada@example.org')
  const targets = upstream.requests.slice(-2).map(({ method, target }) => `${method} ${target}`)
  t.same(targets, ['POST /v1/files', 'GET /v1/files/file-1/content'])
  upstream.next(jsonAnswer(200, { object: 'list', data: [{ id: 'file-1', filename: 'ada@example.org' }] }))
  t.equal((await client.files.list()).data[0]?.filename, '[EMAIL]')
})

t.test('what has an adapter is judged by what it asks, there as well', async (t) => {
  const sent = upstream.requests.length
  const ask = { model: 'tts-1', input: 'hello', voice: 'alloy' } as const
  const refused: unknown = await client.audio.speech.create(ask).catch((error: unknown) => error)
  t.ok(refused instanceof OpenAI.PermissionDeniedError)
  await t.rejects(client.uploads.create({ bytes: 1, filename: 'a', mime_type: 'text/plain', purpose: 'batch' }), {
    message: /posture: opaque/,
  })
  t.equal(upstream.requests.length, sent)
})
