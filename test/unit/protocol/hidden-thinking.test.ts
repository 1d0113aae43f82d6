// Which requests may have a model think out of sight.
import t from 'tap'
import { parseJson, type JsonObject } from '../../../proxy/lib/json.ts'
import { thinksHidden } from '../../../proxy/protocol/hidden-thinking.ts'
import type { ProtocolName } from '../../../proxy/protocol/protocol.ts'

function hidden(protocol: ProtocolName, model: string, more: JsonObject = {}): unknown {
  const parsed = parseJson(Buffer.from(JSON.stringify(more)), { depthMax: 64, keysMax: 100 })
  return parsed.ok ? thinksHidden(protocol, parsed.value, model) : parsed.message
}

t.test("OpenAI's format", async (t) => {
  for (const model of [
    'o3',
    'o4-mini',
    'openai/o1',
    'gpt-5',
    'gpt-5.1-codex',
    'gpt-10',
    'openai/gpt-6-sol',
    'codex-mini',
    'grok-4',
  ])
    t.equal(hidden('openai', model, { max_tokens: 5 }), 'complete', model)
  for (const model of [
    'gpt-4o',
    'gpt-4.1-mini',
    'gpt-3.5-turbo',
    'mistral-large',
    'llama-3',
    'gpt-oss-120b',
    'our-o3',
  ]) {
    t.equal(hidden('openai', model, { max_tokens: 5 }), undefined, model)
    t.equal(hidden('openai', model, { reasoning_effort: 'low' }), 'complete', model)
    t.equal(hidden('openai', model, { reasoning: { effort: 'low' } }), 'complete', model)
    t.equal(hidden('openai', model, { thinking: { type: 'enabled', budget_tokens: 9 } }), 'complete', model)
  }
  t.equal(hidden('openai', 'our-deployment', { max_completion_tokens: 5 }), 'complete', 'what reasoning models have')
  t.equal(hidden('openai', 'gpt-4o', { max_completion_tokens: 5 }), undefined, 'but this one has it, too')
  t.equal(hidden('openai', 'our-deployment', { reasoning_effort: 'none', reasoning: null }), undefined)
  t.equal(hidden('openai', 'o1', { reasoning_effort: 'none' }), 'complete', 'some gateways take it and think')
})

t.test("Anthropic's format", async (t) => {
  t.equal(hidden('anthropic', 'claude-sonnet-4-5', { max_tokens: 5 }), undefined)
  t.equal(hidden('anthropic', 'claude-3-5-haiku', { max_tokens: 5 }), undefined)
  for (const type of ['enabled', 'adaptive'])
    t.equal(hidden('anthropic', 'claude-sonnet-4-5', { thinking: { type } }), 'complete')
  t.equal(hidden('anthropic', 'claude-opus-5', {}), 'complete')
  t.equal(hidden('anthropic', 'claude-opus-5', { thinking: { type: 'disabled' } }), undefined)
})

t.test("Gemini's format, and others", async (t) => {
  t.equal(hidden('gemini', 'gemini-2.5-flash'), 'reported')
  t.equal(hidden('gemini', 'gemini-2.0-flash'), undefined)
  t.equal(hidden('gemini', 'ours', { generationConfig: { thinkingConfig: { thinkingBudget: 5 } } }), 'reported')
  t.equal(hidden('ollama', 'gpt-oss'), undefined, 'its thinking is there to see')
  t.equal(hidden('http', 'o3'), undefined)
})
