// Google's own SDK with default options but the address, through a whole proxy in front of a scripted upstream.
import { ApiError, GoogleGenAI } from '@google/genai'
import t from 'tap'
import { call, chunk, cutOff, events, json, startOnGemini, told } from '../support/on-gemini.ts'

const { gateway, upstream, close } = await startOnGemini({ rate: '1/h' })
t.teardown(close)

const at = (path: string): GoogleGenAI =>
  new GoogleGenAI({ apiKey: 'gw_test', httpOptions: { baseUrl: `${gateway.url}${path}` } })
const client = at('/gemini')
const model = 'gemini-2.5-flash'

t.test('a plain call, redacted on its way out and restored on its way back', async (t) => {
  upstream.always(({ request, socket }) => {
    socket.write(json(chunk([{ text: `Written to ${told(request.body)}.` }], 'STOP')))
  })
  const result = await client.models.generateContent({ model, contents: 'Write to ada@example.org' })
  t.equal(result.text, 'Written to ada@example.org.')
  t.equal(upstream.requests.at(-1)?.target, `/v1/models/${model}:generateContent`)
  t.notMatch(upstream.requests.at(-1)?.body.toString(), 'ada@example.org')
})

t.test('a streamed call', async (t) => {
  upstream.always(events(chunk([{ text: 'Hello ' }]), chunk([{ text: 'there.' }], 'STOP')))
  let text = ''
  for await (const piece of await client.models.generateContentStream({ model, contents: 'hello' }))
    text += piece.text ?? ''
  t.equal(text, 'Hello there.')
})

t.test('a tool call that the rules allow, and one that they do not', async (t) => {
  const config = { tools: [{ functionDeclarations: [{ name: 'get_issue' }, { name: 'delete_issue' }] }] }
  upstream.always(json(call('get_issue')))
  const allowed = await client.models.generateContent({ model, contents: 'call', config })
  t.match(allowed.functionCalls, [{ name: 'get_issue', args: { id: 7 } }])
  upstream.always(json(call('delete_issue')))
  const denied = await client.models.generateContent({ model, contents: 'call', config })
  t.notOk(denied.functionCalls)
  t.match(denied.text, 'Destructive tools need dry_run.')
  upstream.always(events(chunk([{ text: 'One moment. ' }]), call('delete_issue')))
  let text = ''
  for await (const piece of await client.models.generateContentStream({ model, contents: 'call', config })) {
    t.notOk(piece.functionCalls)
    text += piece.text ?? ''
  }
  t.match(text, /^One moment\. .*Destructive tools need dry_run\./)
})

t.test('a denial is an ApiError with our reason, in one request', async (t) => {
  const before = upstream.requests.length
  const error: unknown = await client.models
    .generateContent({ model: 'forbidden-model', contents: 'hello' })
    .catch((error: unknown) => error)
  t.ok(error instanceof ApiError)
  t.match(error, { status: 403 })
  t.match((error as Error).message, /PERMISSION_DENIED/)
  t.match((error as Error).message, /Only approved models\./)
  t.equal(upstream.requests.length, before)
})

t.test('a limit is an ApiError, too', async (t) => {
  upstream.always(json(chunk([{ text: 'one' }], 'STOP')))
  const limited = at('/limited')
  await limited.models.generateContent({ model, contents: 'hello' })
  const error: unknown = await limited.models
    .generateContent({ model, contents: 'hello' })
    .catch((error: unknown) => error)
  t.ok(error instanceof ApiError)
  t.match(error, { status: 429 })
})

t.test('a stream that breaks off is an error, never a shorter answer', async (t) => {
  upstream.always(cutOff)
  const error: unknown = await (async () => {
    for await (const piece of await client.models.generateContentStream({ model, contents: 'hello' })) t.ok(piece)
  })().catch((error: unknown) => error)
  t.ok(error instanceof Error)
})
