// What is guessed at, flooded or reached round the back: keys, the admin listener, connections and metrics.
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { systemClock } from '../../proxy/lib/clock.ts'
import { startGateway } from '../support/gateway.ts'
import { answer, jsonAnswer } from '../support/scripted-upstream.ts'
import { agentKey, openFortress, talk, type Fortress, type Reply } from './fortress.ts'

async function open(t: Test, extra = ''): Promise<Fortress> {
  const fortress = await openFortress(extra)
  t.teardown(() => fortress.close())
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  return fortress
}

async function ask(port: number, target: string, lines: readonly string[], method = 'GET'): Promise<Reply> {
  const head = [`${method} ${target} HTTP/1.1`, 'host: gateway.test', 'connection: close', ...lines]
  return (
    (await talk(port, `${head.join('\r\n')}\r\n\r\n`)).replies[0] ?? { status: 0, head: '', body: '', requestId: '' }
  )
}

t.test('A01, A02: hostile, unknown and mistyped keys get one answer, which tells nothing', async (t) => {
  const fortress = await open(t)
  const keys = [
    "' OR 1=1--",
    '"; DROP TABLE keys; --',
    '*',
    'null',
    '__proto__',
    `${agentKey}x`,
    agentKey.slice(0, -1),
    agentKey.toUpperCase(),
    'k'.repeat(8000),
    'schl\xfcssel',
    '../../etc/passwd',
    '%00',
    '{"$ne":null}',
  ]
  const answers = new Set<string>()
  for (const key of keys) {
    const { status, body, head } = await ask(fortress.port, '/tools/crm/x', [`authorization: Bearer ${key}`])
    t.equal(status, 401, key.slice(0, 30))
    t.match(head, /www-authenticate: Bearer/i)
    // With a space in it, it is no key but something else behind Bearer, whoever asks.
    if (!key.includes(' ')) answers.add(body.replace(/req_\w+/g, 'req'))
  }
  t.equal(answers.size, 1, 'one and the same')
  t.equal((await ask(fortress.port, '/tools/crm/x', ['authorization: Bearer a\0b'])).status, 400, 'NUL')
  t.equal(fortress.upstream.connections, 0)
})

t.test('A03: what the admin listener serves is not on the data listener, whatever the path or the Host', async (t) => {
  const fortress = await open(t)
  const admin = new URL(fortress.gateway.adminUrl)
  for (const path of ['/metrics', '/livez', '/readyz', '/startupz', '/health', '/health/stats', '/ready', '/admin']) {
    t.equal((await ask(fortress.port, path, [])).status, 404, path)
    const named = `GET ${path} HTTP/1.1\r\nhost: ${admin.host}\r\nconnection: close\r\n\r\n`
    t.equal((await talk(fortress.port, named)).replies[0]?.status, 404, `${path} with the Host of the other`)
    t.equal((await ask(fortress.port, `${admin.origin}${path}`, [])).status, 400, `${path} in absolute form`)
    t.equal((await ask(fortress.port, path, ['x-forwarded-for: 127.0.0.1', 'x-original-url: /metrics'])).status, 404)
  }
  t.not(admin.port, String(fortress.port))
  t.equal(admin.hostname, '127.0.0.1', 'and by default only this machine reaches it')
})

t.test('R02: connections beyond the limit are told so, and room comes back', async (t) => {
  const gateway = await startGateway(`
server: { limits: { connections: 20 }, timeouts: { headers: 60s, keepAlive: 60s } }
upstreams: { open: { protocol: http, url: 'http://127.0.0.1:1' } }
routes: [{ id: open, path: /open, upstream: open }]
principals: [{ id: anybody, from: [127.0.0.0/8] }]
anonymous: anybody
defaultEffect: deny`)
  t.teardown(() => gateway.close())
  const { port } = gateway.gateway.data
  const idle: Socket[] = []
  t.teardown(() => {
    for (const socket of idle) socket.destroy()
  })
  for (let index = 0; index < 20; index++) {
    const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {})
    await once(socket, 'connect')
    idle.push(socket)
  }
  // They are counted when they are accepted, which an answered request shows: it came behind them.
  const refused = await ask(port, '/open/x', [])
  t.equal(refused.status, 503)
  t.match(refused.head, /retry-after: 1/i)
  for (const socket of idle.splice(0)) socket.destroy()
  for (let status = 503; status === 503; status = (await ask(port, '/open/x', [])).status);
  t.equal((await ask(port, '/open/x', [])).status, 403, 'served again, and judged')
})

t.test('R07: names that clients make up are no labels', async (t) => {
  const fortress = await open(t)
  fortress.upstream.always(jsonAnswer(200, { id: 'c', object: 'chat.completion', choices: [] }))
  const series = async (): Promise<number> => {
    const text = await (await fetch(`${fortress.gateway.adminUrl}/metrics`)).text()
    t.notMatch(text, /madeup/)
    // Those of Node's runtime come when it first collects garbage of a kind, and one of the audit log with a checkpoint.
    const lines = text.split('\n').filter((line) => line.startsWith('gatewright_'))
    return lines.filter((line) => !line.includes('kind="checkpoint"')).length
  }
  const round = async (name: string): Promise<void> => {
    const body = JSON.stringify({ model: name, messages: [{ role: 'user', content: 'hi' }] })
    const json = ['content-type: application/json', `content-length: ${body.length}`, `x-${name}: 1`]
    const bearer = `authorization: Bearer ${agentKey}`
    const head = [
      'POST /openai/v1/chat/completions HTTP/1.1',
      'host: gateway.test',
      'connection: close',
      bearer,
      ...json,
    ]
    await talk(fortress.port, `${head.join('\r\n')}\r\n\r\n${body}`)
    await ask(fortress.port, `/${name}`, [])
    await ask(fortress.port, `/open/${name}`, [])
    await ask(fortress.port, '/open/x', [], name.toUpperCase())
  }
  await round('madeup')
  const before = await series()
  for (let index = 0; index < 25; index++) await round(`madeup${index}`)
  t.equal(await series(), before)
})

t.test('T02: a jump of the wall clock renews no quota, opens no breaker and ends no answer', async (t) => {
  const hourMs = 3_600_000
  let jumpedMs = 0
  const clock = { ...systemClock, now: () => systemClock.now() + jumpedMs }
  const limits = 'limits: [{ id: few, by: [route], routes: [crm], requests: 2/m }]'
  const fortress = await openFortress(limits, { clock })
  t.teardown(() => fortress.close())
  fortress.upstream.always(answer(200, 'ok', { 'content-type': 'text/plain' }))
  const call = async (): Promise<Reply> =>
    await ask(fortress.port, '/tools/crm/x', [`authorization: Bearer ${agentKey}`])
  const statuses: number[] = []
  for (const jump of [0, hourMs, 2 * hourMs, -hourMs]) {
    jumpedMs = jump
    const { status, head } = await call()
    statuses.push(status)
    const wait = Number(/^retry-after: (\d+)/im.exec(head)?.[1] ?? 0)
    t.ok(wait <= 60, `${wait} s`)
    t.equal((await ask(fortress.port, '/open/x', [])).status, 200, 'no deadline came early')
  }
  t.strictSame(statuses, [200, 200, 429, 429])
  const times = (await fortress.outcomes(8)).map(({ t: time }) => Date.parse(String(time)))
  t.ok((times[2] ?? 0) - (times[0] ?? 0) >= hourMs, 'the record says what the wall said')
})
