import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { Json } from '../../../proxy/lib/json.ts'
import { boundOutput } from '../../../proxy/protocol/output-bound.ts'
import type { ProtocolName } from '../../../proxy/protocol/protocol.ts'

function bounded(protocol: ProtocolName, operation: string, body: Json): unknown {
  const text = JSON.stringify(body)
  return JSON.parse(applyEdits(text, boundOutput(protocol, operation, body, 100)))
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
  t.same(bounded('gemini', 'generateContent', {}), { generationConfig: { maxOutputTokens: 100 } })
  t.same(bounded('gemini', 'generateContent', { generation_config: { max_output_tokens: 200 } }), {
    generation_config: { max_output_tokens: 100 },
  })
  t.same(bounded('gemini', 'countTokens', {}), {})
  t.same(bounded('ollama', 'chat', { options: { num_predict: -1 } }), { options: { num_predict: 100 } })
  t.same(bounded('ollama', 'generate', { prompt: 'x' }), { prompt: 'x', options: { num_predict: 100 } })
  t.same(bounded('ollama', 'embed', { input: 'x' }), { input: 'x' })
})
