import t from 'tap'
import type { Json } from '../../../proxy/lib/json.ts'
import { messagesUsage } from '../../../proxy/protocol/anthropic-messages.ts'
import type { Usage } from '../../../proxy/protocol/content.ts'
import { generateUsage } from '../../../proxy/protocol/gemini-content.ts'
import { usageOf } from '../../../proxy/protocol/ollama-content.ts'
import { chatUsage } from '../../../proxy/protocol/openai-chat.ts'
import { addedUsage } from '../../../proxy/protocol/openai-realtime-usage.ts'
import { responsesUsage } from '../../../proxy/protocol/openai-responses.ts'
import { largerUsage, sumUsage } from '../../../proxy/protocol/usage.ts'

type Read = (usage: { [member: string]: Json }) => Usage | undefined

const formats: readonly (readonly [string, Read, string, string])[] = [
  ['chat', chatUsage, 'prompt_tokens', 'completion_tokens'],
  ['responses', responsesUsage, 'input_tokens', 'output_tokens'],
  ['realtime', (usage) => addedUsage(undefined, usage), 'input_tokens', 'output_tokens'],
  ['messages', messagesUsage, 'input_tokens', 'output_tokens'],
  ['generateContent', generateUsage, 'promptTokenCount', 'candidatesTokenCount'],
  ['ollama', usageOf, 'prompt_eval_count', 'eval_count'],
]

t.test('a report with a number that is no count of tokens is none', async (t) => {
  for (const [name, read, input, output] of formats) {
    t.same(read({ [input]: 5, [output]: 100_000_000 }), { input: 5, output: 100_000_000 }, name)
    t.same(read({ [input]: 5, [output]: null }), { input: 5 }, `${name}: what is not said`)
    t.equal(read({}), undefined, `${name}: nothing is said`)
    for (const value of [100_000_001, 1e15, 1e308, 14.4, 1e-9, -1, '5', [], {}, true])
      t.same(read({ [input]: 5, [output]: value }), { implausible: true }, `${name}: ${JSON.stringify(value)}`)
  }
  t.same(chatUsage({ prompt_tokens: 5, prompt_tokens_details: { cached_tokens: 0.5 } }), { implausible: true })
  t.same(generateUsage({ promptTokenCount: 1e8, toolUsePromptTokenCount: 1 }), { implausible: true }, 'a sum of two')
})

t.test('of one answer nothing is left of a report that cannot be true, whenever it comes', async (t) => {
  const implausible = messagesUsage({ output_tokens: 1e308 })
  t.same(largerUsage({ input: 5, output: 1 }, implausible), { implausible: true })
  t.same(largerUsage(implausible, { output: 1 }), { implausible: true })
  t.same(largerUsage({ input: 5, output: 1 }, { output: 3 }), { input: 5, output: 3 })
})

t.test(
  'what a message took beside its own is counted, too: to compact what was before, and to ask an advisor',
  async (t) => {
    const round = (type: string, input_tokens: number, output_tokens: number, cache_read_input_tokens = 0): Json => ({
      type,
      input_tokens,
      output_tokens,
      cache_read_input_tokens,
      cache_creation_input_tokens: 0,
    })
    const total = { input_tokens: 23_000, output_tokens: 1000, cache_read_input_tokens: 7 }
    const iterations = [
      round('compaction', 180_000, 3500),
      round('message', 20_000, 600, 7),
      round('message', 3000, 400),
    ]
    const counted = { input: 203_000, output: 4500, cacheRead: 7, cacheWrite: 0 }
    t.same(messagesUsage({ ...total, iterations }), counted)
    t.same(messagesUsage({ ...total, iterations: null }), { input: 23_000, output: 1000, cacheRead: 7 })
    t.same(messagesUsage({ ...total, iterations: [] }), { input: 23_000, output: 1000, cacheRead: 7 })
    t.same(
      messagesUsage({ ...total, iterations: [round('message', 1, 1)] }),
      { input: 23_000, output: 1000, cacheRead: 7, cacheWrite: 0 },
      'never less',
    )
    t.same(messagesUsage({ ...total, iterations: [round('advisor_message', -1, 5)] }), { implausible: true })
  },
)

t.test('of several answers the others are left, and the sum is a whole number for ever', async (t) => {
  const sum = addedUsage({ input: 5, output: 1 }, { input_tokens: 1e15, output_tokens: 2 })
  t.same(sum, { input: 5, output: 1, implausible: true })
  t.same(addedUsage(sum, { input_tokens: 1, output_tokens: 2 }), { input: 6, output: 3, implausible: true })
  t.same(sumUsage({ input: Number.MAX_SAFE_INTEGER }, { input: 3 }), { input: Number.MAX_SAFE_INTEGER })
})

t.test('what a total holds beside input and output was written as well', async (t) => {
  const totals: readonly (readonly [Read, string, string, string])[] = [
    [chatUsage, 'prompt_tokens', 'completion_tokens', 'total_tokens'],
    [responsesUsage, 'input_tokens', 'output_tokens', 'total_tokens'],
    [generateUsage, 'promptTokenCount', 'candidatesTokenCount', 'totalTokenCount'],
  ]
  for (const [read, input, output, total] of totals) {
    t.same(read({ [input]: 32, [output]: 9, [total]: 378 }), { input: 32, output: 346 }, 'thought, and left out')
    t.same(read({ [input]: 32, [total]: 41 }), { input: 32, output: 9 })
    t.same(read({ [input]: 32, [total]: 32 }), { input: 32, output: 0 }, 'embeddings')
    for (const less of [0, 40, 'x', -1, null])
      t.same(read({ [input]: 32, [output]: 9, [total]: less }), { input: 32, output: 9 }, String(less))
    t.same(read({ [output]: 9, [total]: 378 }), { output: 9 }, 'of what, is not said')
    t.same(read({ [input]: 32, [output]: -9, [total]: 41 }), { implausible: true })
    t.same(read({ [input]: 32, [output]: 9, [total]: 1e12 }), { implausible: true })
  }
  const thought = { promptTokenCount: 10, candidatesTokenCount: 20, thoughtsTokenCount: 5, totalTokenCount: 35 }
  t.same(generateUsage(thought), { input: 10, output: 25 })
})
