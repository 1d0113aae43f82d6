// What Anthropic asks of a gateway between Claude Code and its API: paths are matched without their query, its headers
// arrive byte for byte, and the probe at start-up gets an answer.
import t from 'tap'
import { jsonAnswer, scriptedUpstream } from '../support/scripted-upstream.ts'
import { startGateway } from '../support/gateway.ts'
import { talk } from '../security/fortress.ts'

const upstream = await scriptedUpstream()
const gateway = await startGateway(`
upstreams: { claude: { protocol: anthropic, url: '${upstream.url}' } }
routes: [{ id: claude, path: /claude, upstream: claude, denyStatus: claude-code }]
principals: [{ id: anybody, from: [127.0.0.0/8] }]
anonymous: anybody
defaultEffect: deny
rules: [{ id: models, effect: allow, actions: [model.call], models: ['claude-*'] }]`)
t.teardown(async () => {
  await gateway.close()
  await upstream.close()
})

const message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  content: [],
  model: 'claude-next',
  stop_reason: 'end_turn',
}
upstream.always(jsonAnswer(200, message, { 'request-id': 'req_theirs', 'anthropic-organization-id': 'org' }))

async function ask(line: string, lines: readonly string[], model?: string) {
  const body =
    model === undefined ? '' : JSON.stringify({ model, max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] })
  const framing = body === '' ? [] : ['content-type: application/json', `content-length: ${body.length}`]
  const head = [`${line} HTTP/1.1`, 'host: gateway.test', 'connection: close', ...lines, ...framing]
  const { replies } = await talk(gateway.gateway.data.port, `${head.join('\r\n')}\r\n\r\n${body}`)
  return replies[0]
}

t.test('headers and query arrive as they were sent', async (t) => {
  const sent = [
    'anthropic-version: 2023-06-01',
    'anthropic-beta: claude-code-20250219,oauth-2025-04-20, interleaved-thinking-2025-05-14',
    'Anthropic-Beta: another-2026-01-01',
    'anthropic-workspace-id: wrkspc_1',
    'anthropic-dangerous-direct-browser-access: true',
    'x-stainless-retry-count: 0',
    'x-claude-code-session-id: 0d9b',
    'x-app: cli',
    'User-Agent: claude-cli/2.1.329 (external, cli)',
  ]
  for (const path of ['/claude/v1/messages', '/claude/messages', '/claude/v1/v1/messages']) {
    const reply = await ask(`POST ${path}?beta=true&x=%2F&y`, sent, 'claude-next')
    t.equal(reply?.status, 200, path)
    t.match(reply?.head, /^request-id: req_theirs$/m, 'the name of the request that their support asks for')
    const seen = upstream.requests.at(-1)
    t.equal(seen?.target, '/v1/messages?beta=true&x=%2F&y')
    for (const line of sent) t.ok(seen?.head.includes(`\r\n${line}\r\n`), line)
  }
})

t.test('counting tokens is served, or refused in words that the client reads', async (t) => {
  upstream.next(jsonAnswer(200, { input_tokens: 3 }))
  t.equal((await ask('POST /claude/v1/messages/count_tokens?beta=true', [], 'claude-next'))?.status, 200)
  const denied = await ask('POST /claude/v1/messages?beta=true', [], 'other')
  t.equal(denied?.status, 451)
  t.match(JSON.parse(denied?.body ?? ''), { type: 'error', error: { type: 'permission_error' } })
  t.match(denied?.head, /x-should-retry: false/)
})

t.test('the probe at start-up is answered at once, with what is so', async (t) => {
  const { length } = upstream.requests
  for (const [target, status] of [
    ['/', 404],
    ['/claude', 451],
    ['/claude/', 451],
  ] as const) {
    const answered = await fetch(`${gateway.url}${target}`, { method: 'HEAD' })
    t.equal(answered.status, status, target)
    t.equal(await answered.text(), '')
  }
  t.equal(upstream.requests.length, length)
})
