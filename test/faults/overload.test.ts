// More than can be done: who is refused, with what, and who never is.
import t, { type Test } from 'tap'
import { auditLines } from '../support/audit-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { metric, probe, untilStatus } from '../support/proxy-process.ts'
import { answer, scriptedUpstream, type Scene, type ScriptedUpstream } from '../support/scripted-upstream.ts'

type Stage = {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  readonly clock: ManualClock
  /** Asks for something that the upstream does not answer until told. */
  readonly hold: (path?: string) => Promise<{ readonly answered: Promise<Response>; readonly scene: Scene }>
}

async function stage(t: Test, sections: string, concurrency = ''): Promise<Stage> {
  const clock = new ManualClock()
  const upstream = await scriptedUpstream()
  upstream.always(answer(200, 'done'))
  const gateway = await startGateway(
    `upstreams: { tool: { protocol: http, url: "${upstream.url}", retry: { attempts: 1 }${concurrency} } }
routes:
  - { id: tool, path: /tool, upstream: tool }
  - { id: batch, path: /batch, upstream: tool, priority: low }
  - { id: vital, path: /vital, upstream: tool, priority: critical }
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
${sections}`,
    { clock, random: () => 0.5 },
  )
  t.teardown(async () => {
    await upstream.close()
    await gateway.close()
  })
  const hold: Stage['hold'] = async (path = '/tool/held') => {
    let answered: Promise<Response> | undefined
    const scene = await new Promise<Scene>((came) => {
      upstream.next(came)
      answered = fetch(`${gateway.url}${path}`)
    })
    return { answered: answered as Promise<Response>, scene }
  }
  return { gateway, upstream, clock, hold }
}

/** An exchange is over a little after its answer. */
async function untilInflight({ gateway }: TestGateway, count: number): Promise<void> {
  while (gateway.metrics.inflight.level !== count) await new Promise(setImmediate)
}

const queue = ', concurrency: { max: 1, queue: 1, queueTimeout: 2s }'

t.test('the lowest classes are refused first, and come back', async (t) => {
  const { gateway, clock, hold } = await stage(t, 'server: { overload: { inflight: 4 } }')
  const { url, adminUrl, auditDir } = gateway
  const held = [await hold(), await hold(), await hold(), await hold()]
  const low = await fetch(`${url}/batch/x`)
  t.equal(low.status, 503)
  t.equal(low.headers.get('x-should-retry'), 'true')
  t.equal(low.headers.get('retry-after'), '10')
  t.match(await low.text(), /priority low/)
  await untilInflight(gateway, 4)
  t.equal((await fetch(`${url}/tool/x`)).status, 200, 'five are not many enough to refuse what is normal')
  await untilInflight(gateway, 4)
  held.push(await hold())
  const normal = await fetch(`${url}/tool/x`)
  t.equal(normal.status, 503)
  t.equal(normal.headers.get('retry-after'), '5')
  await untilInflight(gateway, 5)
  t.equal((await fetch(`${url}/vital/x`)).status, 200)
  for (const path of ['/livez', '/readyz', '/metrics', '/v1/breakers'])
    t.equal((await probe(`${adminUrl}${path}`)).status, 200, `${path} is always answered`)
  t.equal(await metric(adminUrl, 'gatewright_shed_total{priority="low",signal="inflight"}'), 1)
  t.equal(await metric(adminUrl, 'gatewright_shed_total{priority="normal",signal="inflight"}'), 1)

  for (const { scene, answered } of held) {
    await scene.write(answer(200, 'done'))
    t.equal(await (await answered).text(), 'done')
  }
  await untilInflight(gateway, 0)
  t.equal((await fetch(`${url}/batch/x`)).status, 503, 'not at once')
  await untilInflight(gateway, 0)
  clock.advance(1_000)
  // What the log had to write meanwhile is written.
  await untilStatus(`${adminUrl}/readyz`, 200)
  t.equal((await fetch(`${url}/batch/x`)).status, 200)
  await gateway.gateway.close()
  const shed = auditLines(auditDir).filter((line) => line['shed'] !== undefined)
  t.match(shed, [
    { kind: 'outcome', fault: 'overloaded', status: 503, shed: { priority: 'low', signal: 'inflight' } },
    { kind: 'outcome', fault: 'overloaded', status: 503, shed: { priority: 'normal', signal: 'inflight' } },
    { kind: 'outcome', fault: 'overloaded', status: 503, shed: { priority: 'low', signal: 'inflight' } },
  ])
})

t.test('the queue before an upstream is short, and nobody stands in it for long', async (t) => {
  const { gateway, upstream, clock, hold } = await stage(t, '', queue)
  const { url, adminUrl } = gateway
  const first = await hold()
  const queued = fetch(`${url}/tool/queued`)
  await untilInflight(gateway, 2)
  const full = await fetch(`${url}/tool/x`)
  t.equal(full.status, 503)
  t.equal(full.headers.get('retry-after'), '2')
  t.equal(full.headers.get('x-should-retry'), 'true')
  clock.advance(2_000)
  t.equal((await queued).status, 503)
  t.equal(upstream.requests.length, 1, 'the upstream heard of neither')

  const next = fetch(`${url}/tool/next`)
  await first.scene.write(answer(200, 'done'))
  t.equal((await first.answered).status, 200)
  t.equal((await next).status, 200)
  t.equal(await metric(adminUrl, 'gatewright_queue_refused_total{upstream="tool",why="full"}'), 1)
  t.equal(await metric(adminUrl, 'gatewright_queue_refused_total{upstream="tool",why="late"}'), 1)
  t.equal(await metric(adminUrl, 'gatewright_upstream_concurrency_limit{upstream="tool"}'), 1)
})

t.test('what is vital does not wait behind batches', async (t) => {
  const { gateway, upstream, hold } = await stage(t, '', queue)
  const first = await hold()
  const batch = fetch(`${gateway.url}/batch/a`)
  await untilInflight(gateway, 2)
  const vital = fetch(`${gateway.url}/vital/a`)
  t.equal((await batch).status, 503, 'the queue has one place')
  await first.scene.write(answer(200, 'done'))
  t.equal((await first.answered).status, 200)
  t.equal((await vital).status, 200)
  t.equal(upstream.requests.length, 2)
})

t.test('what is denied is denied, queue or not', async (t) => {
  const { gateway, hold } = await stage(
    t,
    'rules: [{ id: never, effect: deny, actions: [tool.call], paths: ["/secret/**"] }]',
    queue,
  )
  const { scene, answered } = await hold()
  t.equal((await fetch(`${gateway.url}/tool/secret/x`)).status, 403)
  await scene.write(answer(200, 'done'))
  await (await answered).text()
})
