// The server that the published MCP conformance scenarios expect, made of the v1 SDK's own: every tool, resource and prompt
// that they name, with sessions, resumption and everything a server may ask of its client.
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { EventStore } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js'
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
  type CallToolResult,
  type GetPromptResult,
  type JSONRPCMessage,
  type ReadResourceResult,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js'

export type ConformanceServer = { readonly url: string; close(): Promise<void> }

export async function startConformanceServer(): Promise<ConformanceServer> {
  const transports = new Map<string, StreamableHTTPServerTransport>()
  const http = createServer((request, response) => {
    const id = request.headers['mcp-session-id']
    const known = typeof id === 'string' ? transports.get(id) : undefined
    if (known === undefined && id !== undefined) {
      response.writeHead(404).end()
      return
    }
    void (known === undefined ? open(transports) : Promise.resolve(known)).then((transport) =>
      transport.handleRequest(request, response),
    )
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`,
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
}

async function open(transports: Map<string, StreamableHTTPServerTransport>): Promise<StreamableHTTPServerTransport> {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    eventStore: new Events(),
    retryInterval: 100,
    onsessioninitialized: (id) => void transports.set(id, transport),
  })
  await conformanceServer().connect(transport)
  return transport
}

class Events implements EventStore {
  readonly #events: { readonly id: string; readonly stream: string; readonly message: JSONRPCMessage }[] = []

  storeEvent(stream: string, message: JSONRPCMessage): Promise<string> {
    const id = `${stream}_${this.#events.length}`
    this.#events.push({ id, stream, message })
    return Promise.resolve(id)
  }

  async replayEventsAfter(
    last: string,
    { send }: { send: (id: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const at = this.#events.findIndex(({ id }) => id === last)
    const stream = this.#events[at]?.stream ?? ''
    for (const event of this.#events.slice(at + 1)) {
      if (event.stream === stream && Object.keys(event.message).length > 0) await send(event.id, event.message)
    }
    return stream
  }
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>
type Args = Readonly<Record<string, unknown>>
type Run = (args: Args, extra: Extra, server: Server) => CallToolResult | Promise<CallToolResult>

function conformanceServer(): Server {
  const server = new Server(
    { name: 'conformance', version: '1.0.0' },
    { capabilities: { tools: {}, resources: { subscribe: true }, prompts: {}, logging: {}, completions: {} } },
  )
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [...tools.keys()].map((name) => ({
      name,
      description: `The tool ${name}.`,
      inputSchema: name === 'json_schema_2020_12_tool' ? schema2020 : { type: 'object' as const },
    })),
  }))
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const run = tools.get(params.name)
    if (run === undefined) throw new Error(`Unknown tool ${params.name}`)
    return run(params.arguments ?? {}, extra, server)
  })
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: ['static-text', 'static-binary', 'watched-resource'].map((name) => ({ uri: `test://${name}`, name })),
  }))
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template' }],
  }))
  server.setRequestHandler(ReadResourceRequestSchema, ({ params }) => read(params.uri))
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: [...prompts.keys()].map((name) => ({ name, description: `The prompt ${name}.` })),
  }))
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    const get = prompts.get(params.name)
    if (get === undefined) throw new Error(`Unknown prompt ${params.name}`)
    return get(params.arguments ?? {})
  })
  server.setRequestHandler(CompleteRequestSchema, () => ({
    completion: { values: ['paris'], total: 1, hasMore: false },
  }))
  for (const schema of [SetLevelRequestSchema, SubscribeRequestSchema, UnsubscribeRequestSchema]) {
    server.setRequestHandler(schema, () => ({}))
  }
  return server
}

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const wav = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='
const image = { type: 'image', data: png, mimeType: 'image/png' } as const

function text(said: string): CallToolResult {
  return { content: [{ type: 'text', text: said }] }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const schema2020 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: { address: { type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
  properties: { name: { type: 'string' }, address: { $ref: '#/$defs/address' } },
  additionalProperties: false,
}

/** As the scenarios describe them. */
const tools = new Map<string, Run>([
  ['test_simple_text', () => text('This is a simple text response for testing.')],
  ['test_image_content', () => ({ content: [image] })],
  ['test_audio_content', () => ({ content: [{ type: 'audio', data: wav, mimeType: 'audio/wav' }] })],
  ['test_embedded_resource', () => ({ content: [embedded('test://embedded-resource', 'An embedded resource.')] })],
  [
    'test_multiple_content_types',
    () => ({
      content: [
        { type: 'text', text: 'Multiple content types test:' },
        image,
        embedded('test://mixed-content-resource', '{"test":"data","value":123}', 'application/json'),
      ],
    }),
  ],
  ['test_tool_with_logging', withLogging],
  ['test_tool_with_progress', withProgress],
  ['test_error_handling', () => ({ ...text('This tool intentionally returns an error for testing'), isError: true })],
  ['test_sampling', sampling],
  ['test_elicitation', ({ message }, extra, server) => elicit(server, extra, String(message), userSchema)],
  ['test_elicitation_sep1034_defaults', (_args, extra, server) => elicit(server, extra, 'Defaults', defaultsSchema)],
  ['test_elicitation_sep1330_enums', (_args, extra, server) => elicit(server, extra, 'Enums', enumsSchema)],
  ['json_schema_2020_12_tool', () => text('ok')],
  ['test_reconnection', reconnection],
])

function embedded(uri: string, said: string, mimeType = 'text/plain') {
  return { type: 'resource' as const, resource: { uri, mimeType, text: said } }
}

async function withLogging(_args: Args, extra: Extra): Promise<CallToolResult> {
  for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
    await extra.sendNotification({ method: 'notifications/message', params: { level: 'info', data } })
    await pause(20)
  }
  return text('Logged.')
}

async function withProgress(_args: Args, extra: Extra): Promise<CallToolResult> {
  const progressToken = extra._meta?.progressToken
  for (const progress of [0, 50, 100]) {
    if (progressToken !== undefined)
      await extra.sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, total: 100 },
      })
    await pause(20)
  }
  return text('Done.')
}

async function sampling({ prompt }: Args, extra: Extra, server: Server): Promise<CallToolResult> {
  const { content } = await server.createMessage(
    { messages: [{ role: 'user', content: { type: 'text', text: String(prompt) } }], maxTokens: 100 },
    { relatedRequestId: extra.requestId },
  )
  return text(`LLM response: ${'text' in content ? content.text : ''}`)
}

type Schema = Parameters<Server['elicitInput']>[0] extends infer P
  ? P extends { requestedSchema: infer S }
    ? S
    : never
  : never

async function elicit(server: Server, extra: Extra, message: string, requestedSchema: Schema): Promise<CallToolResult> {
  const result = await server.elicitInput({ message, requestedSchema }, { relatedRequestId: extra.requestId })
  return text(`Elicitation completed: action=${result.action}, content=${JSON.stringify(result.content)}`)
}

const userSchema: Schema = {
  type: 'object',
  properties: {
    username: { type: 'string', description: 'User’s response' },
    email: { type: 'string', description: 'User’s email address' },
  },
  required: ['username', 'email'],
}

const defaultsSchema: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
}

const options = ['option1', 'option2', 'option3']
const titled = ['value1', 'value2', 'value3'].map((value) => ({ const: value, title: `Title of ${value}` }))

const enumsSchema: Schema = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: options },
    titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } },
    titledMulti: { type: 'array', items: { anyOf: titled } },
  },
}

/** Ends the stream in the middle of the call; the answer is there for whoever resumes. */
async function reconnection(_args: Args, extra: Extra): Promise<CallToolResult> {
  await pause(50)
  extra.closeSSEStream?.()
  await pause(50)
  return text('Resumed.')
}

function read(uri: string): ReadResourceResult {
  if (uri === 'test://static-binary') return { contents: [{ uri, mimeType: 'image/png', blob: png }] }
  const id = /^test:\/\/template\/(.+)\/data$/.exec(uri)?.[1]
  if (id === undefined)
    return { contents: [{ uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }] }
  const data = { id, templateTest: true, data: `Data for ID: ${id}` }
  return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(data) }] }
}

const prompts = new Map<string, (args: Args) => GetPromptResult>([
  ['test_simple_prompt', () => said({ type: 'text', text: 'This is a simple prompt for testing.' })],
  [
    'test_prompt_with_arguments',
    ({ arg1, arg2 }) =>
      said({ type: 'text', text: `Prompt with arguments: arg1='${String(arg1)}', arg2='${String(arg2)}'` }),
  ],
  [
    'test_prompt_with_embedded_resource',
    ({ resourceUri }) =>
      said(embedded(String(resourceUri), 'Embedded resource content for testing.'), {
        type: 'text',
        text: 'Please process the embedded resource above.',
      }),
  ],
  ['test_prompt_with_image', () => said(image, { type: 'text', text: 'Please analyze the image above.' })],
])

function said(...contents: GetPromptResult['messages'][number]['content'][]): GetPromptResult {
  return { messages: contents.map((content) => ({ role: 'user', content })) }
}
