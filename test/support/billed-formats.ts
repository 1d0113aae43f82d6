// What providers answer in every format, whole and streamed, and what they say that it cost. Each says "yes"; a stream says it in
// two pieces.

/** As the format reports it: some count cached input as input, some beside it. */
export type Bill = {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
}

export type BilledFormat = {
  readonly model: string
  /** With the route. */
  readonly path: string
  readonly type: 'application/json' | 'text/event-stream' | 'application/x-ndjson'
  readonly cachedInputApart?: true
  /** What it can report at all. */
  readonly reports: (bill: Bill) => Bill
  readonly request: (question: string) => object
  /** One entry is one piece of the body. `asked`: the request asks a stream for its usage. */
  readonly answer: (bill: Bill, asked: boolean) => readonly string[]
  /**
   * Of a stream: which piece says the last of the text, how many tokens that and what was thought in the open make by their
   * bytes, and whether the input was reported before.
   */
  readonly said?: { readonly piece: number; readonly tokens: number; readonly early: boolean }
}

const event = (data: unknown, name?: string): string =>
  `${name === undefined ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
const done = event('[DONE]')
const messages = (question: string) => [{ role: 'user', content: question }]
const uncached = (bill: Bill): Bill => ({ ...bill, cacheRead: 0, cacheWrite: 0 })
const readOnly = (bill: Bill): Bill => ({ ...bill, cacheWrite: 0 })

const chatUsage = ({ input, output, cacheRead }: Bill): object => ({
  prompt_tokens: input,
  completion_tokens: output,
  prompt_tokens_details: { cached_tokens: cacheRead },
})
const chatChunk = (more: object): string =>
  event({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini', choices: [], ...more })
const chatDelta = (delta: object, finish_reason: string | null = null): object => ({
  choices: [{ index: 0, delta, finish_reason }],
})

const openai = { reports: readOnly, type: 'application/json' } as const
const chat: BilledFormat = {
  ...openai,
  model: 'gpt-4o',
  path: '/openai/v1/chat/completions',
  request: (question) => ({ max_tokens: 300, messages: messages(question) }),
  answer: (bill) => [
    JSON.stringify({
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'yes' } }],
      usage: chatUsage(bill),
    }),
  ],
}
/** It reports as it goes, as some servers do. */
const chatStream: BilledFormat = {
  ...chat,
  model: 'gpt-4o-mini',
  type: 'text/event-stream',
  request: (question) => ({
    max_tokens: 300,
    stream: true,
    stream_options: { include_usage: true },
    messages: messages(question),
  }),
  answer: (bill) => [
    chatChunk({ ...chatDelta({ role: 'assistant', content: 'ye' }), usage: chatUsage({ ...bill, output: 1 }) }),
    chatChunk(chatDelta({ content: 's' })),
    chatChunk(chatDelta({}, 'stop')),
    chatChunk({ usage: chatUsage(bill) }),
    done,
  ],
  said: { piece: 1, tokens: 1, early: true },
}
const chatStreamUnasked: BilledFormat = {
  ...chatStream,
  request: (question) => ({ max_tokens: 300, stream: true, messages: messages(question) }),
  answer: (bill, asked) => [
    chatChunk(chatDelta({ role: 'assistant', content: 'ye' })),
    chatChunk(chatDelta({ content: 's' })),
    chatChunk(chatDelta({}, 'stop')),
    ...(asked ? [chatChunk({ usage: chatUsage(bill) })] : []),
    done,
  ],
  said: { piece: 1, tokens: 1, early: false },
}

const completions: BilledFormat = {
  ...openai,
  model: 'gpt-4o',
  path: '/openai/v1/completions',
  request: (question) => ({ max_tokens: 300, prompt: question }),
  answer: (bill) => [
    JSON.stringify({ choices: [{ index: 0, finish_reason: 'stop', text: 'yes' }], usage: chatUsage(bill) }),
  ],
}
const completionsStream: BilledFormat = {
  ...completions,
  type: 'text/event-stream',
  request: (question) => ({ max_tokens: 300, stream: true, prompt: question }),
  answer: (bill, asked) => {
    const chunk = (more: object): string =>
      event({ id: 'c', object: 'text_completion', created: 1, model: 'gpt-4o', choices: [], ...more })
    return [
      chunk({ choices: [{ index: 0, text: 'ye', finish_reason: null }] }),
      chunk({ choices: [{ index: 0, text: 's', finish_reason: 'stop' }] }),
      ...(asked ? [chunk({ usage: chatUsage(bill) })] : []),
      done,
    ]
  },
  said: { piece: 1, tokens: 1, early: false },
}

const responsesUsage = ({ input, output, cacheRead, cacheWrite }: Bill): object => ({
  input_tokens: input,
  output_tokens: output,
  input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
})
const message = { type: 'message', id: 'msg_1', role: 'assistant' } as const
const saidYes = { ...message, status: 'completed', content: [{ type: 'output_text', text: 'yes', annotations: [] }] }
const response = (status: string, output: readonly object[], usage: object | null): object => ({
  id: 'resp_1',
  object: 'response',
  created_at: 1,
  model: 'gpt-4o',
  status,
  output,
  usage,
})
const responses: BilledFormat = {
  ...openai,
  reports: (bill) => bill,
  model: 'gpt-4o',
  path: '/openai/v1/responses',
  request: (question) => ({ max_output_tokens: 300, input: question }),
  answer: (bill) => [JSON.stringify(response('completed', [saidYes], responsesUsage(bill)))],
}
const responsesStream: BilledFormat = {
  ...responses,
  type: 'text/event-stream',
  request: (question) => ({ max_output_tokens: 300, stream: true, input: question }),
  answer: (bill) => {
    const at = { item_id: 'msg_1', output_index: 0, content_index: 0 }
    const of = (type: string, more: object): string => event({ type, ...more }, type)
    return [
      of('response.created', { response: response('in_progress', [], null) }),
      of('response.output_item.added', { output_index: 0, item: { ...message, status: 'in_progress', content: [] } }),
      of('response.content_part.added', { ...at, part: { type: 'output_text', text: '', annotations: [] } }),
      of('response.output_text.delta', { ...at, delta: 'ye' }),
      of('response.output_text.delta', { ...at, delta: 's' }),
      of('response.output_text.done', { ...at, text: 'yes' }),
      of('response.content_part.done', { ...at, part: { type: 'output_text', text: 'yes', annotations: [] } }),
      of('response.output_item.done', { output_index: 0, item: saidYes }),
      of('response.completed', { response: response('completed', [saidYes], responsesUsage(bill)) }),
    ]
  },
  said: { piece: 4, tokens: 1, early: false },
}

const embeddings: BilledFormat = {
  ...openai,
  reports: (bill) => ({ ...uncached(bill), output: 0 }),
  model: 'text-embedding-3-small',
  path: '/openai/v1/embeddings',
  request: (question) => ({ input: question }),
  answer: ({ input }) => [
    JSON.stringify({
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
      model: 'text-embedding-3-small',
      usage: { prompt_tokens: input, total_tokens: input },
    }),
  ],
}

const anthropicUsage = ({ input, output, cacheRead, cacheWrite }: Bill): object => ({
  input_tokens: input,
  output_tokens: output,
  cache_read_input_tokens: cacheRead,
  cache_creation_input_tokens: cacheWrite,
})
const anthropicMessage = { id: 'm', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5' }
const anthropic: BilledFormat = {
  model: 'claude-opus-4-5',
  path: '/anthropic/v1/messages',
  type: 'application/json',
  cachedInputApart: true,
  reports: (bill) => bill,
  request: (question) => ({ max_tokens: 300, messages: messages(question) }),
  answer: (bill) => [
    JSON.stringify({
      ...anthropicMessage,
      content: [{ type: 'text', text: 'yes' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: anthropicUsage(bill),
    }),
  ],
}
const anthropicStream: BilledFormat = {
  ...anthropic,
  model: 'claude-sonnet-4-5',
  type: 'text/event-stream',
  request: (question) => ({ max_tokens: 300, stream: true, messages: messages(question) }),
  answer: (bill) => {
    const of = (type: string, more: object): string => event({ type, ...more }, type)
    const start = { ...anthropicMessage, content: [], stop_reason: null, stop_sequence: null }
    return [
      of('message_start', { message: { ...start, usage: anthropicUsage({ ...bill, output: 1 }) } }),
      of('content_block_start', { index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } }),
      of('content_block_delta', { index: 0, delta: { type: 'thinking_delta', thinking: 'perhaps, ' } }),
      of('content_block_delta', { index: 0, delta: { type: 'signature_delta', signature: 'AAAA' } }),
      of('content_block_stop', { index: 0 }),
      of('content_block_start', { index: 1, content_block: { type: 'text', text: '' } }),
      of('content_block_delta', { index: 1, delta: { type: 'text_delta', text: 'ye' } }),
      of('content_block_delta', { index: 1, delta: { type: 'text_delta', text: 's' } }),
      of('content_block_stop', { index: 1 }),
      // Cumulative, and here it forgets what it said of the input.
      of('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: bill.output },
      }),
      of('message_stop', {}),
    ]
  },
  said: { piece: 7, tokens: 4, early: true },
}

/** Half of the output is thoughts, which are counted beside what is said. */
const geminiUsage = ({ input, output, cacheRead }: Bill): object => ({
  promptTokenCount: input,
  candidatesTokenCount: Math.ceil(output / 2),
  thoughtsTokenCount: Math.floor(output / 2),
  cachedContentTokenCount: cacheRead,
})
const candidates = (text: string, finishReason?: string): object => ({
  candidates: [
    {
      index: 0,
      content: { role: 'model', parts: [{ text }] },
      ...(finishReason === undefined ? {} : { finishReason }),
    },
  ],
})
const gemini: BilledFormat = {
  model: 'gemini-2.5-flash',
  path: '/gemini/v1beta/models/gemini-2.5-flash:generateContent',
  type: 'application/json',
  reports: readOnly,
  request: (question) => ({
    contents: [{ role: 'user', parts: [{ text: question }] }],
    generationConfig: { maxOutputTokens: 300 },
  }),
  answer: (bill) => [JSON.stringify({ ...candidates('yes', 'STOP'), usageMetadata: geminiUsage(bill) })],
}
const geminiStream: BilledFormat = {
  ...gemini,
  path: '/gemini/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
  type: 'text/event-stream',
  answer: (bill) => [
    event({ ...candidates('ye'), usageMetadata: geminiUsage({ ...bill, output: 1 }) }),
    event(candidates('s')),
    event({ ...candidates('', 'STOP'), usageMetadata: geminiUsage(bill) }),
  ],
  said: { piece: 1, tokens: 1, early: true },
}

const ollama: BilledFormat = {
  model: 'llama3.2',
  path: '/ollama/api/chat',
  type: 'application/json',
  reports: uncached,
  request: (question) => ({ stream: false, options: { num_predict: 300 }, messages: messages(question) }),
  answer: (bill) => [ollamaLine('yes', bill)],
}
function ollamaLine(content: string, bill?: Bill): string {
  const counts = bill === undefined ? { done: false } : { done: true, done_reason: 'stop' }
  return `${JSON.stringify({
    model: 'llama3.2',
    created_at: '2026-08-04T08:52:19.785406Z',
    message: { role: 'assistant', content },
    ...counts,
    ...(bill === undefined ? {} : { prompt_eval_count: bill.input, eval_count: bill.output }),
  })}\n`
}
const ollamaStream: BilledFormat = {
  ...ollama,
  type: 'application/x-ndjson',
  request: (question) => ({ options: { num_predict: 300 }, messages: messages(question) }),
  answer: (bill) => [ollamaLine('ye'), ollamaLine('s'), ollamaLine('', bill)],
  said: { piece: 1, tokens: 1, early: false },
}

export const billedFormats: readonly BilledFormat[] = [
  chat,
  chatStream,
  completions,
  chatStreamUnasked,
  responses,
  responsesStream,
  anthropic,
  anthropicStream,
  gemini,
  geminiStream,
  ollama,
  ollamaStream,
  embeddings,
  completionsStream,
]
