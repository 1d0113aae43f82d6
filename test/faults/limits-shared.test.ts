// Limits that cannot be overshot: many calls at once against room for a few, in one process and in four that share a Redis;
// and the arithmetic of Redis beside that of memory.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { systemClock, type Clock } from '../../proxy/lib/clock.ts'
import { compileLimits } from '../../proxy/limits/compile.ts'
import { compileStore } from '../../proxy/limits/compile-store.ts'
import type { Charge, Count } from '../../proxy/limits/counters.ts'
import type { Admission, Demand, LimitSubject, Spent } from '../../proxy/limits/limiter.ts'
import { MemoryCounters } from '../../proxy/limits/memory.ts'
import { openLimiter } from '../../proxy/limits/open-limiter.ts'
import type { LimitOptions } from '../../proxy/limits/options.ts'
import { openStore, type Store } from '../../proxy/limits/store.ts'
import { windowOf, type WindowOptions } from '../../proxy/limits/window.ts'
import { ManualClock } from '../support/clock.ts'
import { findProgram, missing } from '../support/debian.ts'
import { startRedis, type RedisServer } from '../support/redis.ts'

t.setTimeout(120_000)

/** What a busy machine makes of a command must not look like an outage. */
const patienceMs = 60_000
const binary = findProgram('redis-server')
const skip = binary === undefined && missing('redis-server')
const anna: LimitSubject = { principal: 'anna', org: 'acme', ip: '10.0.0.1', route: 'openai', upstream: 'openai' }
const call: Demand = {
  model: 'gpt-4o',
  actions: ['model.call'],
  tools: [],
  inputTokens: 40,
  outputTokensMax: 60,
  answers: 1,
}
const spent: Spent = { input: 10, output: 5, cacheRead: 0, cacheWrite: 0, bytes: 0 }

/** Room for ten calls, each by another unit. */
const forTen: LimitOptions[] = [
  { id: 'tokens', by: ['principal'], tokens: '1000/h' },
  { id: 'wide', by: ['org'], requests: '10k/h', tokens: '10M/h' },
]

async function serve(t: Test): Promise<RedisServer> {
  if (binary === undefined) throw new Error('no redis-server')
  const server = await startRedis(binary)
  t.teardown(() => server.close())
  return server
}

async function openRedis(t: Test, url: string, clock: Clock = systemClock): Promise<Store> {
  const { plan } = compileStore({ redis: { url } }, [])
  if (plan.redis === undefined) throw new Error('no Redis')
  const patient = { ...plan, redis: { ...plan.redis, timeoutMs: patienceMs } }
  const store = openStore(patient, { clock, onEvent: () => undefined, resolveSecret: () => '' })
  t.teardown(() => store.close())
  t.ok(await store.ready(5000))
  return store
}

function openMemory(t: Test, clock: Clock = new ManualClock()): Store {
  const store = openStore({ replicas: 1 }, { clock, onEvent: () => undefined, resolveSecret: () => '' })
  t.teardown(() => store.close())
  return store
}

function asker(store: Store, limits: readonly LimitOptions[]): (demand?: Demand) => Promise<Admission> {
  const { plan, problems } = compileLimits(limits, [])
  const errors = problems.filter(({ severity }) => severity === 'error')
  t.same(errors, [])
  const limiter = openLimiter(plan, store)
  return async (demand = call) => {
    const admission = await limiter.admit(anna)
    return admission.ok && admission.reserve !== undefined ? admission.reserve(demand) : admission
  }
}

for (const where of ['memory', 'redis'] as const) {
  t.test(`200 calls at once against room for ten, in ${where}`, { skip: where === 'redis' && skip }, async (t) => {
    const limits: LimitOptions[][] = [
      forTen,
      [{ id: 'cost', by: ['principal'], cost: '0.007/h' }],
      [{ id: 'calls', by: ['principal'], requests: '10/h', window: 'sliding' }],
      [{ id: 'paced', by: ['principal', 'model'], requests: '1/h', burst: 10 }],
    ]
    const server = where === 'redis' ? await serve(t) : undefined
    for (const [index, some] of limits.entries()) {
      const store = server === undefined ? openMemory(t) : await openRedis(t, server.url)
      const ask = asker(store, some)
      const asked = await Promise.all(Array.from({ length: 200 }, () => ask()))
      t.equal(asked.filter(({ ok }) => ok).length, 10, `limits ${index}`)
    }
  })
}

t.test('200 calls at once by four processes on one Redis against room for ten', { skip }, async (t) => {
  const { url } = await serve(t)
  const path = new URL('limits-asker.ts', import.meta.url).pathname
  const askers = Array.from({ length: 4 }, () => fork(path, [url, JSON.stringify(forTen), '50']))
  await Promise.all(askers.map((child) => once(child, 'message')))
  const answers = askers.map(async (child) => {
    const passed = once(child, 'message')
    child.send('go')
    return Number((await passed)[0])
  })
  const passed = await Promise.all(answers)
  t.equal(
    passed.reduce((sum, count) => sum + count, 0),
    10,
    `by process: ${passed.join(', ')}`,
  )
  const redis = new Redis(url)
  t.teardown(() => redis.disconnect())
  const keys = await redis.keys('*')
  t.equal(keys.length, 3)
  for (const key of keys) {
    t.ok(key.startsWith('gatewright:{limits}'), 'one tag, one slot')
    t.ok((await redis.pttl(key)) > 0, 'every key expires')
  }
})

t.test('what was not used is free again, what was used is not, in both', async (t) => {
  const stores = [openMemory(t), ...(skip === false ? [await openRedis(t, (await serve(t)).url)] : [])]
  for (const store of stores) {
    const ask = asker(store, [{ id: 'tokens', by: ['principal'], tokens: '1000/h' }])
    const all = await Promise.all(Array.from({ length: 10 }, () => ask()))
    t.match(await ask(), {
      ok: false,
      code: 'quota-exhausted',
      states: [{ limit: 'tokens', unit: 'tokens', remaining: 0 }],
    })
    for (const one of all.slice(0, 5)) if (one.ok) one.settle?.(undefined)
    for (const one of all.slice(0, 5)) if (one.ok) one.settle?.(spent)
    t.match(await ask(), { ok: true, states: [{ remaining: 400 }] }, 'settled once, and released whole')
    for (const one of all.slice(5)) if (one.ok) one.settle?.(spent)
    t.match(await ask(), { ok: true, states: [{ remaining: 1000 - 100 - 5 * 15 - 100 }] })
    t.match(await ask({ ...call, inputTokens: 2000 }), { ok: false, code: 'quota-exhausted', tooLarge: true })
  }
})

t.test('what a window or a bucket never holds is refused for good, also by an empty one', async (t) => {
  const stores = [openMemory(t), ...(skip === false ? [await openRedis(t, (await serve(t)).url)] : [])]
  const windows: Partial<LimitOptions>[] = [{}, { window: 'sliding' }, { window: 'calendar' }, { burst: 1000 }]
  for (const store of stores) {
    for (const [index, more] of windows.entries()) {
      const ask = asker(store, [{ id: `small-${index}`, by: ['principal'], tokens: '1000/h', ...more }])
      const refused = { ok: false, code: 'quota-exhausted', tooLarge: true, states: [{ remaining: 1000 }] }
      t.match(await ask({ ...call, inputTokens: 2000 }), refused, JSON.stringify(more))
      t.match(await ask(), { ok: true, states: [{ remaining: 900 }] }, 'and takes nothing')
    }
  }
})

t.test('Redis counts as memory does', { skip }, async (t) => {
  const { url } = await serve(t)
  const store = await openRedis(t, url)
  const kinds: [string, Partial<WindowOptions>][] = [
    ['100/h', {}],
    ['100/d', {}],
    ['100/month', { zone: 'Europe/Berlin' }],
    ['100/h', { window: 'sliding' }],
    ['1/d', { burst: 100 }],
  ]
  for (const [index, [rate, options]] of kinds.entries()) {
    const compiled = windowOf(rate, { zone: 'UTC', ...options })
    if ('error' in compiled) throw new Error(compiled.error)
    const { quota, window } = compiled
    const memory = new MemoryCounters(systemClock)
    t.teardown(() => memory.close())
    const charge = (amount: number): Charge => ({ namespace: `kind-${index}`, key: 'k', quota, window, amount })
    const both = async (amount: number): Promise<[number, number]> => {
      const there = await store.redis?.take([charge(amount)])
      const here = memory.take([charge(amount)])
      t.equal(there?.admitted, here.admitted, `${rate} ${window.kind}: ${amount}`)
      const [counted, expected] = [there?.counts[0], here.counts[0]] as [Count, Count]
      t.equal(counted.used, Math.ceil(expected.used), `${rate} ${window.kind}: used`)
      // An hour from a first request, or from a slice's beginning, is not the same hour for two clocks.
      const apartMs = window.kind === 'sliding' ? window.sliceMs + 1000 : 1000
      t.ok(Math.abs(counted.resetMs - expected.resetMs) <= apartMs, `${counted.resetMs} ${expected.resetMs}`)
      t.ok(Math.abs(counted.waitMs - expected.waitMs) <= apartMs, `${counted.waitMs} ${expected.waitMs}`)
      return [counted.mark, expected.mark]
    }
    const [there, here] = await both(60)
    await both(41)
    await both(0)
    const { namespace, key } = charge(0)
    for (const delta of [-20, 5]) {
      store.redis?.correct([{ namespace, key, window, mark: there, delta }])
      memory.correct([{ namespace, key, window, mark: here, delta }])
    }
    await both(56)
    await both(55)
    await both(0)
  }
})

t.test('whatever clock a proxy has, Redis says which period it is', { skip }, async (t) => {
  const { url } = await serve(t)
  const periods: [string, Partial<WindowOptions>, number][] = [
    ['2/h', { window: 'calendar', zone: 'Asia/Kolkata' }, 3_600_000],
    ['2/d', {}, 86_400_000],
    ['2/month', {}, 31 * 86_400_000],
  ]
  for (const [rate, options, lengthMs] of periods) {
    const compiled = windowOf(rate, { zone: 'UTC', ...options })
    if ('error' in compiled) throw new Error(compiled.error)
    const { quota, window } = compiled
    for (const periodsOff of [-5, -1.5, 1.5, 5]) {
      const clock: Clock = { ...systemClock, now: () => Date.now() + periodsOff * lengthMs }
      const store = await openRedis(t, url, clock)
      const take = () => store.redis?.take([{ namespace: rate, key: String(periodsOff), quota, window, amount: 1 }])
      const name = `${rate}, ${periodsOff} periods off`
      t.match(await take(), { admitted: true, counts: [{ used: 1 }] }, name)
      t.match(await take(), { admitted: true, counts: [{ used: 2 }] }, name)
      const refused = await take()
      t.match(refused, { admitted: false, counts: [{ used: 2 }] }, name)
      const [count] = refused?.counts ?? []
      t.ok(count !== undefined && count.waitMs > 0 && count.waitMs <= lengthMs, `${name}: waits ${count?.waitMs} ms`)
    }
  }
})
