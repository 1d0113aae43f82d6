// The Vercel AI SDK with its own providers, default options but the address, in front of the demo upstream.
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { APICallError, generateText, jsonSchema, RetryError, streamText, tool, type ToolSet } from 'ai'
import t from 'tap'
import { startOnDemo } from '../support/on-demo.ts'

const { gateway, demo, close } = await startOnDemo()
t.teardown(close)

const openai = createOpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_test' })
// It wants the version in the address; the other Anthropic clients do not. Both ways of writing it work.
const anthropics = ['/anthropic/v1', '/anthropic'].map((path) =>
  createAnthropic({ baseURL: `${gateway.url}${path}`, apiKey: 'gw_test' }),
)
const models = [openai.chat('gpt-4o'), ...anthropics.map((anthropic) => anthropic('claude-sonnet-4-5'))]

const inputSchema = jsonSchema({ type: 'object', properties: { id: { type: 'number' } } })
const tools = Object.fromEntries(
  ['get_issue', 'delete_issue'].map((name) => [name, tool({ description: name, inputSchema })]),
) as ToolSet

for (const model of models) {
  t.test(`${model.provider} ${model.modelId}`, async (t) => {
    t.test('plain and streamed, redacted and restored', async (t) => {
      const plain = await generateText({ model, prompt: 'demo: echo Write to ada@example.org today.' })
      t.equal(plain.text, 'Write to ada@example.org today.')
      t.notMatch(demo.requests.at(-1)?.body, 'ada@example.org')
      const stream = streamText({ model, prompt: 'demo: echo Write to ada@example.org today.' })
      let text = ''
      for await (const piece of stream.textStream) text += piece
      t.equal(text, 'Write to ada@example.org today.')
    })

    t.test('a tool call that the rules allow, and one that they do not', async (t) => {
      const allowed = await generateText({ model, tools, prompt: 'demo: call get_issue {"id": 7}' })
      t.match(allowed.toolCalls, [{ toolName: 'get_issue', input: { id: 7 } }])
      const prompt = 'demo: call delete_issue {"id": 7}'
      const denied = await generateText({ model, tools, prompt })
      t.same(denied.toolCalls, [])
      t.match(denied.text, 'Destructive tools need dry_run.')
      const stream = streamText({ model, tools, prompt })
      t.match(await stream.text, 'Destructive tools need dry_run.')
      t.same(await stream.toolCalls, [])
    })

    t.test('a denial is an APICallError with our reason, in one request', async (t) => {
      const requests = (): number => gateway.logged.filter(({ msg }) => msg === 'request').length
      const before = requests()
      const forbidden = model.provider.startsWith('openai')
        ? openai.chat('forbidden-model')
        : anthropics[0]?.('forbidden-model')
      if (forbidden === undefined) throw new Error('no model')
      const error: unknown = await generateText({ model: forbidden, prompt: 'hello' }).catch((error: unknown) => error)
      t.ok(APICallError.isInstance(error))
      t.match(error, { statusCode: 403, isRetryable: false })
      t.match((error as Error).message, 'Only approved models.')
      t.equal(requests(), before + 1)
    })
  })
}

t.test('a limit is told, and waited for as told', async (t) => {
  const limited = createOpenAI({ baseURL: `${gateway.url}/limited/v1`, apiKey: 'gw_test' }).chat('gpt-4o')
  await generateText({ model: limited, prompt: 'demo: say one' })
  const error: unknown = await generateText({ model: limited, prompt: 'demo: say two', maxRetries: 0 }).catch(
    (error: unknown) => error,
  )
  const last = RetryError.isInstance(error) ? error.lastError : error
  t.ok(APICallError.isInstance(last))
  t.match(last, { statusCode: 429, isRetryable: true })
})
