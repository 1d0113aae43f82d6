// What stands around a planted field: the smallest request of each operation, the smallest answer, and the events that
// must come before and after for a stream to be one.
import type { OperationCoverage } from '../../proxy/protocol/posture.ts'
import type { Operation, Protocol, ProtocolName } from '../../proxy/protocol/protocol.ts'
import { documentWith, parseField, type Planted } from './planted-document.ts'

export type Body = { readonly type: string; readonly text: string }

export function methodAndPath({ call }: OperationCoverage): [method: string, path: string, query: string] {
  const [method = '', path = '', query = ''] = call.split(/[ ?]/)
  return [method, path, query]
}

/** A call by the method `WEBSOCKET` is an upgrade. */
export function operationOf(protocol: Protocol, call: OperationCoverage): Operation | undefined {
  const [method, path] = methodAndPath(call)
  if (method !== 'WEBSOCKET') return protocol.resolve(method, path)
  const found = protocol.resolveSocket?.(path, '')
  return found?.ok === true ? found.operation : undefined
}

const user = { role: 'user', content: 'a' }
const parts = { role: 'user', parts: [{ text: 'a' }] }
const chat = { model: 'gpt-5.1', messages: [user] }
const claude = { model: 'claude', max_tokens: 9, messages: [user] }
const respond = { model: 'gpt-5.1', input: 'a' }

const requests: Readonly<Record<string, Planted>> = {
  'chat.completions': chat,
  completions: { model: 'gpt-5.1', prompt: 'a' },
  embeddings: { model: 'gpt-5.1', input: 'a' },
  moderations: { input: 'a' },
  'images.generations': { prompt: 'a', model: 'gpt-image' },
  'audio.speech': { model: 'gpt-tts', input: 'a' },
  responses: respond,
  'responses.input_tokens': respond,
  'responses.compact': respond,
  messages: claude,
  'messages.count_tokens': claude,
  generateContent: { contents: [parts] },
  streamGenerateContent: { contents: [parts] },
  countTokens: { contents: [parts] },
  embedContent: { content: parts },
  batchEmbedContents: { requests: [{ content: parts }] },
  chat: { model: 'llama', messages: [user] },
  generate: { model: 'llama', prompt: 'a' },
  embed: { model: 'llama', input: 'a' },
  embeddings_: { model: 'llama', prompt: 'a' },
  show: { model: 'llama' },
}

const answers: Readonly<Record<string, Planted>> = {
  'chat.completions': { id: 'c1', object: 'chat.completion', model: 'gpt-5.1', choices: [] },
  completions: { id: 'c1', object: 'text_completion', model: 'gpt-5.1', choices: [] },
  responses: { id: 'r1', object: 'response', status: 'completed', output: [] },
  'responses.compact': { id: 'r1', object: 'response.compaction', output: [] },
  'responses.get': { id: 'r1', object: 'response', status: 'completed', output: [] },
  'responses.cancel': { id: 'r1', object: 'response', status: 'cancelled', output: [] },
  'responses.input_tokens': { input_tokens: 1 },
  messages: { id: 'm1', type: 'message', role: 'assistant', model: 'claude', content: [] },
  'messages.count_tokens': { input_tokens: 1 },
  chat: { model: 'llama', done: true },
  generate: { model: 'llama', done: true },
}

/** Undefined: the operation takes no body. */
export function requestOf(
  protocol: ProtocolName,
  operation: Operation,
  field?: string,
  value?: unknown,
): Body | undefined {
  if (operation.body === 'none') return undefined
  if (protocol === 'mcp')
    return json(message(field ?? 'tools/call: params(name=look,arguments={}).arguments', value ?? {}))
  const base = requests[protocol === 'ollama' && operation.name === 'embeddings' ? 'embeddings_' : operation.name] ?? {}
  return withBase(base, field, value)
}

export function answerOf(protocol: ProtocolName, operation: Operation, field?: string, value?: unknown): Body {
  if (protocol === 'mcp') return json(message(field ?? 'result(content=[]).isError', value ?? false))
  return withBase(answers[operation.name] ?? {}, field, value)
}

function withBase(base: Planted, field: string | undefined, value: unknown): Body {
  const document = field === undefined ? {} : documentWith(parseField(field).path, value)
  if (typeof document === 'string') return { type: 'text/plain', text: document }
  return json(Array.isArray(document) ? document : { ...base, ...(document as Planted) })
}

function json(document: unknown): Body {
  return { type: 'application/json', text: JSON.stringify(document) }
}

function message(field: string, value: unknown): Planted {
  const { event, path } = parseField(field)
  const rest = documentWith(path, value) as Planted
  if (event?.startsWith('notifications/') === true) return { jsonrpc: '2.0', method: event, ...rest }
  return { jsonrpc: '2.0', id: 1, ...(event === undefined ? undefined : { method: event }), ...rest }
}

type Event = { readonly event?: string | undefined; readonly data: unknown }

/** A whole stream. Of several values each stands in an event of its own. */
export function streamOf(
  protocol: ProtocolName,
  operation: Operation,
  field: string,
  values: readonly unknown[],
): Body {
  const { event, path } = parseField(field)
  const planted = values.map((value): Event => {
    if (protocol === 'mcp') return { data: message(field, value) }
    const document = documentWith(path, value)
    return {
      event,
      data: typeof document === 'string' ? document : { ...typed(protocol, event), ...(document as Planted) },
    }
  })
  const events = protocols[protocol](planted, operation)
  if (operation.framing === 'ndjson')
    return { type: 'application/x-ndjson', text: events.map(({ data }) => `${JSON.stringify(data)}\n`).join('') }
  return { type: 'text/event-stream', text: events.map(formatted).join('') }
}

function formatted({ event, data }: Event): string {
  const name = event === undefined || event === 'message' ? '' : `event: ${event}\n`
  return `${name}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
}

/** Events of these formats say their type inside, too. */
function typed(protocol: ProtocolName, event: string | undefined): Planted {
  return event !== undefined && (protocol === 'anthropic' || protocol === 'openai') ? { type: event } : {}
}

type Around = (planted: readonly Event[], operation: Operation) => readonly Event[]

const protocols: Readonly<Record<ProtocolName, Around>> = {
  openai: (planted, { name }) =>
    name.startsWith('responses')
      ? responseEvents(planted)
      : name.startsWith('images')
        ? imageEvents(planted)
        : chunks(planted),
  anthropic: (planted) => messageEvents(planted),
  gemini: (planted) => {
    const index = entryOf(first(planted), 'candidates')?.['index'] ?? 0
    const end = { candidates: [{ content: { role: 'model', parts: [] }, finishReason: 'STOP', index }] }
    return first(planted)['error'] === undefined && first(planted)['promptFeedback'] === undefined
      ? [...planted, { data: end }]
      : planted
  },
  ollama: (planted) => [...planted, { data: { model: 'llama', done: true, done_reason: 'stop' } }],
  mcp: (planted) => planted,
  http: (planted) => planted,
}

function first(planted: readonly Event[]): Planted {
  return planted[0]?.data as Planted
}

function entryOf(owner: Planted, list: string): Planted | undefined {
  const entries = owner[list]
  return Array.isArray(entries) ? (entries[0] as Planted) : undefined
}

function chunks(planted: readonly Event[]): Event[] {
  const index = entryOf(first(planted), 'choices')?.['index'] ?? 0
  return [
    ...planted.map(({ event, data }) => ({ event, data: { object: 'chunk', choices: [], ...(data as Planted) } })),
    { data: { choices: [{ index, delta: {}, text: '', finish_reason: 'stop' }] } },
    { data: '[DONE]' },
  ]
}

function imageEvents(planted: readonly Event[]): Event[] {
  const type = 'image_generation.completed'
  return [...planted, ...(planted[0]?.event === type ? [] : [{ event: type, data: { type } }])]
}

function messageEvents(planted: readonly Event[]): Event[] {
  const named = (data: { type: string; [key: string]: unknown }): Event => ({ event: data.type, data })
  const start = named({ type: 'message_start', message: { ...answers['messages'], usage: {} } })
  const stop = named({ type: 'message_stop' })
  const close = named({ type: 'content_block_stop', index: 0 })
  switch (planted[0]?.event) {
    case 'message_start':
      return [...planted, stop]
    case 'content_block_start':
      return [start, ...planted, close, stop]
    case 'content_block_delta': {
      const kind = (first(planted)['delta'] as Planted)['type'] as string
      const content_block = { type: 'text', text: '', ...blocks[kind] }
      return [start, named({ type: 'content_block_start', index: 0, content_block }), ...planted, close, stop]
    }
    default:
      return [start, ...planted, stop]
  }
}

const blocks: Readonly<Record<string, Planted>> = {
  input_json_delta: { type: 'tool_use', id: 't1', name: 'look', input: {} },
  thinking_delta: { type: 'thinking', thinking: '', signature: '' },
  signature_delta: { type: 'thinking', thinking: '', signature: '' },
  compaction_delta: { type: 'compaction', content: '' },
}

function responseEvents(planted: readonly Event[]): Event[] {
  const event = planted[0]?.event ?? ''
  const response = { id: 'r1', object: 'response', output: [] }
  const named = (data: { type: string; [key: string]: unknown }): Event => ({ event: data.type, data })
  const end = named({ type: 'response.completed', response: { ...response, status: 'completed' } })
  const item = itemOf(event, planted)
  return [
    named({ type: 'response.created', response: { ...response, status: 'in_progress' } }),
    ...(item === undefined ? [] : [named({ type: 'response.output_item.added', output_index: 0, item })]),
    ...planted,
    ...(/^response\.(completed|failed|incomplete)$/.test(event) ? [] : [end]),
  ]
}

/** The item that an event belongs to, as it began. */
function itemOf(event: string, planted: readonly Event[]): Planted | undefined {
  if (event === 'response.output_item.done') {
    const { type, name } = first(planted)['item'] as Planted
    return { id: 'i1', type, ...calling[type as string], ...(name === undefined ? undefined : { name }) }
  }
  const type = itemTypes.find(([prefix]) => event.startsWith(`response.${prefix}`))?.[1]
  return type === undefined ? undefined : { id: 'i1', type, ...calling[type] }
}

const calling: Readonly<Record<string, Planted>> = {
  function_call: { call_id: 'c1', name: 'look', arguments: '' },
  custom_tool_call: { call_id: 'c1', name: 'look', input: '' },
  mcp_call: { server_label: 'a', name: 'look', arguments: '' },
  mcp_approval_request: { server_label: 'a', name: 'look', arguments: '' },
  apply_patch_call: { call_id: 'c1', operation: { type: 'update_file', path: 'a', diff: '' } },
  shell_call: { call_id: 'c1', action: { commands: [] } },
  shell_call_output: { call_id: 'c1', output: [] },
}

const itemTypes: readonly (readonly [string, string])[] = [
  ['output_text', 'message'],
  ['content_part', 'message'],
  ['refusal', 'message'],
  ['reasoning', 'reasoning'],
  ['function_call', 'function_call'],
  ['mcp_call', 'mcp_call'],
  ['custom_tool_call', 'custom_tool_call'],
  ['code_interpreter_call', 'code_interpreter_call'],
  ['apply_patch_call', 'apply_patch_call'],
  ['shell_call_output', 'shell_call_output'],
  ['shell_call', 'shell_call'],
  ['image_generation_call', 'image_generation_call'],
]
