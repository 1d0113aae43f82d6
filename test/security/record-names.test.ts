// What the record says of names that a client or a model chose: a name that is shaped like one, or its keyed digest.
import t, { type Test } from 'tap'
import { auditLines, type AuditLine } from '../support/audit-lines.ts'
import { startGateway } from '../support/gateway.ts'
import { jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

const email = 'ada@example.org'
const digest = /^~[\w-]{22}$/

const call = { id: 'c1', type: 'function', function: { name: `mail ${email}`, arguments: '{}' } }
const answer = { id: 'a', choices: [{ index: 0, message: { role: 'assistant', content: null, tool_calls: [call] } }] }

type Sent = { readonly path?: string; readonly key?: string; readonly body: unknown }

/** The lines of the log about what was sent. */
async function recordsOf(t: Test, action: string, sent: readonly Sent[]): Promise<AuditLine[]> {
  const upstream = (await scriptedUpstream()).always(jsonAnswer(200, answer))
  const redaction = action === 'none' ? '' : `[{ id: r, direction: request, detect: [email], action: ${action} }]`
  const gateway = await startGateway(`
upstreams:
  openai: { protocol: openai, url: "${upstream.url}" }
  gemini: { protocol: gemini, url: "${upstream.url}" }
  notes: { protocol: mcp, url: "${upstream.url}/mcp" }
  tool: { protocol: http, url: "${upstream.url}" }
routes:
  - { id: openai, path: /openai, upstream: openai }
  - { id: gemini, path: /gemini, upstream: gemini }
  - { id: notes, path: /notes, upstream: notes }
  - { id: tool, path: /tool, upstream: tool }
principals: [{ id: agent, keys: [{ sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 }] }]
anonymous: deny
defaultEffect: allow
rules: [{ id: t, effect: deny, actions: [tool.call], tools: ["mail*"] }]
redaction: ${redaction === '' ? '[]' : redaction}
audit: { durability: strict }`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  for (const { path = '/openai/v1/chat/completions', key = 'test', body } of sent) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` }
    await (await fetch(gateway.url + path, { method: 'POST', headers, body: JSON.stringify(body) })).text()
  }
  await gateway.gateway.close()
  return auditLines(gateway.auditDir).filter(({ kind }) => kind === 'intent' || kind === 'outcome')
}

const chat = (model: string): Sent => ({ body: { model, messages: [{ role: 'user', content: 'hi' }] } })

t.test('a model', async (t) => {
  for (const action of ['mask', 'token', 'block', 'none']) {
    const sent = [chat(`gpt for ${email}`), chat(`gpt for ${email}`), chat('gpt for bob')]
    const lines = await recordsOf(t, action, sent)
    t.equal(lines.length, action === 'block' ? 4 : 6)
    t.notMatch(JSON.stringify(lines), email, action)
    for (const { model } of lines) t.match(model, digest)
    t.equal(new Set(lines.map(({ model }) => model)).size, 2, 'one is told from another')
  }
  const names = ['gpt-4o', 'meta-llama/Llama-3.1:free', 'claude-3-5-sonnet@20241022', 'arn:aws:bedrock:eu-1:1:x/y']
  const shown = await recordsOf(t, 'mask', names.map(chat))
  t.strictSame([...new Set(shown.map(({ model }) => model))], names)
})

t.test('a tool that a model or a client names', async (t) => {
  const emitted = await recordsOf(t, 'mask', [chat('gpt-4o')])
  const made = emitted.at(-1)?.['answerDecisions'] as { tool: string }[]
  t.match(made[0]?.tool, digest)
  t.notMatch(JSON.stringify(emitted), email)

  const params = { name: `mail ${email}`, arguments: {} }
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params }
  for (const action of ['mask', 'block', 'none']) {
    const lines = await recordsOf(t, action, [{ path: '/notes', body }])
    for (const { tools } of lines) t.match(tools, [digest])
    t.notMatch(JSON.stringify(lines), email)
  }
})

t.test('a path, also of what is refused before anybody looks', async (t) => {
  const sent = [
    { path: `/tool/users/${email}`, key: 'wrong', body: {} },
    { path: `/tool/users/${email}`, body: {} },
    { path: `/gemini/v1beta/models/for%20${email}:generateContent`, body: { contents: [] } },
  ]
  for (const action of ['mask', 'block']) {
    const lines = await recordsOf(t, action, sent)
    t.notMatch(JSON.stringify(lines), email)
    t.equal(lines[0]?.['path'], '/users/%5BREDACTED%5D')
  }
})
