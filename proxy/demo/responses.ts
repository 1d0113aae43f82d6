// Owns the Responses format of the demo model, which stands beside OpenAI's chat completions. It keeps nothing: every
// request brings its whole conversation.
import type { Dialect } from './dialect.ts'
import { charactersIn, type Question, type Said, textOf, tokensOf } from './model.ts'
import { createdSeconds, openai } from './openai.ts'
import { unevenPieces } from './switches.ts'

export const responses: Dialect = {
  serves: (method, path) => method === 'POST' && path === '/v1/responses',
  fixed: () => undefined,

  read(body) {
    const { model, input, instructions, stream, tools } = body as ResponsesRequest
    const items: InputItem[] = typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? [])
    if (typeof model !== 'string' || !Array.isArray(items) || items.length === 0) return undefined
    const last = items.findLast(({ role, type }) => role === 'user' || type === 'function_call_output')
    const fromTool = last?.type === 'function_call_output'
    return {
      model,
      stream: stream === true,
      prompt: textOf(fromTool ? last.output : last?.content),
      fromTool,
      tools: (Array.isArray(tools) ? tools : []).map((tool) => String(tool.name)),
      promptTokens: tokensOf(charactersIn([items, instructions])),
    }
  },

  whole: (question, said, id) => responseOf(question, said, id, itemsOf(said, id), 'completed'),

  events(question, said, id) {
    const items = itemsOf(said, id)
    const begun = responseOf(question, said, id, [], 'in_progress')
    const events = [
      { type: 'response.created', response: begun },
      { type: 'response.in_progress', response: begun },
      ...items.flatMap((item, index) => eventsOf(item, index, said)),
      { type: 'response.completed', response: responseOf(question, said, id, items, 'completed') },
    ]
    return events.map((event, number) => rendered(event.type, { ...event, sequence_number: number }))
  },

  error: (status, message) => openai.error(status, message),
  errorEvent: (message) => rendered('error', { type: 'error', code: 'server_error', message, param: null }),
}

type InputItem = { role?: unknown; type?: unknown; content?: unknown; output?: unknown }
type ResponsesRequest = {
  model?: unknown
  input?: string | InputItem[]
  instructions?: unknown
  stream?: unknown
  tools?: { name?: unknown }[]
}

type TextPart = { type: 'output_text'; text: string; annotations: []; logprobs: [] }
type Message = { type: 'message'; id: string; status: string; role: 'assistant'; content: TextPart[] }
type FunctionCall = {
  type: 'function_call'
  id: string
  status: string
  call_id: string
  name: string
  arguments: string
}
type StreamEvent = { readonly type: string; readonly [member: string]: unknown }

function itemsOf({ calls, pieces }: Said, id: string): (Message | FunctionCall)[] {
  if (calls.length === 0) {
    const content = [textPart(pieces.join(''))]
    return [{ type: 'message', id: `msg_${id}`, status: 'completed', role: 'assistant', content }]
  }
  return calls.map(({ name, args }, i) => {
    const ids = { id: `fc_${id}${i}`, call_id: `call_${id}${i}` }
    return { type: 'function_call', status: 'completed', ...ids, name, arguments: args }
  })
}

function textPart(text: string): TextPart {
  return { type: 'output_text', text, annotations: [], logprobs: [] }
}

/** The events of one output item, which ends as it is in the whole answer. */
function eventsOf(item: Message | FunctionCall, index: number, said: Said): StreamEvent[] {
  const at = { item_id: item.id, output_index: index }
  const empty = item.type === 'message' ? { ...item, content: [] } : { ...item, arguments: '' }
  return [
    { type: 'response.output_item.added', output_index: index, item: { ...empty, status: 'in_progress' } },
    ...(item.type === 'message' ? textEvents(at, said.pieces) : argumentEvents(at, item)),
    { type: 'response.output_item.done', output_index: index, item },
  ]
}

function textEvents(item: object, pieces: readonly string[]): StreamEvent[] {
  const at = { ...item, content_index: 0 }
  const text = pieces.join('')
  return [
    { type: 'response.content_part.added', ...at, part: textPart('') },
    ...pieces.map((delta) => ({ type: 'response.output_text.delta', ...at, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...at, text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part: textPart(text) },
  ]
}

function argumentEvents(at: object, { name, arguments: args }: FunctionCall): StreamEvent[] {
  return [
    ...unevenPieces(args).map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
    { type: 'response.function_call_arguments.done', ...at, name, arguments: args },
  ]
}

function responseOf(question: Question, said: Said, id: string, output: object[], status: string): object {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: createdSeconds,
    status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: question.model,
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    service_tier: 'default',
    store: false,
    temperature: 1,
    text: { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    truncation: 'disabled',
    usage: status === 'completed' ? usageOf(question, said) : null,
  }
}

function usageOf({ promptTokens }: Question, { answerTokens }: Said): object {
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: answerTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + answerTokens,
  }
}

function rendered(type: string, event: object): string {
  return `event: ${type}\ndata: ${JSON.stringify(event)}\n\n`
}
