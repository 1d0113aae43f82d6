// Clients of Gemini that are not Google's own SDK: the Vercel AI SDK's provider and LangChain's, default options but the
// address, through a whole proxy in front of a scripted upstream.
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import type { AIMessageChunk } from '@langchain/core/messages'
import { ChatGoogleGenerativeAI } from '@langchain/google-genai'
import {
  APICallError,
  generateText,
  jsonSchema,
  RetryError,
  streamText,
  tool,
  ToolChoiceViolationError,
  type ToolSet,
} from 'ai'
import t from 'tap'
import { failure } from '../support/failure.ts'
import { call, chunk, cutOff, events, json, startOnGemini, told } from '../support/on-gemini.ts'
import { answer } from '../support/scripted-upstream.ts'

const { gateway, upstream, close } = await startOnGemini({ rate: '1/1s' })
t.teardown(close)

const echo = (streamed: boolean): void => {
  upstream.always(({ request, socket }) => {
    const token = told(request.body)
    const halves = [token.slice(0, 7), token.slice(7)]
    const whole = chunk([{ text: `Written to ${token}.` }], 'STOP')
    const split = events(chunk([{ text: `Written to ${halves[0]}` }]), chunk([{ text: `${halves[1]}.` }], 'STOP'))
    socket.write(streamed ? split : json(whole))
  })
}
const requests = (): number => gateway.logged.filter(({ msg }) => msg === 'request').length
const lastSeen = (): { target: string; body: string } => {
  const request = upstream.requests.at(-1)
  return { target: request?.target ?? '', body: request?.body.toString() ?? '' }
}
const names = ['get_issue', 'delete_issue', 'shell'] as const
const schema = { type: 'object', properties: { id: { type: 'number' } } } as const

t.test('the AI SDK', async (t) => {
  const at = (path: string) => createGoogleGenerativeAI({ baseURL: `${gateway.url}${path}`, apiKey: 'gw_test' })
  const google = at('/gemini/v1beta')
  const model = google('gemini-2.5-flash')
  const inputSchema = jsonSchema(schema)
  const tools = Object.fromEntries(names.map((name) => [name, tool({ description: name, inputSchema })])) as ToolSet

  t.test('plain and streamed, redacted and restored', async (t) => {
    for (const base of ['/gemini/v1beta', '/gemini']) {
      echo(false)
      const plain = await generateText({ model: at(base)('gemini-2.5-flash'), prompt: 'Write to ada@example.org' })
      t.equal(plain.text, 'Written to ada@example.org.')
      t.equal(lastSeen().target, '/v1beta/models/gemini-2.5-flash:generateContent')
      t.notMatch(lastSeen().body, 'ada@example.org')
    }
    echo(true)
    let text = ''
    for await (const piece of streamText({ model, prompt: 'Write to ada@example.org' }).textStream) text += piece
    t.equal(text, 'Written to ada@example.org.')
  })

  t.test('a tool call that the rules allow, one that they do not, and a tool that may never be called', async (t) => {
    upstream.always(json(call('get_issue')))
    const toolChoice = { type: 'tool', toolName: 'get_issue' } as const
    const allowed = await generateText({ model, tools, toolChoice, prompt: 'call' })
    t.match(allowed.toolCalls, [{ toolName: 'get_issue', input: { id: 7 } }])
    t.match(lastSeen().body, '"allowedFunctionNames":["get_issue"]')
    t.notMatch(lastSeen().body, 'shell')
    upstream.always(json(chunk([{ text: 'No.' }], 'STOP')))
    const forced = generateText({ model, tools, toolChoice: { type: 'tool', toolName: 'shell' }, prompt: 'call' })
    t.ok(ToolChoiceViolationError.isInstance(await failure(forced)))
    t.match(lastSeen().body, '"functionCallingConfig":{"mode":"NONE"}')
    upstream.always(json(call('delete_issue')))
    const denied = await generateText({ model, tools, prompt: 'call' })
    t.same(denied.toolCalls, [])
    t.match(denied.text, 'Destructive tools need dry_run.')
    upstream.always(events(chunk([{ text: 'One moment. ' }]), call('delete_issue')))
    const stream = streamText({ model, tools, prompt: 'call' })
    t.match(await stream.text, /^One moment\. .*Destructive tools need dry_run\./)
    t.same(await stream.toolCalls, [])
  })

  t.test('a denial is an APICallError with our reason, in one request', async (t) => {
    const before = requests()
    const error = await failure(generateText({ model: google('forbidden-model'), prompt: 'hello' }))
    t.ok(APICallError.isInstance(error))
    t.match(error, { statusCode: 403, isRetryable: false, message: 'Only approved models.' })
    t.equal(requests(), before + 1)
  })

  t.test('a limit is told, and waited for as told', async (t) => {
    const limited = at('/limited/v1beta')('gemini-2.5-flash')
    upstream.always(json(chunk([{ text: 'one' }], 'STOP')))
    await generateText({ model: limited, prompt: 'hello' })
    const error = await failure(generateText({ model: limited, prompt: 'hello', maxRetries: 0 }))
    const last = RetryError.isInstance(error) ? error.lastError : error
    t.ok(APICallError.isInstance(last))
    t.match(last, { statusCode: 429, isRetryable: true, message: /limit few/ })
    const before = requests()
    t.equal((await generateText({ model: limited, prompt: 'hello' })).text, 'one')
    t.equal(requests(), before + 2)
  })

  t.test('an upstream that fails is asked three times', async (t) => {
    const body = '{"error":{"code":500,"message":"no","status":"INTERNAL"}}'
    upstream.always(answer(500, body, { 'content-type': 'application/json', 'retry-after-ms': '1' }))
    const before = requests()
    const error = await failure(generateText({ model, prompt: 'hello' }))
    t.ok(RetryError.isInstance(error))
    t.equal(requests(), before + 3)
  })

  t.test('a stream that breaks off is an error, never a shorter answer', async (t) => {
    upstream.always(cutOff)
    const errors: unknown[] = []
    const stream = streamText({ model, prompt: 'hello', onError: ({ error }) => void errors.push(error) })
    const reason = await Promise.resolve(stream.finishReason).catch(() => 'none')
    t.ok(errors.length > 0)
    t.not(reason, 'stop')
  })
})

t.test('LangChain', async (t) => {
  const at = (path: string, model = 'gemini-2.5-flash', rest = {}): ChatGoogleGenerativeAI =>
    new ChatGoogleGenerativeAI({ model, apiKey: 'gw_test', baseUrl: `${gateway.url}${path}`, ...rest })
  const chat = at('/gemini')
  const tools = names.map((name) => ({ name, description: name, schema }))

  t.test('plain and streamed, redacted and restored', async (t) => {
    echo(false)
    t.equal((await chat.invoke('Write to ada@example.org')).text, 'Written to ada@example.org.')
    t.equal(lastSeen().target, '/v1beta/models/gemini-2.5-flash:generateContent')
    t.notMatch(lastSeen().body, 'ada@example.org')
    echo(true)
    let whole: AIMessageChunk | undefined
    for await (const piece of await chat.stream('Write to ada@example.org'))
      whole = whole === undefined ? piece : whole.concat(piece)
    t.equal(whole?.text, 'Written to ada@example.org.')
  })

  t.test('a tool call that the rules allow, one that they do not, and a tool that may never be called', async (t) => {
    upstream.always(json(call('get_issue')))
    const allowed = await chat.bindTools(tools, { tool_choice: 'get_issue' }).invoke('call')
    t.match(allowed.tool_calls, [{ name: 'get_issue', args: { id: 7 } }])
    t.match(lastSeen().body, '"allowedFunctionNames":["get_issue"]')
    t.notMatch(lastSeen().body, 'shell')
    upstream.always(json(chunk([{ text: 'No.' }], 'STOP')))
    t.equal((await chat.bindTools(tools, { tool_choice: 'shell' }).invoke('call')).text, 'No.')
    t.match(lastSeen().body, '"functionCallingConfig":{"mode":"NONE"}')
    upstream.always(json(call('delete_issue')))
    const denied = await chat.bindTools(tools).invoke('call')
    t.same(denied.tool_calls, [])
    t.match(denied.text, 'Destructive tools need dry_run.')
  })

  t.test('a denial is its typed error with our reason, in one request', async (t) => {
    const before = requests()
    const error = await failure(at('/gemini', 'forbidden-model').invoke('hello'))
    t.match(error, { status: 403 })
    t.match((error as Error).message, 'Only approved models.')
    t.equal(requests(), before + 1)
  })

  t.test('a limit is told, and waited for as told', async (t) => {
    upstream.always(json(chunk([{ text: 'one' }], 'STOP')))
    await at('/limited').invoke('hello')
    const error = await failure(at('/limited', undefined, { maxRetries: 0 }).invoke('hello'))
    t.match(error, { status: 429, message: /limit few/ })
    t.equal((await at('/limited').invoke('hello')).text, 'one')
  })
})
