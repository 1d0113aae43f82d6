// A reference MCP server of the SDK's own making, on a real socket: sessions and a GET stream in the versions that have
// them (v1 SDK), and one without either (v2 SDK). It writes down which tools were called.
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  acceptedContent,
  createMcpHandler,
  inputRequired,
  McpServer as StatelessServer,
} from '@modelcontextprotocol/server'
import { z } from 'zod'

export type Reference = {
  /** `/sessions` is the v1 server, `/stateless` the v2 one. */
  readonly url: string
  /** Names and arguments of the tools that really ran. */
  readonly called: { readonly name: string; readonly args: unknown }[]
  /** Outcomes of what the server asked of the client. */
  readonly asked: string[]
  close(): Promise<void>
}

export async function startReference(options: { readonly json?: boolean } = {}): Promise<Reference> {
  const called: { name: string; args: unknown }[] = []
  const asked: string[] = []
  const transports = new Map<string, StreamableHTTPServerTransport>()
  const stateless = createMcpHandler(() => statelessServer(called), { legacy: 'reject' })
  const server = createServer((request, response) => {
    void answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(String(error))
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.url === '/stateless') return answerStateless(stateless, request, response)
    const id = request.headers['mcp-session-id']
    let transport = typeof id === 'string' ? transports.get(id) : undefined
    if (transport === undefined && id !== undefined) {
      response.writeHead(404).end()
      return
    }
    if (transport === undefined) {
      const opened = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: options.json ?? false,
        onsessioninitialized: (id) => void transports.set(id, opened),
      })
      transport = opened
      await sessionServer(called, asked).connect(opened)
    }
    await transport.handleRequest(request, response)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    called,
    asked,
    close: () => closed(server),
  }
}

type Called = { name: string; args: unknown }[]

function sessionServer(called: Called, asked: string[]): McpServer {
  const server = new McpServer({ name: 'reference', version: '1.0.0' }, { capabilities: { logging: {} } })
  const tool = (name: string, shape: z.ZodRawShape, run: (args: Record<string, unknown>) => string | Promise<string>) =>
    server.registerTool(name, { description: `The tool ${name}.`, inputSchema: shape }, async (args) => {
      called.push({ name, args })
      return { content: [{ type: 'text' as const, text: await run(args) }] }
    })
  tool('get_issue', { id: z.number() }, ({ id }) => `Issue ${String(id)} was written by ada@example.org.`)
  tool('delete_issue', { id: z.number(), dry_run: z.boolean().optional() }, ({ id }) => `Issue ${String(id)} is gone.`)
  tool('shell', { command: z.string() }, () => 'root')
  tool('echo', { text: z.string() }, ({ text }) => String(text))
  tool('ask_model', {}, async () => {
    const outcome = await server.server
      .createMessage({
        maxTokens: 10,
        modelPreferences: { hints: [{ name: 'gpt-4o' }] },
        messages: [{ role: 'user', content: { type: 'text', text: 'Which model are you?' } }],
      })
      .then(({ model }) => `sampled ${model}`)
      .catch((error: unknown) => `refused: ${(error as Error).message}`)
    asked.push(outcome)
    return outcome
  })
  tool('ask_user', {}, async () => {
    const outcome = await server.server
      .elicitInput({ message: 'Go on?', requestedSchema: { type: 'object', properties: { ok: { type: 'boolean' } } } })
      .then(({ action }) => `user: ${action}`)
      .catch((error: unknown) => `refused: ${(error as Error).message}`)
    asked.push(outcome)
    return outcome
  })
  server.registerResource('notes', 'notes://public/1', { description: 'Notes' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'Public notes.' }],
  }))
  server.registerResource('secret', 'notes://secret/1', { description: 'Secret' }, (uri) => ({
    contents: [{ uri: uri.href, text: 'Secret notes.' }],
  }))
  server.registerPrompt('review', { description: 'Review' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'Review it.' } }],
  }))
  return server
}

function statelessServer(called: Called): StatelessServer {
  // The server knows nothing of who may see what: that is the gateway's.
  const cacheHints = { 'tools/list': { ttlMs: 60_000, cacheScope: 'public' } } as const
  const server = new StatelessServer({ name: 'reference', version: '1.0.0' }, { cacheHints })
  const tool = (name: string, run: (args: Record<string, unknown>) => string) =>
    server.registerTool(
      name,
      { description: `The tool ${name}.`, inputSchema: z.object({ id: z.number().optional() }) },
      (args) => {
        called.push({ name, args })
        return { content: [{ type: 'text' as const, text: run(args) }] }
      },
    )
  tool('get_issue', ({ id }) => `Issue ${String(id)} was written by ada@example.org.`)
  tool('delete_issue', ({ id }) => `Issue ${String(id)} is gone.`)
  tool('shell', () => 'root')
  const to = z.string().meta({ 'x-mcp-header': 'To' })
  server.registerTool('get_mail', { description: 'Mail for somebody.', inputSchema: z.object({ to }) }, (args) => {
    called.push({ name: 'get_mail', args })
    return { content: [{ type: 'text' as const, text: `Mail for ${args.to}.` }] }
  })
  for (const name of ['ask_user', 'ask_stranger']) {
    server.registerTool(name, { description: `The tool ${name}.` }, ({ mcpReq }) => {
      const answer = acceptedContent<{ mail: string }>(mcpReq.inputResponses, name)
      called.push({ name, args: answer })
      if (answer !== undefined) return { content: [{ type: 'text', text: `Mail to ${answer.mail}.` }] }
      const schema = { type: 'object' as const, properties: { mail: { type: 'string' as const } } }
      return inputRequired({
        requestState: 'state-1',
        inputRequests:
          name === 'ask_user'
            ? { [name]: inputRequired.elicit({ message: 'Mail to whom?', requestedSchema: schema }) }
            : { [name]: inputRequired.listRoots() },
      })
    })
  }
  return server
}

type Handler = ReturnType<typeof createMcpHandler>

async function answerStateless(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = new Headers()
  for (const [name, value] of Object.entries(request.headers)) if (typeof value === 'string') headers.set(name, value)
  const body = Buffer.concat(chunks)
  const answer = await handler.fetch(
    new Request(`http://${request.headers.host ?? 'localhost'}${request.url ?? '/'}`, {
      method: request.method ?? 'POST',
      headers,
      ...(body.length === 0 ? undefined : { body }),
    }),
  )
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  if (answer.body !== null) for await (const chunk of answer.body) response.write(chunk)
  response.end()
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
