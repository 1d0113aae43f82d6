// Limits counted in a real Redis, seen from the clients of two proxies: one shared count, and what each `onStoreError`
// does while Redis is hung or gone. No request may wait for it.
import t, { type Test } from 'tap'
import { findProgram, missing } from '../support/debian.ts'
import { startGateway, type TestGateway } from '../support/gateway.ts'
import { metric } from '../support/proxy-process.ts'
import { startRedis, type RedisServer } from '../support/redis.ts'
import { answer, scriptedUpstream, type ScriptedUpstream } from '../support/scripted-upstream.ts'

t.setTimeout(60_000)

const binary = findProgram('redis-server')
const skip = binary === undefined && missing('redis-server')

/** Far above what is promised (100 ms) and far below a hang, so that a busy machine does not fail the test. */
const overheadMsMax = 700

type Setup = {
  readonly gateways: readonly TestGateway[]
  readonly upstream: ScriptedUpstream
  readonly redis: RedisServer
}

async function setUp(t: Test, count: number, timeout?: string): Promise<Setup> {
  if (binary === undefined) throw new Error('no redis-server')
  const redis = await startRedis(binary)
  const upstream = (await scriptedUpstream()).always(answer(200, 'ok'))
  const gateways: TestGateway[] = []
  t.teardown(async () => {
    for (const gateway of gateways) await gateway.close()
    await upstream.close()
    await redis.close()
  })
  const limit = (id: string, more: string): string =>
    `{ id: ${id}, by: [principal], routes: [${id}], requests: ${id === 'shared' ? '5/h' : '10000/h'}${more} }`
  const route = (id: string): string => `{ id: ${id}, path: /${id}, upstream: tool }`
  for (let i = 0; i < count; i += 1) {
    gateways.push(
      await startGateway(`
upstreams: { tool: { protocol: http, url: "${upstream.url}" } }
routes: [${['shared', 'local', 'deny', 'allow'].map(route).join(', ')}]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
limits:
  - ${limit('shared', '')}
  - ${limit('local', '')}
  - ${limit('deny', ', onStoreError: deny')}
  - ${limit('allow', ', onStoreError: allow')}
store: { redis: { url: "${redis.url}"${timeout === undefined ? '' : `, timeout: ${timeout}`} } }`),
    )
  }
  return { gateways, upstream, redis }
}

type Got = { readonly status: number; readonly open: string | null; readonly code?: unknown; readonly headers: Headers }

async function get({ url }: TestGateway, route: string): Promise<Got> {
  const reply = await fetch(`${url}/${route}/a`)
  const body = await reply.text()
  const open = reply.headers.get('x-gatewright-open')
  const { status, headers } = reply
  return { status, open, headers, ...(status === 200 ? {} : { code: (JSON.parse(body) as { code: unknown }).code }) }
}

/** Asks until Redis counts (again): on a busy machine one answer of Redis may come too late. */
async function untilCounted(gateway: TestGateway, route: string): Promise<void> {
  for (let got = await get(gateway, route); got.status !== 200 || got.open !== null;) got = await get(gateway, route)
}

/** The slowest of the requests that were logged, by the proxy's own account of its time. */
function slowestMs({ logged }: TestGateway): number {
  return Math.max(...logged.filter(({ msg }) => msg === 'request').map((line) => Number(line['overheadMs'])))
}

t.test('two proxies share one count', { skip }, async (t) => {
  const { gateways } = await setUp(t, 2, '1s')
  const [one, two] = gateways as [TestGateway, TestGateway]
  const statuses: number[] = []
  for (const gateway of [one, two, one, two, one, two, one]) statuses.push((await get(gateway, 'shared')).status)
  t.same(statuses, [200, 200, 200, 200, 200, 429, 429])
  const refused = await get(two, 'shared')
  t.match(refused, { status: 429, open: null })
  t.match(refused.headers.get('ratelimit'), /"shared";r=0/)
})

t.test('each onStoreError does what it says while Redis is away', { skip }, async (t) => {
  const { gateways, upstream, redis } = await setUp(t, 1)
  const [gateway] = gateways as [TestGateway]
  const away = async (how: string): Promise<void> => {
    gateway.logged.length = 0
    const before = upstream.requests.length
    for (let i = 0; i < 3; i += 1) {
      t.match(
        await get(gateway, 'local'),
        { status: 200, open: 'store:local' },
        `${how}: local counts here, and says so`,
      )
      t.match(await get(gateway, 'deny'), { status: 503, code: 'store-unavailable' }, `${how}: deny refuses`)
      t.match(await get(gateway, 'allow'), { status: 200, open: 'store:allow' }, `${how}: allow lets pass, and says so`)
    }
    const refused = await get(gateway, 'deny')
    t.ok(Number(refused.headers.get('retry-after')) >= 1, `${how}: deny says when to come back`)
    t.equal(upstream.requests.length - before, 6, `${how}: what was refused was not sent`)
    const parallel = await Promise.all(Array.from({ length: 50 }, () => get(gateway, 'allow')))
    t.ok(parallel.every(({ status }) => status === 200))
    t.comment(`${how}: slowest overhead ${slowestMs(gateway)} ms`)
    t.ok(slowestMs(gateway) < overheadMsMax, `${how}: nobody waits for Redis`)
    t.ok(((await metric(gateway.adminUrl, 'gatewright_fail_open_total{what="store:allow"}')) ?? 0) > 0)
    t.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200, `${how}: still ready`)
  }
  const back = async (how: string): Promise<void> => {
    for (const route of ['deny', 'local', 'allow']) {
      await untilCounted(gateway, route)
      t.pass(`${how}: ${route} is counted in Redis`)
    }
  }
  await untilCounted(gateway, 'local')
  redis.stall()
  await away('hung')
  redis.resume()
  await back('after hanging')
  await redis.kill()
  await away('killed')
  await redis.start()
  await back('after its restart')
  t.ok(gateway.logged.some(({ msg, up }) => msg === 'limit store is back' && up === true))
})

t.test('a proxy starts and serves while Redis is not there', { skip }, async (t) => {
  const { redis, upstream } = await setUp(t, 0)
  await redis.kill()
  const gateway = await startGateway(`
upstreams: { tool: { protocol: http, url: "${upstream.url}" } }
routes: [{ id: deny, path: /deny, upstream: tool }, { id: local, path: /local, upstream: tool }]
principals: [{ id: agent }]
anonymous: agent
defaultEffect: allow
limits:
  - { id: deny, by: [principal], routes: [deny], requests: 5/h, onStoreError: deny }
  - { id: local, by: [principal], routes: [local], requests: 2/h }
store: { redis: { url: "${redis.url}" } }`)
  t.teardown(() => gateway.close())
  t.match(await get(gateway, 'deny'), { status: 503, code: 'store-unavailable' })
  const statuses: number[] = []
  for (let i = 0; i < 3; i += 1) statuses.push((await get(gateway, 'local')).status)
  t.same(statuses, [200, 200, 429], 'local has the same quota, counted here')
  await redis.start()
  for (const route of ['deny', 'local']) await untilCounted(gateway, route)
})
