// Owns the Anthropic wire format of the demo model: messages and the counting of tokens.
import type { Dialect } from './dialect.ts'
import { charactersIn, type Question, type Said, textOf, tokensOf } from './model.ts'
import { unevenPieces } from './switches.ts'

export const anthropic: Dialect = {
  serves: (method, path) => method === 'POST' && path === '/v1/messages',
  fixed: (method, path, body) =>
    method === 'POST' && path === '/v1/messages/count_tokens' ? { input_tokens: weightOf(body) } : undefined,

  read(body) {
    const request = body as MessagesRequest
    const { model, messages, stream, tools } = request
    const last = Array.isArray(messages) ? messages.findLast(({ role }) => role === 'user') : undefined
    if (typeof model !== 'string' || last === undefined) return undefined
    const parts = Array.isArray(last.content) ? last.content : []
    return {
      model,
      stream: stream === true,
      prompt: textOf(last.content),
      fromTool: parts.some((part: { type?: unknown }) => part.type === 'tool_result'),
      tools: (Array.isArray(tools) ? tools : []).map((tool) => String(tool.name)),
      promptTokens: weightOf(request),
    }
  },

  whole(question, said, id) {
    const uses = said.calls.map(({ name, args }, i) => {
      return { type: 'tool_use', id: `toolu_${id}${i}`, name, input: JSON.parse(args) as unknown }
    })
    const content = uses.length > 0 ? uses : [{ type: 'text', text: said.pieces.join('') }]
    return { ...head(question, id), content, stop_reason: stopOf(said), usage: usageOf(question, said.answerTokens) }
  },

  events(question, said, id) {
    const blocks = said.calls.map(({ name, args }, i) => ({
      start: { type: 'tool_use', id: `toolu_${id}${i}`, name, input: {} },
      deltas: unevenPieces(args).map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    }))
    const text = {
      start: { type: 'text', text: '' },
      deltas: said.pieces.map((piece) => ({ type: 'text_delta', text: piece })),
    }
    return [
      event('message_start', {
        message: { ...head(question, id), content: [], stop_reason: null, usage: usageOf(question, 1) },
      }),
      ...(blocks.length > 0 ? blocks : [text]).flatMap(({ start, deltas }, index) => [
        event('content_block_start', { index, content_block: start }),
        ...(index === 0 ? [event('ping', {})] : []),
        ...deltas.map((delta) => event('content_block_delta', { index, delta })),
        event('content_block_stop', { index }),
      ]),
      event('message_delta', {
        delta: { stop_reason: stopOf(said), stop_sequence: null },
        usage: { output_tokens: said.answerTokens },
      }),
      event('message_stop', {}),
    ]
  },

  error: (status, message) => ({ type: 'error', error: { type: errorTypeOf(status), message } }),
  errorEvent: (message) => event('error', { error: { type: 'overloaded_error', message } }),
}

type MessagesRequest = {
  model?: unknown
  system?: unknown
  messages?: { role?: unknown; content?: unknown }[]
  stream?: unknown
  tools?: { name?: unknown }[]
}

function weightOf({ system, messages, tools }: MessagesRequest): number {
  return tokensOf(charactersIn([system, messages, tools]))
}

function event(type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`
}

function head({ model }: Question, id: string): object {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, stop_sequence: null }
}

function usageOf({ promptTokens }: Question, outputTokens: number): object {
  return {
    input_tokens: promptTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
  }
}

function stopOf({ calls }: Said): string {
  return calls.length > 0 ? 'tool_use' : 'end_turn'
}

function errorTypeOf(status: number): string {
  const types: Record<number, string> = {
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    429: 'rate_limit_error',
    529: 'overloaded_error',
  }
  return types[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error')
}
