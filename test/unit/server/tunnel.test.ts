// WebSockets that pass unread: through real sockets, from the client's handshake to the upstream's.
import { once } from 'node:events'
import t from 'tap'
import { agentKey, closing, inbox, openSocketWorld, refusalOf, upstreamKey } from '../../support/socket-world.ts'

t.test('a tunnel carries messages both ways and leaves one record', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  const socket = world.open('/tunnel/room?x=1', { headers: { 'x-forwarded-for': '1.2.3.4', 'x-own': 'kept' } }, [
    'chat',
    'other',
  ])
  const next = inbox(socket)
  const upgraded = once(socket, 'upgrade')
  await once(socket, 'open')
  socket.send('hello')
  t.equal(await next(), 'hello')
  socket.send(Buffer.from([1, 2, 3]))
  t.equal((await next()).length, 3)
  t.equal(socket.protocol, 'chat')
  const [answer] = (await upgraded) as [{ headers: Record<string, string> }]
  t.match(answer.headers['x-gatewright-request-id'], /^req_/)
  t.equal(answer.headers['x-gatewright-decision'], 'allow')
  const [asked] = world.upstream.asked
  t.equal(asked?.url, '/room?x=1')
  t.equal(asked?.headers.authorization, `Bearer ${upstreamKey}`)
  t.equal(asked?.headers['x-own'], 'kept')
  t.equal(asked?.headers['x-forwarded-for'], undefined)
  t.equal(asked?.headers.host, new URL(world.upstream.url).host)
  t.notMatch(JSON.stringify(asked?.rawHeaders), agentKey)
  const closed = closing(socket)
  socket.close(1000, 'bye')
  t.same(await closed, { code: 1000, reason: 'bye' })
  const [outcome] = await world.outcomes(1)
  t.match(outcome, { status: 101, end: 'complete', decision: 'allow', uninspected: ['websocket'], route: 'tunnel' })
  t.ok(Number(outcome?.['bytesIn']) > 10)
  t.ok(Number(outcome?.['bytesOut']) > 10)
  t.match(await world.metrics(), /gatewright_uninspected_total\{what="websocket"\} 1/)
})

const lookingIntoHeaders = `
redaction:
  - { id: mail, direction: both, detect: [email], action: mask, in: [headers] }
  - { id: cards, direction: response, detect: [payment-card], action: block, in: [headers] }
`

for (const [what, path] of [
  ['a tunnel', '/tunnel/room'],
  ['a conversation', '/models/v1/realtime?model=gpt-realtime'],
] as const) {
  t.test(`the headers of the handshake of ${what} are redacted like those of any answer`, async (t) => {
    const world = await openSocketWorld(lookingIntoHeaders)
    t.teardown(() => world.close())
    world.upstream.more = ['x-served-for: ada@example.org', 'strict-transport-security: max-age=9', 'retry-after: 900']
    const socket = world.open(path)
    const [answer] = (await once(socket, 'upgrade')) as [{ headers: Record<string, string> }]
    t.equal(answer.headers['x-served-for'], '[EMAIL]')
    t.equal(answer.headers['x-gatewright-redactions'], 'email=1')
    t.equal(answer.headers['strict-transport-security'], undefined, 'of another origin')
    t.equal(answer.headers['retry-after'], '60')
    socket.close(1000)
    t.match((await world.outcomes(1)).at(-1), {
      end: 'complete',
      redactions: [{ count: 1, direction: 'answer', entity: 'email' }],
      redactedAt: ['answer headers'],
    })
    world.upstream.more = ['x-card: 4111 1111 1111 1111']
    const refusal = await refusalOf(world.open(path))
    t.equal(refusal.status, 403)
    t.notMatch(JSON.stringify(refusal), /4111/)
    t.match((await world.outcomes(2)).at(-1), { status: 403, fault: 'content-blocked', rule: 'cards' })
    const [, far] = world.upstream.sockets
    if (far !== undefined && far.readyState !== far.CLOSED) await once(far, 'close')
  })
}

t.test('upgrades that are not accepted are answered like any request', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  t.match(await refusalOf(world.open('/closed/room')), { status: 400, body: /upgrade-refused/ })
  t.match(await refusalOf(world.open('/tunnel/secret')), { status: 403, body: /no-secrets-path/ })
  t.match(await refusalOf(world.open('/tunnel/room', { headers: { authorization: 'Bearer gw_wrong' } })), {
    status: 401,
  })
  t.match(await refusalOf(world.open('/tunnel/room', { headers: { origin: 'https://evil.example' } })), {
    status: 403,
    body: /origin-refused/,
  })
  t.match(await refusalOf(world.open('/tunnel/room', { headers: { origin: 'http://localhost:3000' } })), {
    status: 403,
  })
  t.match(await refusalOf(world.open('/nowhere')), { status: 404 })
  t.match(await refusalOf(world.open('/tunnel/room', { protocolVersion: 8 })), { status: 400, body: /upgrade-refused/ })
  t.equal(world.upstream.asked.length, 0)
  t.equal((await world.outcomes(7)).length, 7)
})

t.test('an upstream that does not switch is a bad gateway, and is not followed', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  for (const status of [200, 302, 401, 404, 500]) {
    world.upstream.declines = status
    const refusal = await refusalOf(world.open('/tunnel/room'))
    t.match(refusal, { status: 502, body: new RegExp(`status ${status}`) })
    t.equal(refusal.headers.location, undefined)
  }
})

t.test('an upstream that asks to wait is believed', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  world.upstream.declines = 429
  t.match(await refusalOf(world.open('/tunnel/room')), { status: 429, headers: { 'retry-after': '7' } })
  t.match(await refusalOf(world.open('/tunnel/room')), { status: 429 })
  t.equal(world.upstream.asked.length, 1)
})

t.test('on a route that lets pass what nobody can read, what somebody can is read', async (t) => {
  const world = await openSocketWorld()
  t.teardown(() => world.close())
  const tunnel = world.open('/any/v1/live')
  const next = inbox(tunnel)
  await once(tunnel, 'open')
  tunnel.send('anything')
  t.equal(await next(), 'anything')
  const read = world.open('/any/v1/realtime?model=gpt-realtime')
  const answered = inbox(read)
  await once(read, 'open')
  read.send('anything')
  t.match(await answered(), '"type":"error"')
  t.match(await refusalOf(world.open('/any/v1/responses')), { status: 403 }, 'nor past what reads it over HTTP')
  t.match(await refusalOf(world.open('/any/v1/realtime/?model=gpt-realtime')), { status: 403 })
  t.match(await refusalOf(world.open('/any/v1/Realtime?model=gpt-realtime')), { status: 403 })
  t.match(await refusalOf(world.open('/any/v1/realtime?model=a&model=b')), { status: 403 })
})
