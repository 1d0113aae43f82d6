import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { systemClock } from '../../proxy/lib/clock.ts'
import { compileLimits } from '../../proxy/limits/compile.ts'
import { compileStore } from '../../proxy/limits/compile-store.ts'
import type { Admission, LimitSubject } from '../../proxy/limits/limiter.ts'
import { openLimiter } from '../../proxy/limits/open-limiter.ts'
import type { LimitOptions, StoreOptions } from '../../proxy/limits/options.ts'
import { openStore } from '../../proxy/limits/store.ts'
import type { StoreEvent } from '../../proxy/limits/store-event.ts'
import { findProgram, missing } from '../support/debian.ts'
import { freePort, startRedis, type RedisServer, type StartOptions } from '../support/redis.ts'

const binary = findProgram('redis-server')
const skip = binary === undefined && missing('redis-server')
const anna: LimitSubject = { principal: 'anna', ip: '10.0.0.1', route: 'openai', upstream: 'openai' }

async function serve(t: Test, options?: StartOptions): Promise<RedisServer> {
  if (binary === undefined) throw new Error('no redis-server')
  const server = await startRedis(binary, options)
  t.teardown(() => server.close())
  return server
}

function control(t: Test, server: RedisServer): Redis {
  const client = new Redis(server.url, { maxRetriesPerRequest: null })
  client.on('error', () => undefined)
  t.teardown(() => client.disconnect())
  return client
}

type Gateway = {
  readonly admit: (subject: LimitSubject) => Promise<Admission>
  readonly ask: () => Promise<Admission>
  readonly ready: () => Promise<boolean>
  /** The next event that matches; those that have been do not count. */
  readonly next: (matches: (event: StoreEvent) => boolean) => Promise<StoreEvent>
  readonly events: StoreEvent[]
}

/** The default. Where Redis answers, a busy machine may take longer. */
const usual = { timeout: '50ms' }

function gateway(
  t: Test,
  url: string,
  limits: readonly LimitOptions[],
  more: Partial<StoreOptions['redis']> = {},
): Gateway {
  const waiting = new Set<(event: StoreEvent) => void>()
  const events: StoreEvent[] = []
  const onEvent = (event: StoreEvent): void => {
    events.push(event)
    for (const tell of waiting) tell(event)
  }
  const store = openStore(compileStore({ redis: { url, timeout: '1s', ...more } }, []).plan, {
    clock: systemClock,
    onEvent,
    resolveSecret: () => 'the-password',
  })
  t.teardown(() => store.close())
  const limiter = openLimiter(compileLimits(limits, []).plan, store)
  return {
    admit: async (subject) => limiter.admit(subject),
    ask: async () => limiter.admit(anna),
    ready: () => store.ready(5000),
    events,
    next: (matches) =>
      new Promise((resolve) => {
        const tell = (event: StoreEvent): void => {
          if (!matches(event)) return
          waiting.delete(tell)
          resolve(event)
        }
        waiting.add(tell)
      }),
  }
}

const up = (event: StoreEvent): boolean => event.kind === 'state' && event.up
const down = (event: StoreEvent): boolean => event.kind === 'state' && !event.up

const two: LimitOptions[] = [{ id: 'two', by: ['principal'], requests: '2/m' }]
const each: LimitOptions[] = (['local', 'deny', 'allow'] as const).map((onStoreError) => ({
  id: onStoreError,
  by: ['principal'],
  requests: '1/m',
  principals: [onStoreError],
  onStoreError,
}))

/**
 * Every onStoreError, asked twice, with the store away. How long that takes is promised as 100 ms, and is what the store's own
 * timeout adds (50 ms where nothing else is said) each time that it is waited for: once at most, which no busy machine changes.
 */
async function decidesAlone(t: Test, { admit, events }: Gateway): Promise<void> {
  const before = events.length
  const ask = (principal: string) => admit({ ...anna, principal })
  t.match(await ask('local'), { ok: true, open: ['store:local'], states: [{ limit: 'local', remaining: 0 }] })
  t.match(await ask('local'), { ok: false, code: 'rate-limited', open: ['store:local'] }, 'this process counts')
  t.match(await ask('deny'), { ok: false, code: 'store-unavailable', limit: 'deny', open: [], retryAfterMs: 1000 })
  t.match(await ask('allow'), { ok: true, open: ['store:allow'], states: [] })
  t.match(await ask('allow'), { ok: true, open: ['store:allow'] })
  const { timeout, all } = questions(events.slice(before))
  t.equal(all, 5, 'each asks once, or not at all')
  t.ok(timeout <= 1, 'the timeout is paid once at most')
}

/** What became of those that Redis did not count: each is told of once. */
function questions(events: readonly StoreEvent[]): { timeout: number; all: number } {
  const reasons = events.flatMap((event) => (event.kind === 'error' ? [event.reason] : []))
  const count = (...among: string[]): number => reasons.filter((reason) => among.includes(reason)).length
  return { timeout: count('timeout'), all: count('timeout', 'reply', 'unavailable') }
}

t.test('two gateways share one count, and many at once get exactly the quota', { skip }, async (t) => {
  const server = await serve(t)
  const limits: LimitOptions[] = [
    { id: 'ten', by: ['principal'], requests: '10/m' },
    { id: 'wide', by: ['route'], requests: '1000/m' },
  ]
  const [a, b] = [gateway(t, server.url, limits), gateway(t, server.url, limits)]
  t.ok((await a.ready()) && (await b.ready()))
  const admissions = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? a : b).ask()))
  t.equal(admissions.filter((admission) => admission.ok).length, 10)
  t.ok(admissions.every((admission) => admission.open.length === 0))
  const { states } = await a.ask()
  t.match(
    states,
    [
      { limit: 'ten', remaining: 0 },
      { limit: 'wide', remaining: 990 },
    ],
    'refusals consumed nothing',
  )
  const client = control(t, server)
  const keys = await client.keys('*')
  t.same(keys.sort(), [
    'gatewright:{limits}ten/10/60000/principal/4:anna',
    'gatewright:{limits}wide/1000/60000/route/6:openai',
  ])
  for (const key of keys) t.ok((await client.pttl(key)) > 0, 'every key expires')
})

t.test('a window ends by the clock of Redis', { skip }, async (t) => {
  const server = await serve(t)
  const { ask, ready } = gateway(t, server.url, two)
  await ready()
  await ask()
  await ask()
  t.match(await ask(), { ok: false, code: 'rate-limited' })
  await control(t, server).pexpire('gatewright:{limits}two/2/60000/principal/4:anna', 0)
  t.match(await ask(), { ok: true, states: [{ remaining: 1, resetMs: 60_000 }] })
})

t.test('Redis was never there', { skip }, async (t) => {
  const absent = gateway(t, `redis://127.0.0.1:${await freePort()}`, each)
  await absent.next(down)
  await decidesAlone(t, absent)
  t.match(
    absent.events.find((event) => event.kind === 'error'),
    { reason: 'connection' },
  )
})

t.test(
  'Redis hangs: the first request waits for the timeout, the others do not, and it is noticed when it is back',
  { skip },
  async (t) => {
    const server = await serve(t)
    const hung = gateway(t, server.url, each, usual)
    await hung.ready()
    server.stall()
    const opened = hung.next(down)
    await decidesAlone(t, hung)
    await opened
    const timeouts = hung.events.filter((event) => event.kind === 'error' && event.reason === 'timeout')
    t.equal(timeouts.length, 1, 'the timeout was paid once')
    const back = hung.next(up)
    server.resume()
    await back
    t.match(await hung.ask(), { ok: true, open: [] })
    t.match(await hung.admit({ ...anna, principal: 'deny' }), { ok: true, open: [] })
  },
)

t.test('Redis hangs while many ask: each is decided', { skip }, async (t) => {
  const server = await serve(t)
  const limits: LimitOptions[] = [1, 2, 3, 4].map((n) => ({ id: `l${n}`, by: ['ip'], requests: '1000/m' }))
  const hung = gateway(t, server.url, limits, usual)
  await hung.ready()
  server.stall()
  const admissions = await Promise.all(Array.from({ length: 200 }, () => hung.ask()))
  t.equal(questions(hung.events).all, 200, 'one wait for all, since they asked at once, and nobody asks again')
  t.ok(admissions.every((admission) => admission.ok && admission.open.length === 4))
})

t.test('Redis hangs for long: the connection is given up, and a new one is found', { skip }, async (t) => {
  const server = await serve(t)
  const hung = gateway(t, server.url, two, usual)
  await hung.ready()
  server.stall()
  const connection = hung.next((event) => event.kind === 'error' && event.reason === 'connection')
  await hung.ask()
  await connection
  const back = hung.next(up)
  server.resume()
  await back
  t.match(await hung.ask(), { ok: true, open: [] })
})

t.test('Redis is killed and comes back empty', { skip }, async (t) => {
  const server = await serve(t)
  const { ask, ready, next } = gateway(t, server.url, two)
  await ready()
  await ask()
  await ask()
  const lost = next(down)
  await server.kill()
  await lost
  t.match(await ask(), { ok: true, open: ['store:two'] }, 'this process starts to count on its own')
  const back = next(up)
  await server.start()
  await back
  t.match(await ask(), { ok: true, open: [], states: [{ remaining: 1 }] }, 'the shared count starts afresh')
})

t.test('Redis loads its data: LOADING', { skip }, async (t) => {
  const server = await serve(t)
  const client = control(t, server)
  for (let i = 0; i < 100; i++) await client.set(`k${i}`, 'x'.repeat(2000))
  await client.save()
  client.disconnect()
  await server.kill()
  const slowly = ['--key-load-delay', '10000', '--loading-process-events-interval-bytes', '1024']
  await server.start({ flags: slowly, until: 'Loading RDB produced by' })
  const loading = gateway(t, server.url, each)
  const back = loading.next(up)
  await decidesAlone(t, loading)
  await back
  t.match(await loading.admit({ ...anna, principal: 'deny' }), { ok: true, open: [] })
})

t.test('Redis became a replica: READONLY, until it is a primary again', { skip }, async (t) => {
  const server = await serve(t)
  const readonly = gateway(t, server.url, each)
  await readonly.ready()
  const client = control(t, server)
  await client.replicaof('127.0.0.1', await freePort())
  await decidesAlone(t, readonly)
  t.match(
    readonly.events.find((event) => event.kind === 'error'),
    { reason: 'reply', message: /READONLY/ },
  )
  await client.replicaof('NO', 'ONE')
  await readonly.ready()
  const admission = await readonly.admit({ ...anna, principal: 'deny' })
  t.match(admission, { ok: true, open: [] })
})

t.test('Redis is out of memory: OOM', { skip }, async (t) => {
  const server = await serve(t)
  const full = gateway(t, server.url, each)
  await full.ready()
  const client = control(t, server)
  await client.config('SET', 'maxmemory', '1')
  await decidesAlone(t, full)
  t.match(
    full.events.find((event) => event.kind === 'error'),
    { reason: 'reply', message: /OOM/ },
  )
  await client.config('SET', 'maxmemory', '0')
  t.match(await full.admit({ ...anna, principal: 'deny' }), { ok: true, open: [] })
})

t.test('a key of the wrong type concerns only its own limit, and nothing is counted by half', { skip }, async (t) => {
  const server = await serve(t)
  const client = control(t, server)
  const wrong = gateway(t, server.url, [{ id: 'other', by: ['route'], requests: '9/m' }, ...two])
  await wrong.ready()
  await client.lpush('gatewright:{limits}two/2/60000/principal/4:anna', 'x')
  t.match(await wrong.ask(), { ok: true, open: ['store:other', 'store:two'] })
  t.equal(await client.get('gatewright:other/9/60000/route/6:openai'), null)
  t.match(await wrong.admit({ ...anna, principal: 'ben' }), { ok: true, open: [] })
})

t.test('the script is known again after SCRIPT FLUSH', { skip }, async (t) => {
  const server = await serve(t)
  const { ask, ready } = gateway(t, server.url, two)
  await ready()
  await ask()
  await control(t, server).script('FLUSH')
  t.match(await ask(), { ok: true, open: [], states: [{ remaining: 0 }] })
})

t.test('a password is needed, resolved and never told', { skip }, async (t) => {
  const server = await serve(t, { flags: ['--requirepass', 'the-password'] })
  const password = { fromEnv: 'REDIS_PASSWORD' }
  const right = gateway(t, server.url, two, { password })
  t.ok(await right.ready())
  t.match(await right.ask(), { ok: true, open: [] })
  const wrong = gateway(t, `redis://:not-the-password@127.0.0.1:${server.port}`, two)
  await wrong.next((event) => event.kind === 'error' && event.reason === 'connection')
  t.match(await wrong.ask(), { ok: true, open: ['store:two'] })
  t.notMatch(JSON.stringify(wrong.events), /not-the-password/)
})

t.test('a limit by concurrency alone never asks Redis', { skip }, async (t) => {
  const absent = gateway(t, `redis://127.0.0.1:${await freePort()}`, [
    { id: 'flight', by: ['principal'], concurrency: 1 },
  ])
  t.match(await absent.ask(), { ok: true, open: [] })
  t.match(await absent.ask(), { ok: false, code: 'concurrency-limited', open: [] })
})
