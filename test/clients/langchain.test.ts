// LangChain's own clients of both providers, default options but the address, in front of the demo upstream.
import { ChatAnthropic } from '@langchain/anthropic'
import type { AIMessageChunk } from '@langchain/core/messages'
import { ChatOpenAI } from '@langchain/openai'
import t from 'tap'
import { startOnDemo } from '../support/on-demo.ts'

const { gateway, demo, close } = await startOnDemo()
t.teardown(close)

const openai = (model: string): ChatOpenAI =>
  new ChatOpenAI({ model, apiKey: 'gw_test', configuration: { baseURL: `${gateway.url}/openai/v1` } })
const anthropic = (model: string): ChatAnthropic =>
  new ChatAnthropic({ model, apiKey: 'gw_test', anthropicApiUrl: `${gateway.url}/anthropic` })

const tools = ['get_issue', 'delete_issue'].map((name) => ({
  name,
  description: name,
  schema: { type: 'object', properties: { id: { type: 'number' } } } as const,
}))

for (const [name, open, model] of [
  ['openai', openai, 'gpt-4o'],
  ['anthropic', anthropic, 'claude-sonnet-4-5'],
] as const) {
  t.test(name, async (t) => {
    const chat = open(model)

    t.test('plain and streamed, redacted and restored', async (t) => {
      const plain = await chat.invoke('demo: echo Write to ada@example.org today.')
      t.equal(plain.text, 'Write to ada@example.org today.')
      t.notMatch(demo.requests.at(-1)?.body, 'ada@example.org')
      let whole: AIMessageChunk | undefined
      for await (const chunk of await chat.stream('demo: echo Write to ada@example.org today.'))
        whole = whole === undefined ? chunk : whole.concat(chunk)
      t.equal(whole?.text, 'Write to ada@example.org today.')
    })

    t.test('a tool call that the rules allow, and one that they do not', async (t) => {
      const withTools = chat.bindTools(tools)
      const allowed = await withTools.invoke('demo: call get_issue {"id": 7}')
      t.match(allowed.tool_calls, [{ name: 'get_issue', args: { id: 7 } }])
      const denied = await withTools.invoke('demo: call delete_issue {"id": 7}')
      t.same(denied.tool_calls, [])
      t.match(denied.text, 'Destructive tools need dry_run.')
    })

    t.test('a denial is its typed error with our reason, in one request', async (t) => {
      const requests = (): number => gateway.logged.filter(({ msg }) => msg === 'request').length
      const before = requests()
      const error: unknown = await open('forbidden-model')
        .invoke('hello')
        .catch((error: unknown) => error)
      t.match(error, { status: 403 })
      t.match((error as Error).message, 'Only approved models.')
      t.equal(requests(), before + 1)
    })
  })
}
