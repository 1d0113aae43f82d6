// Whole loops of an agent with the official SDKs' own loops: a value goes out as a token, the model calls a tool with the
// token, the tool gets the value, what it says is a token again on its way out, and the last answer has the values.
import { createHash } from 'node:crypto'
import Anthropic from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import OpenAI from 'openai'
import t from 'tap'
import { startAgentModel } from '../support/agent-model.ts'
import { auditLines } from '../support/audit-lines.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'

const model = await startAgentModel()
t.teardown(() => model.close())
const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex')

/** `more` is what the redaction rule says beyond the usual. */
async function start({ more = '', detect = '[email, payment-card]' } = {}): Promise<TestGateway> {
  return startGateway(`
upstreams:
  openai: { protocol: openai, url: ${model.url} }
  anthropic: { protocol: anthropic, url: ${model.url} }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: anthropic, path: /anthropic, upstream: anthropic }
principals:
  - { id: agent, keys: [{ sha256: ${sha256('gw_test')} }] }
  - { id: other, keys: [{ sha256: ${sha256('gw_other')} }] }
defaultEffect: allow
redaction:
  - { id: out, direction: request, detect: ${detect}, action: token${more} }
`)
}

const gateway = await start()
t.teardown(() => gateway.close())

const question = 'Write to ada@example.org, please.'
const given = 'ada@example.org'
/** The tool's own value is one that nobody has mentioned before. */
const answered = 'bob@example.net'
const said = `The tool says: sent to ${given} for ${answered} Done.`
const schema = {
  type: 'object' as const,
  properties: { to: { type: 'string' as const }, text: { type: 'string' as const } },
}

type Loop = (at: TestGateway, stream: boolean) => Promise<{ readonly text: string; readonly tool: unknown[] }>

const loops: Record<string, Loop> = {
  async openai(at, stream) {
    const client = new OpenAI({ baseURL: `${at.url}/openai/v1`, apiKey: 'gw_test' })
    const tool: unknown[] = []
    const send = (args: { to: string }) => {
      tool.push(args)
      return JSON.stringify({ result: `sent to ${args.to} for ${answered}` })
    }
    const tools = [
      {
        type: 'function' as const,
        function: { name: 'send_mail', description: 'Sends.', parameters: schema, parse: JSON.parse, function: send },
      },
    ]
    const asked = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: question }], tools }
    const runner = stream
      ? client.chat.completions.runTools({ ...asked, stream: true })
      : client.chat.completions.runTools(asked)
    return { text: (await runner.finalContent()) ?? '', tool }
  },
  async anthropic(at, stream) {
    const client = new Anthropic({ baseURL: `${at.url}/anthropic`, apiKey: 'gw_test' })
    const tool: unknown[] = []
    const send = betaTool({
      name: 'send_mail',
      description: 'Sends.',
      inputSchema: schema,
      run: (args) => {
        tool.push(args)
        return JSON.stringify({ result: `sent to ${args.to} for ${answered}` })
      },
    })
    const asked = { model: 'claude-x', max_tokens: 100, messages: [{ role: 'user' as const, content: question }] }
    const runner = stream
      ? client.beta.messages.toolRunner({ ...asked, tools: [send], stream: true })
      : client.beta.messages.toolRunner({ ...asked, tools: [send] })
    const message = await runner
    return { text: message.content.map((block) => (block.type === 'text' ? block.text : '')).join(''), tool }
  },
}

for (const [name, loop] of Object.entries(loops)) {
  for (const stream of [false, true]) {
    void t.test(`${name}, ${stream ? 'streamed' : 'whole'}`, async (t) => {
      model.bodies.length = 0
      const { text, tool } = await loop(gateway, stream)
      t.same(tool, [{ to: given, text: 'Hello' }], 'the tool got the value')
      t.equal(text, said, 'the answer is the values’ again')
      t.equal(model.bodies.length, 2)
      const shown = model.bodies.join('\n')
      t.notMatch(shown, /example\.(org|net)/, 'the model saw none')
      const tokens = [...shown.matchAll(/EMAIL_[0-9a-z]{10}/g)].map(([token]) => token)
      t.equal(new Set(tokens).size, 2, 'the same value is the same token in every turn')
      // Anthropic's loop refers to the turns before instead of sending them again.
      t.equal(tokens.length, name === 'openai' ? 5 : 3, 'the question, the call, and the result with two')
    })
  }
}

void t.test('tokens come back only where the rule says', async (t) => {
  for (const [more, toolGets, textHas] of [
    [', restore: []', /^EMAIL_/, /sent to EMAIL_\w{10} for EMAIL_/],
    [', restore: [tool.args]', /^ada@/, /sent to EMAIL_\w{10} for EMAIL_/],
    [', restore: [response.text]', /^EMAIL_/, /sent to ada@example.org for bob@/],
  ] as const) {
    const at = await start({ more })
    t.teardown(() => at.close())
    for (const [name, loop] of Object.entries(loops)) {
      for (const stream of [false, true]) {
        const { text, tool } = await loop(at, stream)
        t.match((tool[0] as { to: string }).to, toolGets, `${name}${more} ${String(stream)}`)
        t.match(text, textHas, `${name}${more} ${String(stream)}`)
      }
    }
  }
})

void t.test('a tool whose schema demands an address gets one to copy', async (t) => {
  const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_test' })
  const parameters = { type: 'object', properties: { to: { type: 'string', format: 'email' } }, required: ['to'] }
  model.bodies.length = 0
  const { choices } = await client.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'Write to ada@example.org please' }],
    tools: [{ type: 'function', function: { name: 'send_mail', strict: true, parameters } }],
  })
  t.match(model.bodies[0], /Write to [0-9a-z]{10}@redacted\.invalid please/)
  t.match(choices[0]?.message.tool_calls, [{ function: { arguments: '{"to":"ada@example.org","text":"Hello"}' } }])
})

void t.test('a tool whose schema demands digits gets as many, and the value is a number again', async (t) => {
  const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: 'gw_test' })
  const parameters = { type: 'object', properties: { to: { type: 'string', pattern: '^[0-9]{16}$' } } }
  const asked = {
    model: 'gpt-4o',
    messages: [{ role: 'user' as const, content: 'Charge 4111111111111111 please' }],
    tools: [{ type: 'function' as const, function: { name: 'send_mail', parameters } }],
  }
  const whole = await client.chat.completions.create(asked)
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion()
  t.match(model.bodies.at(-1), /Charge [1-9][0-9]{15} please/)
  t.notMatch(model.bodies.at(-1), '4111111111111111')
  for (const { choices } of [whole, streamed]) {
    const [call] = choices[0]?.message.tool_calls ?? []
    t.match(call, { function: { arguments: '{"to":4111111111111111,"text":"Hello"}' } })
  }
})

void t.test('a value of several lines is one in arguments, too', async (t) => {
  const at = await start({ detect: '[private-key]' })
  t.teardown(() => at.close())
  const client = new OpenAI({ baseURL: `${at.url}/openai/v1`, apiKey: 'gw_test' })
  const body = ['MIIEowIBAAKCAQEA', 'y8Dbv8prpJ/0kKhl'].join('\n')
  const pem = `-----BEGIN PRIVATE KEY-----\n${body}\n-----END PRIVATE KEY-----`
  const asked = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: `Install\n${pem}\nplease, "now".` }] }
  const whole = await client.chat.completions.create(asked)
  const streamed = await client.chat.completions.stream(asked).finalChatCompletion()
  t.notMatch(model.bodies.at(-1), 'MIIEow')
  for (const { choices } of [whole, streamed]) {
    const [call] = choices[0]?.message.tool_calls ?? []
    t.same(JSON.parse((call as { function: { arguments: string } }).function.arguments), { to: pem, text: 'Hello' })
  }
})

void t.test('what an earlier exchange gave out is known to the same caller alone', async (t) => {
  const ask = async (key: string, content: string): Promise<string> => {
    const client = new OpenAI({ baseURL: `${gateway.url}/openai/v1`, apiKey: key })
    const { choices } = await client.chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content }] })
    return choices[0]?.message.content ?? ''
  }
  await ask('gw_test', '{"result":"carol@example.org"}')
  const [token = ''] = /EMAIL_[0-9a-z]{10}/.exec(model.bodies.at(-1) ?? '') ?? []
  const planted = `{"result":"${token} and EMAIL_0000000000, EMAIL_k7q2m9xd4r"}`
  const lookAlikes = 'and EMAIL_0000000000, EMAIL_k7q2m9xd4r Done.'
  t.equal(await ask('gw_test', planted), `The tool says: carol@example.org ${lookAlikes}`)
  t.equal(await ask('gw_other', planted), `The tool says: ${token} ${lookAlikes}`)
})

void t.test('the record has counts, and neither values nor tokens', async (t) => {
  const at = await start()
  t.teardown(() => at.close())
  await loops['openai']?.(at, true)
  await at.gateway.close()
  const lines = auditLines(at.auditDir)
  const outcomes = lines.filter(({ kind }) => kind === 'outcome')
  t.match(outcomes, [
    {
      redactions: [{ direction: 'request', entity: 'email', count: 1 }],
      redactedAt: ['request /messages/0/content'],
      restored: [{ direction: 'answer', entity: 'email', count: 1 }],
    },
    {
      redactions: [{ direction: 'request', entity: 'email', count: 4 }],
      redactedAt: [
        'request /messages/0/content',
        'request /messages/1/tool_calls/0/function/arguments#/to',
        'request /messages/2/content#/result',
      ],
      restored: [{ direction: 'answer', entity: 'email', count: 2 }],
    },
  ])
  t.notMatch(JSON.stringify([lines, at.logged]), /example\.(org|net)|EMAIL_[0-9a-z]{10}|redacted\.invalid/)
})
