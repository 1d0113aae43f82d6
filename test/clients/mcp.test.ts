// The official MCP SDKs, v1 with sessions and v2 without, through a whole proxy in front of a server of the SDK's own:
// each way an exchange can end must be that client's own typed result or error.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  EmptyResultSchema,
  McpError,
} from '@modelcontextprotocol/sdk/types.js'
import * as v2 from '@modelcontextprotocol/client'
import t from 'tap'
import { auditLines } from '../support/audit-lines.ts'
import { startOnReference } from '../support/on-reference.ts'

const { gateway, reference, close } = await startOnReference()
t.teardown(close)

type Connected = { readonly client: Client; readonly transport: StreamableHTTPClientTransport }

async function connect(path: string, key = 'gw_test', capabilities = {}): Promise<Connected> {
  const transport = new StreamableHTTPClientTransport(new URL(path, gateway.url), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  })
  const client = new Client({ name: 'agent', version: '1.0.0' }, { capabilities })
  await client.connect(transport)
  return { client, transport }
}

function textOf(result: unknown): string {
  const { content } = result as { content: { text?: string }[] }
  return content.map(({ text }) => text ?? '').join('')
}

const failed = (run: Promise<unknown>) => run.then(() => undefined).catch((error: unknown) => error)

t.test('v1, with a session', async (t) => {
  const { client, transport } = await connect('/mcp/github')
  t.teardown(() => client.close())

  await t.test('the id of the session is not the server’s own', async (t) => {
    t.match(transport.sessionId, /^[0-9a-f-]{36}\.[\w-]{22}$/)
  })

  await t.test('a list shows what may be used with some arguments', async (t) => {
    const { tools } = await client.listTools()
    t.same(tools.map(({ name }) => name).sort(), ['ask_model', 'ask_user', 'delete_issue', 'echo', 'get_issue'])
    const { resources } = await client.listResources()
    t.same(
      resources.map(({ uri }) => uri),
      ['notes://public/1'],
    )
    t.equal((await client.listPrompts()).prompts.length, 1)
  })

  await t.test('a call, its arguments and its answer redacted', async (t) => {
    t.match(
      textOf(await client.callTool({ name: 'get_issue', arguments: { id: 7 } })),
      'written by a**@example.org'.slice(0, 8),
    )
    t.notMatch(textOf(await client.callTool({ name: 'get_issue', arguments: { id: 7 } })), 'ada@example.org')
    await client.callTool({ name: 'echo', arguments: { text: 'to bob@example.org' } })
    t.match(JSON.stringify(reference.called.at(-1)), /EMAIL_[0-9a-z]{10}/)
  })

  await t.test('a denied call is a result that the model can read', async (t) => {
    const before = reference.called.length
    const denied = await client.callTool({ name: 'delete_issue', arguments: { id: 7 } })
    t.equal(denied.isError, true)
    t.equal(textOf(denied), 'Destructive tools need dry_run.')
    const hidden = await client.callTool({ name: 'shell', arguments: { command: 'id' } })
    t.equal(hidden.isError, true, 'what a list does not show cannot be called either')
    t.equal(reference.called.length, before)
    t.match(textOf(await client.callTool({ name: 'delete_issue', arguments: { id: 7, dry_run: true } })), 'is gone')
  })

  await t.test('other denials are JSON-RPC errors', async (t) => {
    t.match(await client.readResource({ uri: 'notes://public/1' }), { contents: [{ text: 'Public notes.' }] })
    const denied = await failed(client.readResource({ uri: 'notes://secret/1' }))
    t.ok(denied instanceof McpError)
    t.match(denied, { code: -31403 })
    t.match(await failed(client.request({ method: 'x/unknown' }, EmptyResultSchema)), { code: -32601 })
  })
})

t.test('who may use nothing cannot even connect', async (t) => {
  t.match(await failed(connect('/mcp/github', 'gw_nobody')), { code: -31403 })
  t.match(await failed(connect('/mcp/github', 'gw_wrong')), { code: 401 })
})

t.test('a limit is told in the answer to the request', async (t) => {
  const { client } = await connect('/mcp/few')
  t.teardown(() => client.close())
  const answers = [await client.callTool({ name: 'echo', arguments: { text: 'a' } })]
  for (let count = 0; count < 3; count += 1)
    answers.push(await client.callTool({ name: 'echo', arguments: { text: 'b' } }))
  const last = answers.at(-1)
  t.equal(last?.isError, true)
  t.match(textOf(last), /limit few/)
  t.match(await failed(client.listTools()), { code: -31429 })
})

t.test('a session belongs to who opened it', async (t) => {
  const { client, transport } = await connect('/mcp/github')
  t.teardown(() => client.close())
  const use = (id: string, key: string) =>
    fetch(`${gateway.url}/mcp/github`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-session-id': id,
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' }),
    })
  const id = transport.sessionId ?? ''
  t.equal((await use(id, 'gw_test')).status, 200)
  const stolen = await use(id, 'gw_other')
  t.equal(stolen.status, 404)
  t.match(await stolen.json(), { error: { code: -32001 } })
  t.equal((await use(id.slice(0, 36), 'gw_test')).status, 404, 'the server’s own id is nobody’s')
  t.equal((await use('', 'gw_test')).status, 404)
})

t.test('what a server asks of the client is judged, and a denial is told to the server', async (t) => {
  const { client } = await connect('/mcp/github', 'gw_test', { sampling: {}, elicitation: {} })
  t.teardown(() => client.close())
  let sampled = 0
  let elicited = 0
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => {
    sampled += 1
    const model = params.modelPreferences?.hints?.[0]?.name ?? ''
    return { model, role: 'assistant', content: { type: 'text', text: 'ok' } }
  })
  client.setRequestHandler(ElicitRequestSchema, () => {
    elicited += 1
    return { action: 'accept', content: { ok: true } }
  })
  t.equal(textOf(await client.callTool({ name: 'ask_model', arguments: {} })), 'sampled gpt-4o')
  t.match(textOf(await client.callTool({ name: 'ask_user', arguments: {} })), /^refused: .*No rule allows this/)
  t.equal(sampled, 1)
  t.equal(elicited, 0, 'the client never saw the question')
})

t.test('a server is told that the answer of the user was denied', async (t) => {
  const { client } = await connect('/mcp/asking', 'gw_test', { elicitation: {} })
  t.teardown(() => client.close())
  let content: Record<string, string | boolean> = { ok: true }
  client.setRequestHandler(ElicitRequestSchema, () => ({ action: 'accept', content }))
  const ask = async (): Promise<string> => textOf(await client.callTool({ name: 'ask_user', arguments: {} }))
  t.equal(await ask(), 'user: accept')
  content = { ok: true, account: 'DE89 3704 0044 0532 0130 00' }
  t.match(await ask(), /^refused: .*Redaction rule never blocks/)
})

t.test('v2, without sessions', async (t) => {
  const client = new v2.Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  const transport = new v2.StreamableHTTPClientTransport(new URL('/mcp/modern', gateway.url), {
    requestInit: { headers: { authorization: 'Bearer gw_test' } },
  })
  await client.connect(transport)
  t.teardown(() => client.close())
  t.equal(client.getNegotiatedProtocolVersion(), '2026-07-28')
  const { tools } = await client.listTools()
  t.same(tools.map(({ name }) => name).sort(), ['ask_stranger', 'ask_user', 'delete_issue', 'get_issue', 'get_mail'])
  t.notMatch(textOf(await client.callTool({ name: 'get_issue', arguments: { id: 7 } })), 'ada@example.org')
  const denied = await client.callTool({ name: 'delete_issue', arguments: { id: 7 } })
  t.match(denied, { isError: true, content: [{ text: 'Destructive tools need dry_run.' }] })
  // Of this argument the client sends a header, too, and the server refuses the call where the two differ.
  await client.callTool({ name: 'get_mail', arguments: { to: 'für ada@example.org' } })
  t.match(reference.called.at(-1), { name: 'get_mail', args: { to: /^für EMAIL_[0-9a-z]{10}$/ } })
  const refused = await failed(client.readResource({ uri: 'notes://secret/1' }))
  t.ok(refused instanceof v2.ProtocolError)
  t.match(refused, { code: -31403 })
})

t.test('v2, with what was fetched kept for several callers', async (t) => {
  const responseCacheStore = new v2.InMemoryResponseCacheStore()
  const toolsOf = async (key: string): Promise<string[]> => {
    const client = new v2.Client(
      { name: 'agent', version: '1.0.0' },
      { versionNegotiation: { mode: 'auto' }, responseCacheStore, cachePartition: key },
    )
    t.teardown(() => client.close())
    await client.connect(
      new v2.StreamableHTTPClientTransport(new URL('/mcp/modern', gateway.url), {
        requestInit: { headers: { authorization: `Bearer ${key}` } },
      }),
    )
    const { tools } = await client.listTools()
    return tools.map(({ name }) => name)
  }
  t.ok((await toolsOf('gw_test')).includes('delete_issue'))
  t.same(await toolsOf('gw_guest'), ['get_mail'], 'a list is of the caller that it was filtered for')
})

t.test('v2, asked for input in a result', async (t) => {
  const client = new v2.Client(
    { name: 'agent', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' }, capabilities: { elicitation: {}, roots: {} } },
  )
  let asked = 0
  client.setRequestHandler('elicitation/create', () => {
    asked += 1
    return { action: 'accept', content: { mail: 'bob@example.org' } }
  })
  client.setRequestHandler('roots/list', () => {
    asked += 1
    return { roots: [] }
  })
  const transport = new v2.StreamableHTTPClientTransport(new URL('/mcp/modern', gateway.url), {
    requestInit: { headers: { authorization: 'Bearer gw_test' } },
  })
  await client.connect(transport)
  t.teardown(() => client.close())
  t.match(textOf(await client.callTool({ name: 'ask_user' })), 'Mail to ')
  t.equal(asked, 1)
  t.match(
    JSON.stringify(reference.called.at(-1)),
    /EMAIL_[0-9a-z]{10}/,
    'what the user says is redacted on its way out',
  )
  t.match(await client.callTool({ name: 'ask_stranger' }), {
    isError: true,
    content: [{ text: 'No rule allows this, and the default is deny.' }],
  })
  t.equal(asked, 1, 'the client never saw the question')
})

t.test('v2, with a session where the server wants one', async (t) => {
  const client = new v2.Client({ name: 'agent', version: '1.0.0' })
  const transport = new v2.StreamableHTTPClientTransport(new URL('/mcp/github', gateway.url), {
    requestInit: { headers: { authorization: 'Bearer gw_test' } },
  })
  await client.connect(transport)
  t.teardown(() => client.close())
  t.match(textOf(await client.callTool({ name: 'echo', arguments: { text: 'plain' } })), 'plain')
  t.match(await client.callTool({ name: 'shell', arguments: { command: 'id' } }), { isError: true })
})

t.test('a stream on which a server has nothing to say ends as the server might end it', async (t) => {
  const { client, transport } = await connect('/mcp/quiet')
  t.teardown(() => client.close())
  // The client has one of its own on this session, which would make this one a conflict.
  const opened = async (): Promise<Response> => {
    for (;;) {
      const answer = await fetch(`${gateway.url}/mcp/quiet`, {
        headers: {
          authorization: 'Bearer gw_test',
          accept: 'text/event-stream',
          'mcp-session-id': transport.sessionId ?? '',
          'mcp-protocol-version': '2025-11-25',
        },
      })
      if (answer.status !== 409) return answer
    }
  }
  const stream = await opened()
  t.equal(stream.status, 200)
  t.equal(await stream.text(), '', 'a clean end')
})

t.test('a stream that stays open takes no slot of a request', async (t) => {
  const { client, transport } = await connect('/mcp/alone')
  t.teardown(() => client.close())
  const opened = (): Promise<Response> =>
    fetch(`${gateway.url}/mcp/alone`, {
      headers: {
        authorization: 'Bearer gw_test',
        accept: 'text/event-stream',
        'mcp-session-id': transport.sessionId ?? '',
        'mcp-protocol-version': '2025-11-25',
      },
    })
  // The client's own stream may not have begun; then this one has its place.
  let refused = await opened()
  if (refused.status === 200) refused = await opened()
  t.equal(refused.status, 429, 'only one may stay open')
  t.match(await refused.json(), { error: { code: -31429 } })
  for (let count = 0; count < 3; count += 1)
    t.match(textOf(await client.callTool({ name: 'echo', arguments: { text: 'plain' } })), 'plain')

  const modern = new v2.Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  await modern.connect(
    new v2.StreamableHTTPClientTransport(new URL('/mcp/alone-modern', gateway.url), {
      requestInit: { headers: { authorization: 'Bearer gw_test' } },
    }),
  )
  t.teardown(() => modern.close())
  const subscription = await modern.listen({ toolsListChanged: true })
  t.match(await failed(modern.listen({ promptsListChanged: true })), { code: -31429 })
  t.match(textOf(await modern.callTool({ name: 'get_issue', arguments: { id: 7 } })), 'Issue 7')
  await subscription.close()
})

t.test('what was done is in the log', (t) => {
  const outcomes = auditLines(gateway.auditDir).filter(({ kind }) => kind === 'outcome')
  t.match(
    outcomes.find(({ operation, decision }) => operation === 'tools.call' && decision === 'deny'),
    { tools: ['github/delete_issue'], rule: 'no-destructive-tools', status: 200 },
  )
  t.match(
    outcomes.find(({ operation }) => operation === 'tools.list'),
    { toolsWithheld: ['shell'] },
  )
  t.end()
})
