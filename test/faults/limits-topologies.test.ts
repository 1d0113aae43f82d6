// The store behind sentinels and in a cluster: real ones, as small as they can be.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { systemClock } from '../../proxy/lib/clock.ts'
import { compileLimits } from '../../proxy/limits/compile.ts'
import { compileStore } from '../../proxy/limits/compile-store.ts'
import { openLimiter } from '../../proxy/limits/open-limiter.ts'
import type { LimitOptions, RedisOptions } from '../../proxy/limits/options.ts'
import { openStore } from '../../proxy/limits/store.ts'
import { findProgram, missing } from '../support/debian.ts'
import { freePort, startRedis, type RedisServer } from '../support/redis.ts'

t.setTimeout(60_000)

const binary = findProgram('redis-server')
const skip = binary === undefined && missing('redis-server')
const subject = { principal: 'anna', ip: '10.0.0.1', route: 'openai', upstream: 'openai' }
const limits: LimitOptions[] = [
  { id: 'agent', by: ['principal'], requests: '3/h' },
  { id: 'address', by: ['ip'], requests: '100/h', window: 'sliding' },
]

async function serve(t: Test, flags: readonly string[] = []): Promise<RedisServer> {
  if (binary === undefined) throw new Error('no redis-server')
  const server = await startRedis(binary, { flags })
  t.teardown(() => server.close())
  return server
}

/** Three of five are let through, by the store's own count. */
async function countsIn(t: Test, redis: RedisOptions): Promise<void> {
  const { plan, problems } = compileStore({ redis }, [])
  t.same(problems, [])
  if (plan.redis === undefined) throw new Error('no Redis')
  const patient = { ...plan, redis: { ...plan.redis, timeoutMs: 10_000 } }
  const store = openStore(patient, { clock: systemClock, onEvent: () => undefined, resolveSecret: () => '' })
  t.teardown(() => store.close())
  t.ok(await store.ready(20_000), 'it is there')
  const limiter = openLimiter(compileLimits(limits, []).plan, store)
  const asked = await Promise.all(Array.from({ length: 5 }, async () => limiter.admit(subject)))
  t.equal(asked.filter(({ ok }) => ok).length, 3)
  t.same(
    asked.flatMap(({ open }) => open),
    [],
    'nothing was decided without it',
  )
}

t.test('a cluster: all keys of a request lie in one slot', { skip }, async (t) => {
  const { url, port } = await serve(t, ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'])
  const node = new Redis(url)
  t.teardown(() => node.disconnect())
  await node.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383')
  for (let info = ''; !info.includes('cluster_state:ok');) info = String(await node.call('CLUSTER', 'INFO'))
  await countsIn(t, { cluster: { nodes: [`127.0.0.1:${port}`] } })
  const keys = (await node.keys('*')).sort()
  t.equal(keys.length, 2)
  const slots = await Promise.all(keys.map((key) => node.call('CLUSTER', 'KEYSLOT', key)))
  t.equal(new Set(slots).size, 1)
})

t.test('sentinels say which server is the primary', { skip }, async (t) => {
  const { port } = await serve(t)
  const sentinelPort = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  writeFileSync(
    file,
    `port ${sentinelPort}\nbind 127.0.0.1\ndir ${folder}\nsentinel monitor main 127.0.0.1 ${port} 1\n`,
  )
  const sentinel = spawn(binary ?? '', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    const gone = once(sentinel, 'exit')
    sentinel.kill('SIGKILL')
    await gone
    rmSync(folder, { recursive: true, force: true })
  })
  for await (const line of createInterface(sentinel.stdout)) if (line.includes('+monitor')) break
  await countsIn(t, { sentinels: { name: 'main', nodes: [`127.0.0.1:${sentinelPort}`] } })
})
