// What tools have said goes to a model as tokens, wherever a format has it, and in the JSON that it is.
import { createHash } from 'node:crypto'
import t from 'tap'
import { startAgentModel } from '../support/agent-model.ts'
import { startGateway } from '../support/gateway.ts'

const model = await startAgentModel()
const sha256 = createHash('sha256').update('gw_test').digest('hex')
const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: ${model.url} }
  anthropic: { protocol: anthropic, url: ${model.url} }
  gemini: { protocol: gemini, url: ${model.url} }
  ollama: { protocol: ollama, url: ${model.url} }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: anthropic, path: /anthropic, upstream: anthropic }
  - { id: gemini, path: /gemini, upstream: gemini }
  - { id: ollama, path: /ollama, upstream: ollama }
principals: [{ id: agent, keys: [{ sha256: ${sha256} }] }]
defaultEffect: allow
redaction: [{ id: out, direction: request, detect: [email], action: token }]
`)
t.teardown(async () => {
  await gateway.close()
  await model.close()
})

const said = 'ada@example.org says "hi"'
const json = JSON.stringify({ from: 'ada@example.org', note: said })
const call = { id: 'call_1', type: 'function', function: { name: 'read_mail', arguments: json } }
const useBlock = { type: 'tool_use', id: 'toolu_1', name: 'read_mail', input: { of: 'ada@example.org' } }
const resultBlock = { type: 'tool_result', tool_use_id: 'toolu_1' }

const results: Record<string, { readonly path: string; readonly body: object }> = {
  'a message of a tool': {
    path: '/openai/v1/chat/completions',
    body: {
      model: 'gpt-4o',
      messages: [
        { role: 'assistant', content: null, tool_calls: [call] },
        { role: 'tool', tool_call_id: 'call_1', content: json },
        { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'text', text: said }] },
      ],
    },
  },
  'the output of a function call': {
    path: '/openai/v1/responses',
    body: {
      model: 'gpt-4o',
      input: [
        { type: 'function_call', call_id: 'call_1', name: 'read_mail', arguments: json },
        { type: 'function_call_output', call_id: 'call_1', output: json },
        { type: 'function_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: said }] },
      ],
    },
  },
  'a block with the result of a tool': {
    path: '/anthropic/v1/messages',
    body: {
      model: 'claude-x',
      max_tokens: 10,
      messages: [
        { role: 'assistant', content: [useBlock] },
        { role: 'user', content: [{ ...resultBlock, content: json }] },
        { role: 'user', content: [{ ...resultBlock, content: [{ type: 'text', text: said }] }] },
      ],
    },
  },
  'the response of a function': {
    path: '/gemini/v1beta/models/gemini-x:generateContent',
    body: {
      contents: [
        { role: 'model', parts: [{ functionCall: { name: 'read_mail', args: { of: 'ada@example.org' } } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'read_mail', response: { text: said, json } } }] },
      ],
    },
  },
  'a message of a tool of Ollama': {
    path: '/ollama/api/chat',
    body: {
      model: 'llama3',
      stream: false,
      messages: [
        { role: 'assistant', content: '', tool_calls: [{ function: { name: 'read_mail', arguments: { of: said } } }] },
        { role: 'tool', tool_name: 'read_mail', content: json },
      ],
    },
  },
}

for (const [name, { path, body }] of Object.entries(results)) {
  void t.test(name, async (t) => {
    const sent = model.bodies.length
    await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer gw_test', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    t.equal(model.bodies.length, sent + 1)
    const seen = model.bodies.at(-1) ?? ''
    const [token = ''] = /EMAIL_[0-9a-z]{10}/.exec(seen) ?? []
    t.same(JSON.parse(seen), JSON.parse(JSON.stringify(body).replaceAll('ada@example.org', token)), 'and nothing else')
  })
}
