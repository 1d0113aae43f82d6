// The breaker, retries and an upstream's own wishes as a client of the whole proxy sees them.
import t, { type Test } from 'tap'
import { auditLines } from '../support/audit-lines.ts'
import { ManualClock } from '../support/clock.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { metric } from '../support/proxy-process.ts'
import { answer, scriptedUpstream, type Scene, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(30_000)

type Setup = { readonly gateway: TestGateway; readonly upstream: ScriptedUpstream; readonly clock: ManualClock }

async function setUp(t: Test, options: string, clock?: ManualClock): Promise<Omit<Setup, 'clock'>> {
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const gateway = await startGateway(
    `
upstreams: { tool: { protocol: http, url: "${upstream.url}", ${options} } }
routes: [{ id: tool, path: /tool, upstream: tool }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
# The log takes a jump of the clock during a write for a disk that does not answer, and this is not about that.
audit: { durability: batch, onFailure: allow }`,
    { random: () => 0.5, ...(clock === undefined ? {} : { clock }) },
  )
  t.teardown(async () => {
    await gateway.close()
    await upstream.close()
  })
  return { gateway, upstream }
}

type Got = {
  readonly status: number
  readonly code: unknown
  readonly retryAfter: number
  readonly retryAfterMs: number
  readonly shouldRetry: string | null
}

async function get({ url }: TestGateway): Promise<Got> {
  const reply = await fetch(`${url}/tool/a`)
  const text = await reply.text()
  return {
    status: reply.status,
    code:
      reply.headers.get('content-type') === 'application/problem+json'
        ? (JSON.parse(text) as { code: unknown }).code
        : undefined,
    retryAfter: Number(reply.headers.get('retry-after') ?? Number.NaN),
    retryAfterMs: Number(reply.headers.get('retry-after-ms') ?? Number.NaN),
    shouldRetry: reply.headers.get('x-should-retry'),
  }
}

const state = (gateway: TestGateway): Promise<number | undefined> =>
  metric(gateway.adminUrl, 'gatewright_breaker_state{upstream="tool"}')

t.test('five failures in a row open it, one probe at a time closes it', async (t) => {
  const clock = new ManualClock()
  const { gateway, upstream } = await setUp(t, 'retry: { attempts: 1 }', clock)
  t.equal(await state(gateway), 0)
  upstream.next(...Array.from({ length: 5 }, () => answer(500, 'no')))
  for (let i = 0; i < 5; i += 1)
    t.match(await get(gateway), { status: 500, code: undefined }, 'the upstream answers itself')
  const refused = await get(gateway)
  t.match(refused, { status: 503, code: 'breaker-open', shouldRetry: null })
  t.ok(refused.retryAfter >= 5 && refused.retryAfter <= 6, `Retry-After ${refused.retryAfter}`)
  t.equal(upstream.requests.length, 5, 'the upstream is left alone')
  t.equal(await state(gateway), 2)

  clock.advance(6000)
  const probe = new Promise<Scene>((begun) => upstream.next(begun))
  const first = get(gateway)
  const scene = await probe
  t.equal(await state(gateway), 1)
  t.match(await get(gateway), { status: 503, code: 'breaker-open' }, 'while the probe is out')
  t.equal(upstream.requests.length, 6)
  await scene.write(answer(200, 'better'))
  t.equal((await first).status, 200)
  t.equal(await state(gateway), 1, 'one success is not enough')
  t.equal((await get(gateway)).status, 200, 'a second one')
  t.equal(await state(gateway), 0)
  const many = await Promise.all(Array.from({ length: 5 }, () => get(gateway)))
  t.ok(
    many.every(({ status }) => status === 200),
    'then everybody',
  )

  await gateway.gateway.close()
  const refusals = auditLines(gateway.auditDir).filter((line) => line['fault'] === 'breaker-open')
  t.equal(refusals.length, 2)
  t.ok(refusals.every(({ kind, end }) => kind === 'outcome' && end === 'refused'))
})

t.test('a probe that fails opens it for longer', async (t) => {
  const clock = new ManualClock()
  const { gateway, upstream } = await setUp(t, 'retry: { attempts: 1 }, breaker: { consecutive: 1 }', clock)
  upstream.next(answer(500), answer(500))
  t.equal((await get(gateway)).status, 500)
  clock.advance(6000)
  t.equal((await get(gateway)).status, 500)
  const refused = await get(gateway)
  t.match(refused, { status: 503, code: 'breaker-open', shouldRetry: 'false' }, 'ten seconds are not worth waiting for')
})

t.test('an upstream that breaks off counts, an answer about the request does not', async (t) => {
  const { gateway, upstream } = await setUp(t, 'retry: { attempts: 1 }, breaker: { consecutive: 2 }', new ManualClock())
  // Within the head: a reset before any of it, on a pooled connection, may just be the connection's end.
  const broken = async (scene: Scene): Promise<void> => {
    await scene.write('HTTP/1.1 2')
    scene.end()
  }
  upstream.next(broken, answer(404), answer(400), answer(429), broken)
  t.same(await statuses(gateway, 6), [502, 404, 400, 429, 502, 200], 'what it answered in between shows that it lives')
  upstream.next(broken, broken)
  t.same(await statuses(gateway, 3), [502, 502, 503])
})

async function statuses(gateway: TestGateway, count: number): Promise<number[]> {
  const got: number[] = []
  for (let i = 0; i < count; i += 1) got.push((await get(gateway)).status)
  return got
}

t.test('retries stay within their budget', async (t) => {
  const requests = 100
  const { gateway, upstream } = await setUp(
    t,
    'retry: { attempts: 3, budget: 0.1 }, breaker: { consecutive: 100000, ratio: 1, minimum: 100000 }',
  )
  upstream.always(answer(500, 'no'))
  const got = await Promise.all(Array.from({ length: requests }, () => get(gateway)))
  t.ok(
    got.every(({ status }) => status === 500),
    'who is not retried gets what the upstream said',
  )
  const retries = upstream.requests.length - requests
  t.comment(`${retries} retries for ${requests} requests`)
  // A tenth of the requests, and one a second over the ten seconds of the window.
  t.ok(retries > 0 && retries <= requests * 0.1 + 10, 'no storm')
  t.equal(await metric(gateway.adminUrl, 'gatewright_retries_total{upstream="tool"}'), retries)
  await gateway.gateway.close()
  const attempts = auditLines(gateway.auditDir).flatMap((line) =>
    line.kind === 'outcome' ? (line['attempts'] as unknown[]) : [],
  )
  t.equal(attempts.length, upstream.requests.length, 'the log names each attempt')
})

t.test('a pause that the upstream asks for is kept, and told with sixty seconds at most', async (t) => {
  const clock = new ManualClock()
  const { gateway, upstream } = await setUp(t, 'retry: { attempts: 1 }', clock)
  upstream.next(answer(429, '{}', { 'retry-after': '7' }))
  t.match(await get(gateway), { status: 429, retryAfter: 7 })
  clock.advance(2000)
  t.match(await get(gateway), { status: 429, retryAfter: 5 }, 'asked again too early, it is not bothered')
  t.equal(upstream.requests.length, 1)
  clock.advance(5000)
  t.equal((await get(gateway)).status, 200)
  upstream.next(answer(503, '{}', { 'retry-after': '3600', 'retry-after-ms': '3600000' }))
  t.match(await get(gateway), { status: 503, retryAfter: 60, retryAfterMs: 60_000 })
  const refused = await get(gateway)
  t.equal(refused.status, 503)
  t.ok(refused.retryAfter <= 60)
  t.equal(upstream.requests.length, 3)
})
