// A loop of an agent over MCP: it works on tokens alone. It hands the token that a model gave it to a tool through the
// gateway; the tool gets the value, what it says comes back as tokens, and only the user's answer has values.
import { createHash } from 'node:crypto'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import * as v2 from '@modelcontextprotocol/client'
import OpenAI from 'openai'
import t from 'tap'
import { startAgentModel } from '../support/agent-model.ts'
import { auditLines } from '../support/audit-lines.ts'
import { startGateway } from '../support/gateway.ts'
import { startReference } from '../support/mcp-reference.ts'

const model = await startAgentModel()
const reference = await startReference()
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex')
const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: ${model.url} }
  tools: { protocol: mcp, url: '${reference.url}/sessions' }
  modern: { protocol: mcp, url: '${reference.url}/stateless' }
  strange: { protocol: mcp, url: '${reference.url}/sessions' }
  crm: { protocol: http, url: ${model.url} }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: tools, path: /mcp/tools, upstream: tools }
  - { id: modern, path: /mcp/modern, upstream: modern }
  - { id: strange, path: /mcp/strange, upstream: strange }
  - { id: crm, path: /crm, upstream: crm }
principals:
  - { id: agent, keys: [{ sha256: ${sha256('gw_test')} }] }
  - { id: other, keys: [{ sha256: ${sha256('gw_other')} }] }
defaultEffect: allow
rules:
  - { id: not-to-eve, effect: deny, actions: [tool.call], when: 'has(args.text) && args.text == "eve@example.org"', reason: Not to Eve. }
redaction:
  - id: out
    direction: request
    upstreams: [openai]
    detect: [email]
    action: token
    restore: [response.text]
    restoreTo: [tools, modern, crm]
  - { id: back, direction: response, upstreams: [tools, modern], detect: [email], action: token, restoreTo: [tools] }
`)
t.teardown(async () => {
  await gateway.close()
  await reference.close()
  await model.close()
})

const openai = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_test' })

async function ask(content: string): Promise<OpenAI.ChatCompletionMessage | undefined> {
  const { choices } = await openai.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content }] })
  return choices[0]?.message
}

/** The token that the model gives to a tool for the value. */
async function tokenOf(value: string): Promise<string> {
  const [call] = (await ask(`Write to ${value} please`))?.tool_calls ?? []
  if (call?.type !== 'function') throw new Error('no call')
  const { to } = JSON.parse(call.function.arguments) as { to: string }
  return to
}

async function connect(path: string, key = 'gw_test'): Promise<Client> {
  const transport = new StreamableHTTPClientTransport(new URL(path, gateway.url), {
    requestInit: { headers: { authorization: `Bearer ${key}` } },
  })
  const client = new Client({ name: 'agent', version: '1.0.0' })
  await client.connect(transport)
  t.teardown(() => client.close())
  return client
}

function textOf(result: unknown): string {
  const { content } = result as { content: { text?: string }[] }
  return content.map(({ text }) => text ?? '').join('')
}

void t.test('v1: question, call, result, answer', async (t) => {
  const tools = await connect('/mcp/tools')
  const token = await tokenOf('ada@example.org')
  t.match(token, /^EMAIL_[0-9a-z]{10}$/, 'the agent has a token')
  const result = textOf(
    await tools.callTool({ name: 'echo', arguments: { text: `to ${token} and to bob@example.net` } }),
  )
  t.match(reference.called.at(-1), { args: { text: 'to ada@example.org and to bob@example.net' } }, 'the tool has it')
  t.match(result, new RegExp(`^to ${token} and to EMAIL_[0-9a-z]{10}$`), 'its result is tokens again')
  const answer = await ask(JSON.stringify({ result }))
  t.notMatch(model.bodies.at(-1), /example\.(org|net)/, 'the model has none')
  t.match(
    answer?.content,
    /^The tool says: to ada@example\.org and to EMAIL_[0-9a-z]{10} Done\.$/,
    'the user has what the user said; what the tool hid stays hidden',
  )
  await tools.callTool({ name: 'echo', arguments: { text: result } })
  t.match(
    reference.called.at(-1),
    { args: { text: 'to ada@example.org and to bob@example.net' } },
    'what a tool said can be given back to it',
  )
})

void t.test('v2: a header that repeats the argument has the value, too', async (t) => {
  const client = new v2.Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } })
  const transport = new v2.StreamableHTTPClientTransport(new URL('/mcp/modern', gateway.url), {
    requestInit: { headers: { authorization: 'Bearer gw_test' } },
  })
  await client.connect(transport)
  t.teardown(() => client.close())
  await client.listTools()
  const token = await tokenOf('ada@example.org')
  const result = await client.callTool({ name: 'get_mail', arguments: { to: `für ${token}` } })
  t.match(reference.called.at(-1), { name: 'get_mail', args: { to: 'für ada@example.org' } })
  t.equal(textOf(result), `Mail for für ${token}.`)
})

void t.test('a tool gets it over plain HTTP, in body, path and query', async (t) => {
  const token = await tokenOf('ada@example.org')
  const answer = await fetch(`${gateway.url}/crm/people/${token}?to=${token}`, {
    method: 'POST',
    headers: { authorization: 'Bearer gw_test', 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content: `{"result":"${token}"}` }] }),
  })
  t.equal(answer.headers.get('x-gatewright-restored'), 'email=3')
  t.match(model.bodies.at(-1), 'ada@example.org')
})

void t.test('nobody else gets it', async (t) => {
  const token = await tokenOf('ada@example.org')
  const text = `to ${token}`
  await (await connect('/mcp/strange')).callTool({ name: 'echo', arguments: { text } })
  t.match(reference.called.at(-1), { args: { text } }, 'a tool that no rule names')
  await (await connect('/mcp/tools', 'gw_other')).callTool({ name: 'echo', arguments: { text } })
  t.match(reference.called.at(-1), { args: { text } }, 'the tool, of another caller')
})

void t.test('rules judge the value, not the token', async (t) => {
  const tools = await connect('/mcp/tools')
  const calls = reference.called.length
  const result = await tools.callTool({ name: 'echo', arguments: { text: await tokenOf('eve@example.org') } })
  t.match(result, { isError: true, content: [{ text: 'Not to Eve.' }] })
  t.equal(reference.called.length, calls)
})

void t.test('the record counts, and shows neither values nor tokens that became values', (t) => {
  const lines = auditLines(gateway.auditDir)
  const restored = lines.filter((line) => line.kind === 'outcome' && line['restored'] !== undefined)
  t.match(
    restored.find(({ operation }) => operation === 'tools.call'),
    { restored: [{ direction: 'request', entity: 'email', count: 1 }], redactions: [{ direction: 'answer' }] },
  )
  t.notMatch(JSON.stringify([lines, gateway.logged]), /example\.(org|net)/)
  const call = restored.find(({ operation }) => operation === 'tools.call')
  t.not(call?.['digestForwarded'], call?.['digestRequest'])
  t.end()
})
