// Owns what fuzzing starts from: one valid request for each operation of each wire format, and the valid answers and
// streams that an upstream may give to it. All of them are the golden samples of test/fixtures.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Seed = {
  readonly method: string
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | undefined
  readonly answers: readonly SeedAnswer[]
}

export type SeedAnswer = { readonly type: string; readonly body: string }

const fixtures = join(import.meta.dirname, '..', 'fixtures')

function read(name: string): string {
  return readFileSync(join(fixtures, name), 'utf8')
}

function answersOf(folder: string, ...names: string[]): SeedAnswer[] {
  return names.map((name) => ({ type: typeOf(name), body: read(join(folder, name)) }))
}

function typeOf(name: string): string {
  if (name.endsWith('.sse')) return 'text/event-stream'
  return name.endsWith('.ndjson') ? 'application/x-ndjson' : 'application/json'
}

function post(
  target: string,
  body: string,
  answers: SeedAnswer[],
  headers: readonly (readonly [string, string])[] = [],
): Seed {
  return { method: 'POST', target, headers: [['content-type', 'application/json'], ...headers], body, answers }
}

function get(target: string, answers: SeedAnswer[], headers: readonly (readonly [string, string])[] = []): Seed {
  return { method: 'GET', target, headers, body: undefined, answers }
}

/** The same request asking for a stream. */
function streamed(body: string): string {
  return JSON.stringify({ ...(JSON.parse(body) as object), stream: true })
}

const chatAnswers = answersOf('openai', 'chat-answer.json', 'chat-stream.sse', 'tools-stream.sse', 'error-stream.sse')
const responsesAnswers = answersOf(
  'openai',
  'responses-answer.json',
  'responses-stream.sse',
  'responses-tools-stream.sse',
  'responses-error-stream.sse',
)
const messagesAnswers = answersOf('anthropic', 'messages-answer.json', 'messages-stream.sse', 'error-stream.sse')
const geminiAnswers = answersOf(
  'gemini',
  'generate-answer.json',
  'generate-stream.sse',
  'calls-stream.sse',
  'blocked-stream.sse',
  'error-stream.sse',
)
const ollamaAnswers = answersOf(
  'ollama',
  'chat-answer.json',
  'generate-answer.json',
  'chat-stream.ndjson',
  'generate-stream.ndjson',
  'error-stream.ndjson',
)
const toolAnswers = [
  ...answersOf('http', 'request.json', 'events.sse'),
  { type: 'text/plain', body: 'ada@example.org' },
]

const simple = JSON.stringify({ model: 'gpt-4o', input: ['ada@example.org', 'two'], prompt: 'Who is ada@example.org?' })

const seedsOfModels: readonly Seed[] = [
  post('/openai/v1/chat/completions', read('openai/chat-request.json'), chatAnswers),
  post('/openai/v1/chat/completions', streamed(read('openai/chat-request.json')), chatAnswers),
  post('/openai/v1/responses', read('openai/responses-request.json'), responsesAnswers),
  post('/openai/v1/responses', streamed(read('openai/responses-request.json')), responsesAnswers),
  get('/openai/v1/responses/resp_1/input_items?limit=2', answersOf('openai', 'responses-items.json')),
  post('/openai/v1/completions', simple, chatAnswers),
  post('/openai/v1/embeddings', simple, chatAnswers),
  post('/openai/v1/moderations', simple, chatAnswers),
  get('/openai/v1/models', answersOf('openai', 'responses-items.json')),
  post('/anthropic/v1/messages', read('anthropic/messages-request.json'), messagesAnswers),
  post('/anthropic/v1/messages?beta=true', streamed(read('anthropic/messages-request.json')), messagesAnswers),
  post('/anthropic/v1/messages/count_tokens', read('anthropic/messages-request.json'), messagesAnswers),
  post(gemini('generateContent'), read('gemini/generate-request.json'), geminiAnswers),
  post(gemini('streamGenerateContent?alt=sse'), read('gemini/generate-request.json'), geminiAnswers),
  post(gemini('streamGenerateContent?alt=sse'), read('gemini/snake-request.json'), geminiAnswers),
  post(gemini('countTokens'), read('gemini/count-request.json'), answersOf('gemini', 'count-answer.json')),
  post(gemini('batchEmbedContents'), read('gemini/embed-request.json'), answersOf('gemini', 'embed-answer.json')),
  post('/ollama/api/chat', read('ollama/chat-request.json'), ollamaAnswers),
  post('/ollama/api/chat', streamed(read('ollama/chat-request.json')), ollamaAnswers),
  post('/ollama/api/generate', read('ollama/generate-request.json'), ollamaAnswers),
  post('/ollama/api/embed', read('ollama/embed-request.json'), answersOf('ollama', 'embed-answer.json')),
  get('/ollama/api/tags', answersOf('ollama', 'tags-answer.json')),
]

const seedsOfTools: readonly Seed[] = [
  post('/tools/crm/customers/42?mail=ada@example.org&x=1', read('http/request.json'), toolAnswers),
  get('/tools/crm/customers/42?id=7', toolAnswers),
  { ...get('/tools/crm/customers/delete', toolAnswers), method: 'DELETE' },
  { ...post('/tools/crm/notes', 'for ada@example.org', toolAnswers), headers: [['content-type', 'text/plain']] },
  {
    ...post('/tools/crm/form', 'mail=ada%40example.org&b=2', toolAnswers),
    headers: [['content-type', 'application/x-www-form-urlencoded']],
  },
  post('/opaque/v1/assistants/asst_1?mail=ada@example.org', read('http/request.json'), toolAnswers),
  {
    ...post('/opaque/v1/files', '--x\r\n\r\nada@example.org\r\n--x--', chatAnswers),
    headers: [['content-type', 'multipart/form-data; boundary=x']],
  },
  post('/opaque/v1/responses', streamed(read('openai/responses-request.json')), responsesAnswers),
]

function gemini(method: string): string {
  return `/gemini/v1beta/models/gemini-2.5-flash:${method}`
}

/** Each message of the samples alone, answered by any of the answers, as JSON and as a stream. */
function mcpSeeds(): Seed[] {
  const requests = JSON.parse(read('mcp/requests.json')) as Record<string, { method?: string; params?: unknown }>
  const messages = Object.values(JSON.parse(read('mcp/answers.json')) as object).map((value) => JSON.stringify(value))
  const answers = messages.flatMap((body) => [
    { type: 'application/json', body },
    { type: 'text/event-stream', body: `id: 1\ndata: \n\nevent: message\nid: 2\ndata: ${body}\n\n` },
  ])
  const accept = ['accept', 'application/json, text/event-stream'] as const
  const posts = Object.values(requests).map((message) => {
    const body = JSON.stringify(message)
    const version = body.includes('2026-07-28') ? '2026-07-28' : '2025-11-25'
    const { name = '' } = (message.params ?? {}) as { name?: string }
    return post('/mcp', body, answers, [
      accept,
      ['mcp-protocol-version', version],
      ['mcp-method', message.method ?? ''],
      ['mcp-name', name],
    ])
  })
  const session = [accept, ['mcp-session-id', 's-1'], ['mcp-protocol-version', '2025-11-25']] as const
  return [...posts, get('/mcp', answers, session), { ...get('/mcp', answers, session), method: 'DELETE' }]
}

/** Named apart, so that a choice among formats does not become a choice among the many messages of one. */
export const seedGroups: readonly (readonly Seed[])[] = [seedsOfModels, seedsOfTools, mcpSeeds()]
