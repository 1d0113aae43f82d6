// What was reserved before Redis went away is settled once it is back, each of it once: over a Redis that hangs, and one that
// is killed and comes back with its data.
import t, { type Test } from 'tap'
import { systemClock } from '../../proxy/lib/clock.ts'
import { compileLimits } from '../../proxy/limits/compile.ts'
import { compileStore } from '../../proxy/limits/compile-store.ts'
import type { Admission, Demand, LimitSubject, Spent } from '../../proxy/limits/limiter.ts'
import { openLimiter } from '../../proxy/limits/open-limiter.ts'
import { openStore } from '../../proxy/limits/store.ts'
import { findProgram, missing } from '../support/debian.ts'
import { startRedis, type RedisServer } from '../support/redis.ts'
import { until } from '../support/until.ts'

t.setTimeout(60_000)

const binary = findProgram('redis-server')
const skip = binary === undefined && missing('redis-server')
const subject: LimitSubject = { principal: 'anna', ip: '10.0.0.1', route: 'openai', upstream: 'openai' }
const demand: Demand = {
  model: 'gpt-4o',
  actions: ['model.call'],
  tools: [],
  inputTokens: 100,
  outputTokensMax: 400,
  answers: 1,
}
const spent: Spent = { input: 20, output: 30, cacheRead: 0, cacheWrite: 0, bytes: 0 }
/** Uses more than was reserved. */
const more: Spent = { ...spent, output: 880 }

async function open(t: Test, flags: readonly string[] = []) {
  if (binary === undefined) throw new Error('no redis-server')
  const server: RedisServer = await startRedis(binary, { flags })
  const { plan } = compileStore({ redis: { url: server.url, timeout: '2s' } }, [])
  const store = openStore(plan, { clock: systemClock, onEvent: () => undefined, resolveSecret: () => '' })
  t.teardown(async () => {
    store.close()
    await server.close()
  })
  t.ok(await store.ready(10_000))
  const limits = compileLimits([{ id: 'tokens', by: ['principal'], tokens: '100k/d', onStoreError: 'deny' }], []).plan
  const limiter = openLimiter(limits, store)
  const ask = async (): Promise<Admission> => {
    const head = await limiter.admit(subject)
    return head.ok && head.reserve !== undefined ? head.reserve(demand) : head
  }
  /** What is left is told by whoever asks, who gives back what that took. */
  const used = async (): Promise<number> => {
    for (;;) {
      const admission = await ask()
      if (!admission.ok) continue
      admission.settle?.(undefined)
      return 100_000 - (admission.states[0]?.remaining ?? 0) - 500
    }
  }
  /** So many at least: what `used` gives back may be under way, too. */
  const unsettled = (least: number): Promise<boolean> => until(() => (store.redis?.unsettled ?? 0) >= least)
  const settled = (): Promise<boolean> => until(() => store.redis?.unsettled === 0)
  return { server, ask, used, unsettled, settled }
}

t.test('a Redis that hangs between reserving and settling', { skip }, async (t) => {
  const { server, ask, used, unsettled, settled } = await open(t)
  const admissions = await Promise.all(Array.from({ length: 60 }, ask))
  t.ok(admissions.every(({ ok }) => ok))
  t.equal(await used(), 60 * 500)
  server.stall()
  const settle = (from: number, to: number, spent: Spent | undefined): void => {
    for (const admission of admissions.slice(from, to)) if (admission.ok) admission.settle?.(spent)
  }
  // These are sent, and Redis reads them when it goes on; nobody waits for its answer that long.
  settle(0, 20, spent)
  await unsettled(20)
  // These are not sent at all.
  settle(20, 40, more)
  settle(40, 60, undefined)
  await unsettled(60)
  server.resume()
  await settled()
  t.equal(await used(), 20 * 50 + 20 * 900)
})

t.test('a Redis that is killed, and comes back with what it has written', { skip }, async (t) => {
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always']
  const { server, ask, used, settled } = await open(t, durable)
  const admissions = await Promise.all(Array.from({ length: 10 }, ask))
  t.ok(admissions.every(({ ok }) => ok))
  await server.kill()
  for (const admission of admissions) if (admission.ok) admission.settle?.(spent)
  await server.start({ flags: durable })
  await settled()
  t.equal(await used(), 10 * 50)
})
