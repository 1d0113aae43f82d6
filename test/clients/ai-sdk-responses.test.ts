// The Vercel AI SDK and LangChain on OpenAI's Responses format, which the first of them uses unless told otherwise, in
// front of a scripted upstream. How a failure in the middle of a stream is said decides whether they show its reason.
import { createHash } from 'node:crypto'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatOpenAI } from '@langchain/openai'
import { APICallError, generateText, jsonSchema, streamText, tool, type ToolSet } from 'ai'
import OpenAI from 'openai'
import t from 'tap'
import { failure } from '../support/failure.ts'
import { startGateway } from '../support/gateway.ts'
import { call, message, response, streamed } from '../support/response-sample.ts'
import { jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

const upstream = await scriptedUpstream()
const sha256 = createHash('sha256').update('gw_test').digest('hex')
const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: ${upstream.url} }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: codex, path: /codex, upstream: openai, denyStatus: codex }
  - { id: limited, path: /limited, upstream: openai }
principals:
  - { id: agent, keys: [{ sha256: ${sha256} }] }
defaultEffect: deny
rules:
  - { id: everyone, effect: allow, actions: [model.call, tool.call, tool.offer] }
  - { id: approved-models, effect: deny, actions: [model.call], models: ['forbidden*'], reason: Only approved models. }
  - { id: no-deletes, effect: deny, actions: [tool.call], tools: ['delete_*'], reason: Nothing is deleted. }
redaction:
  - { id: out, direction: request, detect: [email], action: token }
  - { id: back, direction: response, detect: [us-ssn], action: block }
limits:
  - { id: few, by: [route], routes: [limited], requests: 1/h }
`)
t.teardown(async () => {
  await gateway.close()
  await upstream.close()
})

const provider = (route = 'openai') => createOpenAI({ baseURL: `${gateway.url}/${route}/v1`, apiKey: 'gw_test' })
const model = provider()('gpt-5.1')
const inputSchema = jsonSchema({ type: 'object', properties: { id: { type: 'number' } } })
const tools = Object.fromEntries(
  ['get_issue', 'delete_issue'].map((name) => [name, tool({ description: name, inputSchema })]),
) as ToolSet
const prompt = 'hello'

type Streamed = { readonly text: string; readonly errors: string[] }

async function streamedText(running: ReturnType<typeof streamText>): Promise<Streamed> {
  const errors: string[] = []
  let text = ''
  try {
    for await (const part of running.fullStream) {
      if (part.type === 'text-delta') text += part.text
      if (part.type === 'error')
        errors.push(part.error instanceof Error ? part.error.message : JSON.stringify(part.error))
    }
  } catch {
    // What broke the stream comes after its reason.
  }
  return { text, errors }
}

const quiet = { onError: () => {} }

t.test('plain and streamed, redacted and restored', async (t) => {
  const echo = (streams: boolean) =>
    upstream.next(async (scene) => {
      const token = /EMAIL_[0-9a-z]{10}/.exec(scene.request.body.toString())?.[0] ?? 'none'
      const output = [message('msg_1', `Sent to ${token} today.`)]
      await scene.write(streams ? streamed(output) : jsonAnswer(200, response(output)))
    })
  echo(false)
  const plain = await generateText({ model, prompt: 'Write to ada@example.org.' })
  t.equal(plain.text, 'Sent to ada@example.org today.')
  t.match(upstream.requests.at(-1)?.target, /^\/v1\/responses$/)
  echo(true)
  const { text, errors } = await streamedText(streamText({ model, prompt: 'Write to ada@example.org.' }))
  t.same({ text, errors }, { text: 'Sent to ada@example.org today.', errors: [] })
})

t.test('a tool call that the rules allow, and one that they do not', async (t) => {
  const allowed = [call('fc_1', 'get_issue', '{"id":7}')]
  const denied = [call('fc_1', 'delete_issue', '{"id":7}')]
  upstream.next(jsonAnswer(200, response(allowed)), streamed(allowed))
  t.match((await generateText({ model, tools, prompt })).toolCalls, [{ toolName: 'get_issue', input: { id: 7 } }])
  t.match(await streamText({ model, tools, prompt }).toolCalls, [{ toolName: 'get_issue', input: { id: 7 } }])
  upstream.next(jsonAnswer(200, response(denied)), streamed(denied))
  const whole = await generateText({ model, tools, prompt })
  t.same(whole.toolCalls, [])
  t.match(whole.text, 'Nothing is deleted.')
  const running = streamText({ model, tools, prompt })
  t.match(await running.text, 'Nothing is deleted.')
  t.same(await running.toolCalls, [])
})

t.test('a denial and a limit are APICallErrors with our reason, in one request each', async (t) => {
  const requests = (): number => gateway.logged.filter(({ msg }) => msg === 'request').length
  const before = requests()
  const denied = await failure(generateText({ model: provider()('forbidden-model'), prompt }))
  t.ok(APICallError.isInstance(denied))
  t.match(denied, { statusCode: 403, isRetryable: false, message: /Only approved models/ })
  t.equal(requests(), before + 1)
  upstream.next(jsonAnswer(200, response([message('msg_1', 'one')])))
  const limited = provider('limited')('gpt-5.1')
  await generateText({ model: limited, prompt })
  const error = await failure(generateText({ model: limited, prompt, maxRetries: 0 }))
  t.ok(APICallError.isInstance(error))
  t.match(error, { statusCode: 429, isRetryable: true })
})

t.test('a failure in the middle of a stream shows its reason', async (t) => {
  const cutOff = () => upstream.next(streamed([message('msg_1', 'It is long.')], 6))
  const blocked = () => upstream.next(streamed([message('msg_1', 'Her number is 123-45-6789, and that is all.')]))
  cutOff()
  const { errors } = await streamedText(streamText({ model, prompt, ...quiet }))
  t.match(errors[0], /broke off/)
  blocked()
  const stopped = await streamedText(streamText({ model, prompt, ...quiet }))
  t.match(stopped.errors[0], /us-ssn|blocked|may not/i)
  t.notMatch(stopped.text, '123')

  const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_test' })
  cutOff()
  const official = await failure(client.responses.stream({ model: 'gpt-5.1', input: prompt }).finalResponse())
  t.ok(official instanceof OpenAI.APIError)
  t.match(official?.message, /broke off/)

  const chain = new ChatOpenAI({
    model: 'gpt-5.1',
    useResponsesApi: true,
    apiKey: 'gw_test',
    maxRetries: 0,
    configuration: { baseURL: `${gateway.url}/openai/v1` },
  })
  cutOff()
  const chained = await failure(
    (async () => {
      for await (const piece of await chain.stream(prompt)) t.ok(piece)
    })(),
  )
  t.match(chained?.message, /broke off/)
})

t.test('Codex is told in the one way that it shows', async (t) => {
  upstream.next(streamed([message('msg_1', 'Her number is 123-45-6789, and that is all.')]))
  const answer = await fetch(`${gateway.url}/codex/v1/responses`, {
    method: 'POST',
    headers: { authorization: 'Bearer gw_test', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-5.1', input: prompt, stream: true }),
  })
  let text = ''
  const reading = (async () => {
    for await (const piece of (answer.body ?? []) as AsyncIterable<Uint8Array>) text += Buffer.from(piece).toString()
  })()
  t.ok(await failure(reading), 'the connection is broken')
  const last = text.trimEnd().split('\n\n').at(-1) ?? ''
  t.match(last, /^event: response\.failed\n/)
  const event = JSON.parse(last.split('\ndata: ')[1] ?? '') as unknown
  t.match(event, { type: 'response.failed', response: { status: 'failed', error: { code: 'invalid_prompt' } } })
})
