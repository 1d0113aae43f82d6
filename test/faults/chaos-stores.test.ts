// Every fault of the store in turn, under one real process whose limits count in it: nobody waits for it for long, what
// a limit says of its absence is what happens, and nothing is admitted beyond the shares that the outage allows.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { ChaosAgent, type Called } from '../support/chaos-calls.ts'
import { ChaosModel } from '../support/chaos-model.ts'
import { findProgram, missing } from '../support/debian.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { configText, startProxy, type ProxyProcess } from '../support/proxy-process.ts'
import { startRedis } from '../support/redis.ts'
import { stores, type Store, type StoreFault } from './catalogue/stores.ts'

const binary = findProgram('redis-server')
const skip = binary === undefined && missing('redis-server')

t.setTimeout(120_000)

/** Of each limit in its window, which no fault outlives. */
const quota = 10
const agentsEach = 3
const callsEach = 8
const ways = ['local', 'deny', 'allow'] as const
type Way = (typeof ways)[number]

t.test('faults of the store', { skip }, async (t) => {
  if (binary === undefined) return
  const [server, spare] = await Promise.all([startRedis(binary), startRedis(binary)])
  const link = await new FaultProxy(server.port).listen()
  const control = new Redis(server.url, { maxRetriesPerRequest: null })
  control.on('error', () => undefined)
  const store: Store = { server, spare, link, control }
  const model = await new ChaosModel().listen()
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-chaos-'))
  const proxy = await startProxy(configOf(folder, model.port, link.port))
  t.teardown(async () => {
    await proxy.kill()
    control.disconnect()
    await Promise.all([server.close(), spare.close(), link.close(), model.close()])
    rmSync(folder, { recursive: true, force: true })
  })
  for (const fault of stores) await t.test(fault.id, (t) => suffer(t, fault, store, proxy))
  t.same(await proxy.stop(), { code: 0, signal: null })
  t.equal(proxy.errors(), '')
  t.equal((await verifyLog(join(folder, 'audit'))).status, 'intact')
})

/** Two calls before, many during, and afterwards the limit holds again. */
async function suffer(t: Test, fault: StoreFault, store: Store, proxy: ProxyProcess): Promise<void> {
  const agent = new ChaosAgent(`${proxy.url}/${fault.id}-local`)
  const before = await agent.all([{ mark: 'before' }, { mark: 'before' }])
  t.same(
    before.map(({ status }) => status),
    [200, 200],
    'counted in the store',
  )
  await fault.begin(store)
  const during = await Promise.all(ways.map((way) => rush(`${proxy.url}/${fault.id}-${way}`)))
  for (const [at, made] of during.entries()) checkWay(t, ways[at] as Way, made)
  await fault.end(store)
  await untilCounted(t, `${proxy.url}/${fault.id}-after`)
  await agent.close()
}

async function rush(url: string): Promise<Called[]> {
  const made = await Promise.all(
    Array.from({ length: agentsEach }, async (_, lane) => {
      const agent = new ChaosAgent(url)
      const called = await agent.all(Array.from({ length: callsEach }, (_, at) => ({ mark: `${url} ${lane} ${at}` })))
      await agent.close()
      return called
    }),
  )
  return made.flat()
}

/** The store's share and this process's own are each the quota; what is still counted there is not known here. */
function checkWay(t: Test, way: Way, made: readonly Called[]): void {
  const statuses = new Set(made.map(({ status }) => status))
  const admitted = made.filter(({ status }) => status === 200).length
  t.notOk(
    made.some(({ ending }) => ending !== 'complete' && ending !== 'refused'),
    `${way}: every call has a whole answer`,
  )
  if (way === 'local') t.ok(admitted <= 2 * quota, `local: ${admitted} admitted, at most twice the quota`)
  if (way === 'deny') {
    t.ok(admitted <= quota, `deny: ${admitted} admitted, at most the quota`)
    t.same(
      [...statuses].filter((status) => ![200, 429, 503].includes(status ?? 0)),
      [],
      'deny: nothing but refusals',
    )
  }
  if (way === 'allow')
    t.same(
      [...statuses].filter((status) => ![200, 429].includes(status ?? 0)),
      [],
      'allow: nothing is refused for the outage',
    )
}

/** Calls on a route that is asked by nobody else, one after the other, until its limit says that it is full. */
async function untilCounted(t: Test, url: string): Promise<void> {
  const agent = new ChaosAgent(url)
  for (let admitted = 0; ;) {
    const { status } = await agent.call({ mark: 'after' })
    if (status === 200) admitted += 1
    if (status === 429) {
      t.ok(admitted <= quota, `afterwards the limit holds: ${admitted} admitted`)
      break
    }
  }
  await agent.close()
}

function configOf(folder: string, modelPort: number, storePort: number): string {
  const file = join(folder, 'gatewright.yaml')
  const routes = stores.flatMap(({ id }) => [...ways, 'after'].map((way) => ({ id: `${id}-${way}`, way })))
  writeFileSync(
    file,
    configText(folder, {
      log: { level: 'error', slow: '1h' },
      upstreams: { model: { protocol: 'openai', url: `http://127.0.0.1:${modelPort}` } },
      routes: routes.map(({ id }) => ({ id, path: `/${id}`, upstream: 'model' })),
      principals: [{ id: 'agent' }],
      anonymous: 'agent',
      defaultEffect: 'allow',
      // Afterwards it must be the store that counts: without it nothing is admitted.
      limits: routes.map(({ id, way }) => ({
        id,
        by: ['route'],
        routes: [id],
        requests: `${quota}/h`,
        onStoreError: way === 'after' ? 'deny' : way,
      })),
      store: { redis: { url: `redis://127.0.0.1:${storePort}` } },
    }),
  )
  return file
}
