// Browsers: no page may read an answer, or ask without a key, unless its origin was named; and what a page asks is judged as
// if anybody did.
import { createHash } from 'node:crypto'
import t, { type Test } from 'tap'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { answer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'
import { talk, type Reply } from './fortress.ts'

type Stage = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream }

const agentKey = 'gw_key_of_a_page'

async function open(t: Test, cors: string): Promise<Stage> {
  const upstream = await scriptedUpstream()
  const gateway = await startGateway(`
server: { timeouts: { keepAlive: 50ms }${cors} }
upstreams: { open: { protocol: http, url: '${upstream.url}' } }
routes: [{ id: open, path: /open, upstream: open }]
principals:
  - { id: anybody, from: [127.0.0.0/8] }
  - { id: agent, keys: [{ sha256: ${createHash('sha256').update(agentKey).digest('hex')} }] }
anonymous: anybody
defaultEffect: allow
rules: [{ id: no-options, effect: deny, actions: [tool.call], methods: [OPTIONS] }]`)
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  const theirs = { 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'true' }
  upstream.always(answer(200, 'ok', { 'content-type': 'text/plain', vary: 'Accept', ...theirs }))
  return { gateway, upstream }
}

async function ask({ gateway }: Stage, method: string, lines: readonly string[], path = '/open/x'): Promise<Reply> {
  const head = [`${method} ${path} HTTP/1.1`, 'host: gateway.test', 'connection: close', ...lines]
  const { replies } = await talk(gateway.gateway.data.port, `${head.join('\r\n')}\r\n\r\n`)
  return replies[0] ?? { status: 0, head: '', body: '', requestId: undefined }
}

const page = 'origin: https://app.example.com'
const key = `authorization: Bearer ${agentKey}`
const question = ['access-control-request-method: POST', 'access-control-request-headers: authorization,content-type']
const field = ({ head }: Reply, name: string): string[] =>
  [...head.matchAll(new RegExp(`^${name}: *(.*)$`, 'gim'))].map(([, value = '']) => value.trim())

t.test('off: not a word of it, whatever an upstream says, and OPTIONS is a method like any other', async (t) => {
  const stage = await open(t, '')
  const reply = await ask(stage, 'GET', [page, key])
  t.equal(reply.status, 200)
  t.notMatch(reply.head, /access-control/i)
  t.strictSame(field(reply, 'vary'), ['Accept'])
  const preflight = await ask(stage, 'OPTIONS', [page, key, ...question])
  t.equal(preflight.status, 403, 'judged by the rules')
  t.notMatch(preflight.head, /access-control/i)
})

t.test(
  'where anybody is let in, pages of other origins are not: a browser sends what it need not ask about',
  async (t) => {
    const stage = await open(t, '')
    const plain = ['content-type: text/plain', 'content-length: 0']
    for (const origin of ['https://app.example.com', 'null', 'http://rebound.example:8080']) {
      const refused = await ask(stage, 'POST', [`origin: ${origin}`, ...plain])
      t.equal(refused.status, 403, origin)
      t.match(refused.body, /Origin/)
    }
    t.equal(stage.upstream.connections, 0)
    t.equal((await ask(stage, 'POST', ['origin: http://localhost:3000', ...plain])).status, 200, 'a page of this host')
    t.equal((await ask(stage, 'POST', plain)).status, 200, 'a program')
  },
)

const named = ', cors: { origins: [https://app.example.com, "http://localhost:3000"] }'

t.test('a page of a named origin may ask and read, with a key of its own and without cookies', async (t) => {
  const stage = await open(t, named)
  const preflight = await ask(stage, 'OPTIONS', [page, ...question])
  t.equal(preflight.status, 204)
  t.strictSame(field(preflight, 'access-control-allow-origin'), ['https://app.example.com'])
  t.strictSame(field(preflight, 'access-control-allow-headers'), ['authorization,content-type'])
  t.match(field(preflight, 'access-control-allow-methods')[0], /POST/)
  t.match(field(preflight, 'vary')[0], /Origin/)
  t.equal(stage.upstream.connections, 0, 'nobody else was asked')
  const reply = await ask(stage, 'GET', [page])
  t.strictSame(field(reply, 'access-control-allow-origin'), ['https://app.example.com'])
  t.match(field(reply, 'access-control-expose-headers')[0], /x-gatewright-decision.*RateLimit.*Retry-After/)
  t.strictSame(field(reply, 'vary'), ['Accept', 'Origin'])
  for (const { head } of [preflight, reply]) t.notMatch(head, /access-control-allow-credentials|: \*/i)
  const refused = await ask(stage, 'GET', [page], '/nowhere')
  t.equal(refused.status, 404)
  t.strictSame(field(refused, 'access-control-allow-origin'), ['https://app.example.com'], 'a refusal can be read, too')
})

t.test('a page of any other origin is told nothing', async (t) => {
  const stage = await open(t, named)
  for (const origin of [
    'https://evil.example',
    'https://app.example.com.evil.example',
    'https://evil.example/https://app.example.com',
    'http://app.example.com',
    'https://app.example.com:8443',
    'https://APP.example.com.',
    'null',
    '*',
    '',
  ]) {
    const reply = await ask(stage, 'GET', [`origin: ${origin}`])
    t.notMatch(reply.head, /access-control/i, origin)
    t.strictSame(field(reply, 'vary').at(-1), 'Origin', 'lest a cache hands it to the wrong page')
    const preflight = await ask(stage, 'OPTIONS', [`origin: ${origin}`, ...question])
    t.equal(preflight.status, 403, `${origin}: judged by the rules`)
    t.notMatch(preflight.head, /access-control/i)
  }
  const odd = await ask(stage, 'OPTIONS', [
    page,
    'access-control-request-method: POST',
    'access-control-request-headers: *',
  ])
  t.strictSame(field(odd, 'access-control-allow-headers'), [])
  t.equal((await ask(stage, 'OPTIONS', [page])).status, 403, 'OPTIONS that is no question')
})
