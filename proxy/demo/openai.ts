// Owns the OpenAI wire format of the demo model: chat completions and the list of models.
import type { Dialect } from './dialect.ts'
import { charactersIn, type Question, type Said, textOf, tokensOf } from './model.ts'
import { unevenPieces } from './switches.ts'

export const openai: Dialect = {
  serves: (method, path) => method === 'POST' && path === '/v1/chat/completions',
  fixed: (method, path) => (method === 'GET' && path === '/v1/models' ? modelList : undefined),

  read(body) {
    const { model, messages, stream, tools } = body as ChatRequest
    if (typeof model !== 'string' || !Array.isArray(messages) || messages.length === 0) return undefined
    const last = messages.findLast(({ role }) => role === 'user' || role === 'tool')
    return {
      model,
      stream: stream === true,
      prompt: textOf(last?.content),
      fromTool: last?.role === 'tool',
      tools: (Array.isArray(tools) ? tools : []).map((tool) => String(tool.function?.name)),
      promptTokens: tokensOf(charactersIn(messages)),
    }
  },

  whole(question, said, id) {
    const toolCalls = said.calls.map(({ name, args }, i) => {
      return { id: `call_${id}${i}`, type: 'function', function: { name, arguments: args } }
    })
    const content = said.calls.length > 0 ? null : said.pieces.join('')
    const message = {
      role: 'assistant',
      content,
      refusal: null,
      ...(content === null ? { tool_calls: toolCalls } : {}),
    }
    const choice = { index: 0, message, logprobs: null, finish_reason: finishOf(said) }
    return { ...head(question, id, 'chat.completion'), choices: [choice], usage: usageOf(question, said) }
  },

  events(question, said, id, body) {
    const frame = head(question, id, 'chat.completion.chunk')
    const withUsage = (body as ChatRequest).stream_options?.include_usage === true
    const chunk = (delta: object, finish: string | null = null): string =>
      `data: ${JSON.stringify({ ...frame, choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...(withUsage ? { usage: null } : {}) })}\n\n`
    const calls = said.calls.flatMap(({ name, args }, index) => [
      chunk({ tool_calls: [{ index, id: `call_${id}${index}`, type: 'function', function: { name, arguments: '' } }] }),
      ...unevenPieces(args).map((piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] })),
    ])
    return [
      chunk({ role: 'assistant', content: said.calls.length > 0 ? null : '', refusal: null }),
      ...said.pieces.map((content) => chunk({ content })),
      ...calls,
      chunk({}, finishOf(said)),
      ...(withUsage ? [`data: ${JSON.stringify({ ...frame, choices: [], usage: usageOf(question, said) })}\n\n`] : []),
      'data: [DONE]\n\n',
    ]
  },

  error: (status, message) => ({ error: { message, type: errorTypeOf(status), param: null, code: null } }),
  errorEvent: (message) =>
    `data: ${JSON.stringify({ error: { message, type: 'server_error', param: null, code: null } })}\n\n`,
}

type ChatRequest = {
  model?: unknown
  messages?: { role?: unknown; content?: unknown }[]
  stream?: unknown
  stream_options?: { include_usage?: unknown }
  tools?: { function?: { name?: unknown } }[]
}

/** Fixed, so that answers are the same in every run. */
export const createdSeconds = 1_790_000_000

const modelList = {
  object: 'list',
  data: ['gpt-4o', 'gpt-4o-mini', 'demo-1'].map((id) => ({
    id,
    object: 'model',
    created: createdSeconds,
    owned_by: 'demo',
  })),
}

function head({ model }: Question, id: string, object: string): object {
  return {
    id: `chatcmpl-${id}`,
    object,
    created: createdSeconds,
    model,
    service_tier: 'default',
    system_fingerprint: 'fp_demo',
  }
}

function usageOf({ promptTokens }: Question, { answerTokens }: Said): object {
  return { prompt_tokens: promptTokens, completion_tokens: answerTokens, total_tokens: promptTokens + answerTokens }
}

function finishOf({ calls }: Said): string {
  return calls.length > 0 ? 'tool_calls' : 'stop'
}

function errorTypeOf(status: number): string {
  return status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'server_error'
}
