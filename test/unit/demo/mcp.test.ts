// The demo's MCP server as the official clients of both eras see it.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import * as v2 from '@modelcontextprotocol/client'
import t from 'tap'
import { startDemo } from '../../../proxy/demo/demo.ts'

const demo = await startDemo({ host: '127.0.0.1', port: 0 })
t.teardown(() => demo.close())
const url = new URL(`${demo.url}/mcp`)

t.test('with a handshake', async (t) => {
  const client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(new StreamableHTTPClientTransport(url))
  t.teardown(() => client.close())
  t.same(
    (await client.listTools()).tools.map(({ name }) => name),
    ['get_customer', 'list_customers', 'delete_customer'],
  )
  t.match(await client.callTool({ name: 'get_customer', arguments: { id: '42' } }), {
    content: [{ text: /ada@example\.org/ }],
  })
  t.match(await client.callTool({ name: 'delete_customer', arguments: { id: '42', dry_run: true } }), {
    content: [{ text: 'Would delete customer 42.' }],
  })
  t.match(await client.callTool({ name: 'get_customer', arguments: { id: '1' } }), { isError: true })
  t.match(await client.readResource({ uri: 'customer://43' }), { contents: [{ text: /Bo Sample/ }] })
  t.equal((await client.listResources()).resources.length, 2)
  t.equal((await client.getPrompt({ name: 'letter' })).messages.length, 1)
  await t.rejects(client.callTool({ name: 'nothing' }), { code: -32602 })
  await t.rejects(client.getPrompt({ name: 'nothing' }), { code: -32602 })
})

t.test('without', async (t) => {
  const client = new v2.Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  await client.connect(new v2.StreamableHTTPClientTransport(url))
  t.teardown(() => client.close())
  t.equal(client.getNegotiatedProtocolVersion(), '2026-07-28')
  t.equal((await client.listTools()).tools.length, 3)
  t.match(await client.callTool({ name: 'get_customer', arguments: { id: '42' } }), {
    content: [{ text: /ada@example\.org/ }],
  })
})

t.test('what it does not serve', async (t) => {
  t.equal((await fetch(url)).status, 405)
  t.equal((await fetch(`${url.href}/x`, { method: 'POST', body: '{}' })).status, 404)
  t.equal((await fetch(url, { method: 'POST', body: '[' })).status, 400)
  const post = (message: object) => fetch(url, { method: 'POST', body: JSON.stringify(message) })
  t.equal((await post({ jsonrpc: '2.0', method: 'notifications/initialized' })).status, 202)
  t.match(await (await post({ jsonrpc: '2.0', id: 1, method: 'constructor' })).json(), { error: { code: -32601 } })
})
