// Owns the demo's MCP server: the customers of the demo tool as tools, resources and a prompt, in the versions with a
// handshake and in the one without. It keeps no sessions and asks its clients for nothing.
import { type Answer, jsonAnswer } from './dialect.ts'
import { customers } from './tool.ts'

/** `path` is relative to the server's own base path. */
export function runMcp(method: string, path: string, text: string): Answer {
  if (path !== '/') return jsonAnswer(404, failure(null, -32000, 'The demo serves MCP at one address.'))
  // It has nothing to say unasked, so there is no stream to open and no session to close.
  if (method !== 'POST') return jsonAnswer(405, failure(null, -32000, 'Method not allowed.'))
  const message = messageIn(text)
  if (message === undefined) return jsonAnswer(400, failure(null, -32700, 'This is not a JSON-RPC message.'))
  const { id, method: asked, params = {} } = message
  if (id === undefined || asked === undefined) return accepted
  const run = Object.hasOwn(methods, asked) ? methods[asked] : undefined
  if (run === undefined) return jsonAnswer(200, failure(id, -32601, `The demo does not serve ${asked}.`))
  const result = run(params)
  if (typeof result === 'string') return jsonAnswer(200, failure(id, -32602, result))
  const stateless = '_meta' in params && JSON.stringify(params._meta).includes('2026-07-28')
  return jsonAnswer(200, { jsonrpc: '2.0', id, result: stateless ? { ...result, ...complete } : result })
}

/** Members that every result of the version without sessions has. */
const complete = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }

const accepted: Answer = { ...jsonAnswer(202, {}), headers: { 'content-length': '0' }, events: [Buffer.alloc(0)] }

type Params = {
  readonly name?: unknown
  readonly uri?: unknown
  readonly protocolVersion?: unknown
  readonly arguments?: Readonly<Record<string, unknown>>
  readonly _meta?: unknown
}

type Message = {
  readonly id?: string | number
  readonly method?: string
  readonly params?: Params
}

function messageIn(text: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function failure(id: string | number | null, code: number, message: string): object {
  return { jsonrpc: '2.0', id, error: { code, message } }
}

const serverInfo = { name: 'gatewright-demo', title: 'Demo customers', version: '1.0.0' }
const capabilities = { tools: {}, resources: {}, prompts: {} }
const sessionVersions = ['2025-03-26', '2025-06-18', '2025-11-25']

/** A string says what is wrong with the parameters. */
const methods: Readonly<Record<string, (params: Params) => object | string>> = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion: sessionVersions.find((version) => version === protocolVersion) ?? '2025-11-25',
    capabilities,
    serverInfo,
  }),
  'server/discover': () => ({ supportedVersions: ['2026-07-28'], capabilities }),
  ping: () => ({}),
  'tools/list': () => ({ tools }),
  'tools/call': ({ name, arguments: args = {} }) => callTool(String(name), args),
  'resources/list': () => ({ resources: [...customers.keys()].map((id) => ({ uri: `customer://${id}`, name: id })) }),
  'resources/templates/list': () => ({ resourceTemplates: [{ uriTemplate: 'customer://{id}', name: 'customer' }] }),
  'resources/read': ({ uri }) => readCustomer(String(uri)),
  'prompts/list': () => ({ prompts: [{ name: 'letter', description: 'A letter to a customer.' }] }),
  'prompts/get': ({ name }) => (name === 'letter' ? letter : 'There is no such prompt.'),
}

const byId = { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] }
const tools = [
  { name: 'get_customer', description: 'One customer by id: 42 or 43.', inputSchema: byId },
  { name: 'list_customers', description: 'All customers.', inputSchema: { type: 'object' } },
  {
    name: 'delete_customer',
    description: 'Deletes a customer; with dry_run it only says what it would do.',
    inputSchema: { ...byId, properties: { ...byId.properties, dry_run: { type: 'boolean' } } },
    annotations: { destructiveHint: true },
  },
]

function callTool(name: string, args: Readonly<Record<string, unknown>>): object | string {
  if (name === 'list_customers') return said([...customers.values()])
  const id = String(args['id'])
  const customer = customers.get(id)
  if (name !== 'get_customer' && name !== 'delete_customer') return `There is no tool ${name}.`
  if (customer === undefined) return { ...said(`No customer ${id}.`), isError: true }
  if (name === 'get_customer') return said(customer)
  return said(args['dry_run'] === true ? `Would delete customer ${id}.` : `Deleted customer ${id}.`)
}

function said(what: object | string): object {
  return { content: [{ type: 'text', text: typeof what === 'string' ? what : JSON.stringify(what) }] }
}

function readCustomer(uri: string): object | string {
  const customer = customers.get(uri.replace(/^customer:\/\//, ''))
  if (customer === undefined) return `There is no resource ${uri}.`
  return { contents: [{ uri, mimeType: 'application/json', text: JSON.stringify(customer) }] }
}

const letter = {
  messages: [{ role: 'user', content: { type: 'text', text: 'Write a short letter to customer 42.' } }],
}
