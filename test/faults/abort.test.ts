// Clients that go away: the upstream is told at once, nothing is blamed on it, and nothing of the exchange stays behind.
import { once } from 'node:events'
import { request, type ClientRequest } from 'node:http'
import { connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import { auditLines, untilOutcomes, type AuditLine } from '../support/audit-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { metric } from '../support/proxy-process.ts'
import {
  answer,
  chunk,
  chunkedHead,
  lastChunk,
  scriptedUpstream,
  type Scene,
  type ScriptedUpstream,
} from '../support/scripted-upstream.ts'

t.setTimeout(60_000)

const aborts = 200
setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

type Setup = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream; readonly clock: ManualClock }

async function setUp(t: Test): Promise<Setup> {
  const upstream = await scriptedUpstream()
  const clock = new ManualClock()
  const gateway = await startGateway(
    `
upstreams: { openai: { protocol: openai, url: "${upstream.url}", breaker: { consecutive: 1 } } }
routes: [{ id: openai, path: /openai, upstream: openai }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
redaction: [{ id: r, direction: both, detect: [pii], action: token }]
limits: [{ id: slots, by: [principal], concurrency: 10 }]`,
    { clock },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream, clock }
}

const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'hi' }] })
const event = `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: 'one two three four five six ' }, finish_reason: null }] })}\n\n`

function ask(gateway: TestGateway): ClientRequest {
  const asking = request(`${gateway.url}/openai/v1/chat/completions`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', 'content-length': body.length },
  })
  asking.on('error', () => {})
  asking.end(body)
  return asking
}

/** The scene of the next request, `played` so far. */
function nextScene(upstream: ScriptedUpstream, played: (scene: Scene) => Promise<void>): Promise<Scene> {
  return new Promise((begun) => {
    upstream.next(async (scene) => {
      await played(scene)
      begun(scene)
    })
  })
}

const silent = (): Promise<void> => Promise.resolve()
const streaming = (scene: Scene): Promise<void> =>
  scene.write(chunkedHead(200, { 'content-type': 'text/event-stream' }) + chunk(event.repeat(20)))

/** Asks, waits until the exchange is where it should be, and breaks the connection. Resolves when the upstream knows. */
async function abortOne({ gateway, upstream }: Setup, where: 'before the first byte' | 'mid-stream'): Promise<number> {
  const scene = nextScene(upstream, where === 'mid-stream' ? streaming : silent)
  const asking = ask(gateway)
  if (where === 'mid-stream') {
    const [reply] = await once(asking, 'response')
    reply.on('error', () => {})
    await once(reply, 'data')
  }
  const { closed } = await scene
  const abortedMs = performance.now()
  asking.destroy()
  await closed
  return performance.now() - abortedMs
}

async function idle(gateway: TestGateway): Promise<void> {
  while ((await metric(gateway.adminUrl, 'gatewright_inflight_requests')) !== 0);
}

function outcomes(gateway: TestGateway): AuditLine[] {
  return auditLines(gateway.auditDir).filter(({ kind }) => kind === 'outcome')
}

for (const where of ['before the first byte', 'mid-stream'] as const) {
  t.test(`a client that aborts ${where}`, async (t) => {
    const setup = await setUp(t)
    const { gateway, upstream } = setup
    t.comment(`the upstream's socket closed ${(await abortOne(setup, where)).toFixed(1)} ms later`)
    await idle(gateway)
    t.equal(upstream.requests.length, 1, 'it is not tried again')
    t.not(
      await metric(gateway.adminUrl, 'gatewright_breaker_state{upstream="openai"}'),
      2,
      'the breaker does not count it',
    )
    upstream.next(answer(200, '{"object":"list","data":[]}', { 'content-type': 'application/json' }))
    t.equal((await fetch(`${gateway.url}/openai/v1/models`)).status, 200)
    await gateway.gateway.close()
    t.match(outcomes(gateway)[0], { end: 'client-gone', fault: 'client-aborted' })
    t.equal(outcomes(gateway).length, 2)
  })
}

const errorEvent = 'data: {"error":{"message":"overloaded","type":"server_error"}}\n\n'

/** What an upstream may still do once its error has gone out: the answer is over for the client, which leaves as SDKs do. */
const afterwards: Record<string, (scene: Scene) => Promise<void>> = {
  'ends with it': (scene) => scene.write(chunk(errorEvent) + lastChunk),
  'says no more': (scene) => scene.write(chunk(errorEvent)),
  'goes on': (scene) => scene.write(chunk(errorEvent) + chunk(event.repeat(20))),
}
for (const [how, fail] of Object.entries(afterwards)) {
  t.test(`an upstream that reports an error in its stream and ${how} has failed, and no client has left`, async (t) => {
    const setup = await setUp(t)
    const { gateway, upstream } = setup
    const scene = nextScene(upstream, streaming)
    const asking = ask(gateway)
    const [reply] = await once(asking, 'response')
    reply.on('error', () => {})
    await once(reply, 'data')
    await fail(await scene)
    // The clock stands still: nothing has run out when the slot is free and the record written.
    await idle(gateway)
    const [outcome] = await untilOutcomes(gateway.auditDir, 1)
    t.match(outcome, { status: 200, end: 'broken-off' })
    t.equal(outcome?.['fault'], undefined)
    t.equal(await metric(gateway.adminUrl, 'gatewright_breaker_state{upstream="openai"}'), 2, 'the breaker counts it')
    asking.destroy()
  })
}

t.test('a client that aborts while it sends its body', async (t) => {
  const { gateway, upstream } = await setUp(t)
  const asking = request(`${gateway.url}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'content-length': 1000 },
  })
  asking.on('error', () => {})
  asking.write('{"model":')
  while ((await metric(gateway.adminUrl, 'gatewright_inflight_requests')) !== 1);
  asking.destroy()
  await idle(gateway)
  t.equal(upstream.requests.length, 0)
  await gateway.gateway.close()
  t.match(outcomes(gateway), [{ end: 'client-gone', fault: 'client-aborted' }])
})

t.test(`${aborts} aborts leave nothing behind`, async (t) => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const setup = await setUp(t)
  const { gateway, upstream, clock } = setup
  const round = async (count: number): Promise<number[]> => {
    const times: number[] = []
    for (let i = 0; i < count; i += 10) {
      const ten = Array.from({ length: 10 }, (_, at) =>
        abortOne(setup, at % 2 === 0 ? 'mid-stream' : 'before the first byte'),
      )
      times.push(...(await Promise.all(ten)))
      await idle(gateway)
    }
    await upstream.quiet()
    return times.sort((a, b) => a - b)
  }
  await round(40)
  const before = await measure(clock)
  const times = await round(aborts)
  const after = await measure(clock)
  t.comment(`socket closed after: median ${times[aborts / 2]?.toFixed(1)} ms, slowest ${times.at(-1)?.toFixed(1)} ms`)
  t.comment(`heap: ${(before.heapBytes / 1e6).toFixed(1)} MB before, ${(after.heapBytes / 1e6).toFixed(1)} MB after`)
  t.equal(await metric(gateway.adminUrl, 'gatewright_inflight_requests'), 0)
  t.equal(upstream.sockets.size, 0, 'no socket to the upstream')
  t.ok(after.sockets <= before.sockets, 'no socket at all')
  t.ok(after.timers <= before.timers, `no timer: ${before.timers} before, ${after.timers} after`)
  // What a kept exchange would cost is far above this: 200 times its body, stream state and vault.
  t.ok(after.heapBytes - before.heapBytes < 3_000_000, 'no memory')
  t.not(await metric(gateway.adminUrl, 'gatewright_breaker_state{upstream="openai"}'), 2)
  t.same(warnings, [], 'no warning about listeners')
  await gateway.gateway.close()
  t.equal(outcomes(gateway).length, 40 + aborts, 'each has its outcome')
  t.ok(outcomes(gateway).every(({ end }) => end === 'client-gone'))
})

async function measure(clock: ManualClock): Promise<{ sockets: number; timers: number; heapBytes: number }> {
  // What is closed is freed by a later turn of the event loop.
  for (let i = 0; i < 5; i += 1) await new Promise((turned) => setImmediate(turned))
  collectGarbage()
  return {
    sockets: process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPSocketWrap')).length,
    timers: clock.waiting,
    heapBytes: process.memoryUsage().heapUsed,
  }
}

t.test('a client that leaves takes with it what it asked for ahead', async (t) => {
  const { gateway, upstream } = await setUp(t)
  const [first, second] = ['GET /openai/v1/models', 'GET /openai/v1/models/m']
  const waiting = new Promise<Scene>((found) => {
    upstream.always((scene) => (scene.request.target === '/v1/models' ? found(scene) : scene.write(answer(200, '{}'))))
  })
  const socket = connect({ port: Number(new URL(gateway.url).port), host: '127.0.0.1' })
  socket.write([first, second, second].map((line) => `${line} HTTP/1.1\r\nhost: x\r\n\r\n`).join(''))
  await upstream.seen(3)
  const { closed } = await waiting
  while ((await metric(gateway.adminUrl, 'gatewright_inflight_requests')) !== 1);
  socket.destroy()
  await closed
  // The clock stands still: a shutdown that waits for any of them does not end.
  await gateway.gateway.close()
  t.equal(auditLines(gateway.auditDir).filter(({ kind }) => kind === 'outcome').length, 3)
})
