// A blocked value in the middle of a stream, by dialect: the AI SDK and LangChain show the reason, and nothing of the value.
// (LangChain on Gemini is left out: the client below it reads no errors in streams, so it only says that one broke.)
import { createHash } from 'node:crypto'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createGoogleGenerativeAI } from '@ai-sdk/google'
import { createOpenAI } from '@ai-sdk/openai'
import { ChatAnthropic } from '@langchain/anthropic'
import { ChatOpenAI } from '@langchain/openai'
import { streamText, type LanguageModel } from 'ai'
import t from 'tap'
import { startGateway } from '../support/gateway.ts'
import { answer, scriptedUpstream } from '../support/scripted-upstream.ts'

const upstream = await scriptedUpstream()
const sha256 = createHash('sha256').update('gw_test').digest('hex')
const gateway = await startGateway(`
upstreams:
  gemini: { protocol: gemini, url: ${upstream.url} }
  anthropic: { protocol: anthropic, url: ${upstream.url} }
  openai: { protocol: openai, url: ${upstream.url} }
routes:
  - { id: gemini, path: /gemini, upstream: gemini }
  - { id: anthropic, path: /anthropic, upstream: anthropic }
  - { id: openai, path: /openai, upstream: openai }
principals:
  - { id: agent, keys: [{ sha256: ${sha256} }] }
defaultEffect: allow
redaction:
  - { id: back, direction: response, detect: [us-ssn], action: block }
`)
t.teardown(async () => {
  await gateway.close()
  await upstream.close()
})

const said = 'Her number is 123-45-6789, and that is all of it for now.'
const reason = /blocks content with data of kind us-ssn/

function events(list: readonly { readonly type?: string }[]): string {
  const blocks = list.map((event) => {
    const name = event.type === undefined ? '' : `event: ${event.type}\n`
    return `${name}data: ${JSON.stringify(event)}\n\n`
  })
  return answer(200, blocks.join(''), { 'content-type': 'text/event-stream' })
}

const chunk = (content: string) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }],
})
const begun = { id: 'm', type: 'message', role: 'assistant', model: 'c', content: [], stop_reason: null }
const usage = { input_tokens: 1, output_tokens: 1 }

const streams = {
  gemini: events([{ candidates: [{ content: { role: 'model', parts: [{ text: said }] }, index: 0 }] } as object]),
  anthropic: events([
    { type: 'message_start', message: { ...begun, stop_sequence: null, usage } } as { type: string },
    { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } } as { type: string },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: said } } as { type: string },
  ]),
  openai: events([chunk(said) as object]),
}

const base = (route: string): string => `${gateway.url}/${route}`
const models: readonly (readonly [keyof typeof streams, LanguageModel])[] = [
  ['gemini', createGoogleGenerativeAI({ baseURL: `${base('gemini')}/v1beta`, apiKey: 'gw_test' })('gemini-2.5-flash')],
  ['anthropic', createAnthropic({ baseURL: `${base('anthropic')}/v1`, apiKey: 'gw_test' })('claude-sonnet-4-5')],
  ['openai', createOpenAI({ baseURL: `${base('openai')}/v1`, apiKey: 'gw_test' }).chat('gpt-4o')],
]

for (const [dialect, model] of models) {
  t.test(`the AI SDK on ${dialect}`, async (t) => {
    upstream.next(streams[dialect])
    const errors: string[] = []
    let text = ''
    try {
      for await (const part of streamText({ model, prompt: 'hello', onError: () => {} }).fullStream) {
        if (part.type === 'text-delta') text += part.text
        if (part.type === 'error')
          errors.push(part.error instanceof Error ? part.error.message : JSON.stringify(part.error))
      }
    } catch {
      // What broke the stream comes after its reason.
    }
    t.match(errors[0], reason)
    t.notMatch(text, '123')
  })
}

const chains = [
  [
    'anthropic',
    new ChatAnthropic({
      model: 'claude-sonnet-4-5',
      apiKey: 'gw_test',
      anthropicApiUrl: base('anthropic'),
      maxRetries: 0,
    }),
  ],
  [
    'openai',
    new ChatOpenAI({
      model: 'gpt-4o',
      apiKey: 'gw_test',
      configuration: { baseURL: `${base('openai')}/v1` },
      maxRetries: 0,
    }),
  ],
] as const

for (const [dialect, chain] of chains) {
  t.test(`LangChain on ${dialect}`, async (t) => {
    upstream.next(streams[dialect])
    let text = ''
    let failed: Error | undefined
    try {
      for await (const piece of await chain.stream('hello')) text += piece.text
    } catch (error) {
      failed = error as Error
    }
    t.match(failed?.message, reason)
    t.notMatch(text, '123')
  })
}
