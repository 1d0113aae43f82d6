import t from 'tap'
import { assert, integer, nat, property } from 'fast-check'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { boundOutput } from '../../../proxy/protocol/output-bound.ts'
import type { ProtocolName } from '../../../proxy/protocol/protocol.ts'

function bounded(protocol: ProtocolName, operation: string, body: Json, tokensMax = 100): unknown {
  const text = JSON.stringify(body)
  return JSON.parse(applyEdits(text, boundOutput(protocol, operation, body, tokensMax)))
}

t.test('a request says how long its answer may be, where its format does', async (t) => {
  t.same(bounded('openai', 'chat.completions', { model: 'm' }), { model: 'm', max_completion_tokens: 100 })
  t.same(bounded('openai', 'chat.completions', { max_tokens: 101 }), { max_tokens: 100 })
  t.same(bounded('openai', 'chat.completions', { max_tokens: 99 }), { max_tokens: 99 })
  t.same(bounded('openai', 'chat.completions', { max_tokens: null }), { max_tokens: null, max_completion_tokens: 100 })
  t.same(bounded('openai', 'chat.completions', { max_tokens: 500, max_completion_tokens: 5 }), {
    max_tokens: 100,
    max_completion_tokens: 5,
  })
  t.same(bounded('openai', 'responses', { max_output_tokens: 1e6 }), { max_output_tokens: 100 })
  t.same(bounded('openai', 'embeddings', { input: 'x' }), { input: 'x' })
  t.same(bounded('anthropic', 'messages', { max_tokens: 4096 }), { max_tokens: 100 })
  t.same(bounded('anthropic', 'messages.count_tokens', {}), {})
  const fallbacks = [{ model: 'a', max_tokens: 900 }, { model: 'b', max_tokens: 9 }, { model: 'c' }]
  t.same(bounded('anthropic', 'messages', { max_tokens: 50, fallbacks }), {
    max_tokens: 50,
    fallbacks: [{ model: 'a', max_tokens: 100 }, { model: 'b', max_tokens: 9 }, { model: 'c' }],
  })
  t.same(bounded('anthropic', 'messages', { max_tokens: 50, fallbacks: 'default' }), {
    max_tokens: 50,
    fallbacks: 'default',
  })
  t.same(bounded('gemini', 'generateContent', {}), { generationConfig: { maxOutputTokens: 100 } })
  t.same(bounded('gemini', 'generateContent', { generation_config: { max_output_tokens: 200 } }), {
    generation_config: { max_output_tokens: 100 },
  })
  t.same(bounded('gemini', 'countTokens', {}), {})
  t.same(bounded('ollama', 'chat', { options: { num_predict: -1 } }), { options: { num_predict: 100 } })
  t.same(bounded('ollama', 'generate', { prompt: 'x' }), { prompt: 'x', options: { num_predict: 100 } })
  t.same(bounded('ollama', 'embed', { input: 'x' }), { input: 'x' })
})

t.test('zero is no maximum where some server takes it for none', async (t) => {
  t.same(bounded('ollama', 'chat', { options: { num_predict: 0 } }), { options: { num_predict: 100 } })
  t.same(bounded('openai', 'chat.completions', { max_tokens: 0 }), { max_tokens: 100 })
  t.same(bounded('gemini', 'generateContent', { generationConfig: { maxOutputTokens: '0' } }), {
    generationConfig: { maxOutputTokens: 100 },
  })
  const both = { max_tokens: 50, max_completion_tokens: 0 }
  t.same(bounded('openai', 'chat.completions', both), both, 'what it falls back on is within')
  t.same(bounded('openai', 'completions', { max_tokens: 0 }), { max_tokens: 0 }, 'which only judges the prompt')
})

t.test('thinking fits into an answer that is cut short, as Anthropic wants it', async (t) => {
  const cut = (max_tokens: number | undefined, budget: Json, tokensMax: number): unknown => {
    const thinking = { type: 'enabled', budget_tokens: budget }
    const body: Json = max_tokens === undefined ? { thinking } : { max_tokens, thinking }
    return bounded('anthropic', 'messages', body, tokensMax)
  }
  const made = (max_tokens: number, budget_tokens: number) => ({
    max_tokens,
    thinking: { type: 'enabled', budget_tokens },
  })
  t.same(cut(32_000, 16_000, 8000), made(8000, 4000), 'half is left to the text')
  t.same(cut(10_000, 9000, 8000), made(8000, 7000), 'the text keeps its thousand')
  t.same(cut(10_000, 2000, 8000), made(8000, 2000))
  t.same(cut(undefined, 7999, 8000), made(8000, 4000))
  t.same(cut(4000, 3000, 1025), made(1025, 1024))
  t.same(cut(4000, 3000, 1024), { max_tokens: 1024 }, 'there is no room for it')
  t.same(cut(8000, 3000, 8000), made(8000, 3000), 'nothing is cut')
  t.same(cut(9000, 9500, 8000), made(8000, 9500), 'which did not fit before')
  t.same(bounded('anthropic', 'messages', { max_tokens: 900, thinking: { type: 'adaptive' } }), {
    max_tokens: 100,
    thinking: { type: 'adaptive' },
  })
  const vendor = { max_tokens: 4000, thinking: { type: 'enabled', budget_tokens: 3000 } }
  t.same(bounded('openai', 'chat.completions', vendor, 2000), made(2000, 1024))
})

t.test('every budget that fitted fits', async (t) => {
  assert(
    property(
      integer({ min: 1025, max: 70_000 }),
      nat(),
      integer({ min: 1025, max: 70_000 }),
      (asked, part, tokensMax) => {
        const budget_tokens = 1024 + (part % (asked - 1024))
        const body = { max_tokens: asked, thinking: { type: 'enabled', budget_tokens } }
        const made = bounded('anthropic', 'messages', body, tokensMax) as typeof body
        const { budget_tokens: budget } = made.thinking
        return made.max_tokens <= tokensMax && budget >= 1024 && budget < made.max_tokens && budget <= budget_tokens
      },
    ),
  )
  t.pass()
})
