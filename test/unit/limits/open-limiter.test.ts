import t from 'tap'
import { compileLimits } from '../../../proxy/limits/compile.ts'
import type { Admission, Demand, Limiter, LimitSubject } from '../../../proxy/limits/limiter.ts'
import { openLimiter } from '../../../proxy/limits/open-limiter.ts'
import type { LimitOptions } from '../../../proxy/limits/options.ts'
import { openStore, type Store } from '../../../proxy/limits/store.ts'
import type { StoreEvent } from '../../../proxy/limits/store-event.ts'
import { ManualClock } from '../../support/clock.ts'

const anna: LimitSubject = { principal: 'anna', org: 'acme', ip: '10.0.0.1', route: 'openai', upstream: 'openai' }
const ben: LimitSubject = { principal: 'ben', org: 'acme', ip: '10.0.0.2', route: 'crm', upstream: 'crm' }

type World = { clock: ManualClock; store: Store; events: StoreEvent[] }

function open(keysMax?: number): World {
  const clock = new ManualClock()
  const events: StoreEvent[] = []
  const onEvent = (event: StoreEvent): void => void events.push(event)
  const resolveSecret = (): string => ''
  return {
    clock,
    events,
    store: openStore({ replicas: 1 }, { clock, onEvent, resolveSecret, ...(keysMax === undefined ? {} : { keysMax }) }),
  }
}

function limiterOver(store: Store, options: readonly LimitOptions[]) {
  const { plan, problems } = compileLimits(options, ['limits'])
  t.same(problems, [])
  return openLimiter(plan, store)
}

t.test('a quota is counted down, refuses, and is renewed when its window ends', async (t) => {
  const { clock, store } = open()
  const limiter = limiterOver(store, [{ id: 'per-key', by: ['principal'], requests: '2/m' }])
  const state = { limit: 'per-key', quota: 2, windowMs: 60_000 }
  t.match(await limiter.admit(anna), {
    ok: true,
    states: [{ ...state, remaining: 1, resetMs: 60_000 }],
    open: [],
  })
  clock.advance(20_000)
  t.match(await limiter.admit(anna), { ok: true, states: [{ ...state, remaining: 0, resetMs: 40_000 }] })
  t.same(await limiter.admit(anna), {
    ok: false,
    code: 'rate-limited',
    limit: 'per-key',
    retryAfterMs: 40_000,
    states: [{ ...state, remaining: 0, resetMs: 40_000 }],
    open: [],
  })
  t.match(await limiter.admit(ben), { ok: true }, 'another principal has its own count')
  clock.advance(39_999)
  t.match(await limiter.admit(anna), { ok: false })
  clock.advance(1)
  t.match(await limiter.admit(anna), { ok: true, states: [{ remaining: 1, resetMs: 60_000 }] })
})

t.test('a refusal consumes nothing of the limits that would have admitted', async (t) => {
  const { clock, store } = open()
  const limiter = limiterOver(store, [
    { id: 'wide', by: ['org'], requests: '5/m' },
    { id: 'narrow', by: ['principal'], requests: '1/s' },
  ])
  t.match(await limiter.admit(anna), { ok: true })
  for (let i = 0; i < 10; i++) t.match(await limiter.admit(anna), { ok: false, limit: 'narrow' })
  t.match(await limiter.admit(ben), {
    ok: true,
    states: [{ limit: 'wide', remaining: 3 }, { limit: 'narrow' }],
  })
  clock.advance(1000)
  t.match(await limiter.admit(anna), {
    ok: true,
    states: [{ limit: 'wide', remaining: 2 }, { limit: 'narrow' }],
  })
})

t.test('of several that refuse, the one with the longest wait is named', async (t) => {
  const { store } = open()
  const limiter = limiterOver(store, [
    { id: 'short', by: ['principal'], requests: '1/s' },
    { id: 'long', by: ['principal'], requests: '1/m' },
  ])
  await limiter.admit(anna)
  t.match(await limiter.admit(anna), { ok: false, code: 'rate-limited', limit: 'long', retryAfterMs: 60_000 })
})

t.test('a long window is a quota until its last minute', async (t) => {
  const { clock, store } = open()
  const limiter = limiterOver(store, [{ id: 'daily', by: ['principal'], requests: '1/d', window: 'first' }])
  await limiter.admit(anna)
  t.match(await limiter.admit(anna), { ok: false, code: 'quota-exhausted', limit: 'daily' })
  clock.advance(86_400_000 - 60_000)
  t.match(await limiter.admit(anna), { ok: false, code: 'rate-limited', retryAfterMs: 60_000 })
  const { store: other } = open()
  const quarter = limiterOver(other, [{ id: 'quarter', by: ['principal'], requests: '1/15m' }])
  await quarter.admit(anna)
  t.match(await quarter.admit(anna), { ok: false, code: 'rate-limited', retryAfterMs: 900_000 })
})

t.test('concurrency: slots are taken, given back once, and never below none', async (t) => {
  const { store } = open()
  const limiter = limiterOver(store, [{ id: 'flight', by: ['principal'], concurrency: 2 }])
  const first = await limiter.admit(anna)
  const second = await limiter.admit(anna)
  t.match(await limiter.admit(anna), {
    ok: false,
    code: 'concurrency-limited',
    limit: 'flight',
    states: [],
    open: [],
  })
  if (!first.ok || !second.ok) throw new Error('both are admitted')
  first.release()
  first.release()
  t.match(await limiter.admit(anna), { ok: true })
  t.match(await limiter.admit(anna), { ok: false }, 'releasing twice gave back one slot')
})

t.test('concurrency: streams that stay open have slots of their own', async (t) => {
  const { store } = open()
  const limiter = limiterOver(store, [
    { id: 'org', by: ['org'], concurrency: 2 },
    { id: 'mine', by: ['principal'], concurrency: 1 },
  ])
  const standing = await limiter.admit({ ...anna, standing: true })
  const request = await limiter.admit(anna)
  if (!standing.ok || !request.ok) throw new Error('both are admitted')
  t.match(await limiter.admit({ ...anna, standing: true }), { ok: false, limit: 'mine' })
  t.equal(request.stand(), 'mine', 'all of its slots are taken')
  t.match(await limiter.admit(anna), { ok: false }, 'so it has kept its own')
  standing.release()
  t.equal(request.stand(), undefined)
  t.match(await limiter.admit({ ...anna, standing: true }), { ok: false, limit: 'mine' })
  const next = await limiter.admit(anna)
  t.match(next, { ok: true })
  request.release()
  request.release()
  if (next.ok) next.release()
  t.equal(store.slots.size, 0)
})

t.test('a refusal holds no slot, whichever limit refused', async (t) => {
  const { clock, store } = open()
  const limiter = limiterOver(store, [
    { id: 'org', by: ['org'], concurrency: 10 },
    { id: 'mine', by: ['principal'], concurrency: 1 },
    { id: 'rate', by: ['principal'], requests: '1/m' },
  ])
  const admitted = await limiter.admit(anna)
  t.equal(store.slots.size, 2)
  t.match(await limiter.admit(anna), { ok: false, limit: 'mine' })
  if (admitted.ok) admitted.release()
  t.equal(store.slots.size, 0)
  t.match(await limiter.admit(anna), { ok: false, limit: 'rate' })
  t.equal(store.slots.size, 0)
  clock.advance(60_000)
  t.match(await limiter.admit(anna), { ok: true })
})

const call: Demand = { model: 'gpt-4o', actions: ['model.call'], tools: [], inputTokens: 100, answers: 1 }

/** Both steps of a request that asks a model. */
async function ask(limiter: Limiter, subject: LimitSubject, demand: Demand = call): Promise<Admission> {
  const admission = await limiter.admit(subject)
  return admission.ok && admission.reserve !== undefined ? admission.reserve(demand) : admission
}

t.test('where a limit must know the body, all are asked then, in one step', async (t) => {
  const { store } = open()
  const limiter = limiterOver(store, [
    { id: 'head', by: ['principal'], requests: '3/m' },
    { id: 'body', by: ['model', 'principal'], requests: '1/m' },
  ])
  t.match(await ask(limiter, anna), { ok: true, states: [{ limit: 'head', remaining: 2 }, { limit: 'body' }] })
  for (let i = 0; i < 5; i++) t.match(await ask(limiter, anna), { ok: false, limit: 'body' })
  t.match(await ask(limiter, anna, { ...call, model: 'gpt-5' }), { ok: true, states: [{ remaining: 1 }, {}] })
  t.match(await limiter.admit(anna), { ok: true, states: [] }, 'nothing is asked before')
  const early = await limiter.admit(anna)
  if (!early.ok) throw new Error('nothing is counted before')
  early.release()
  early.release()
  t.match(
    await ask(limiter, anna, { ...call, model: 'gpt-6' }),
    { ok: false, limit: 'head' },
    'it ended early, and counts',
  )
  t.match(
    await limiter.admit(anna),
    { ok: false, limit: 'head', code: 'rate-limited', states: [{ remaining: 0 }] },
    'what is full already need not wait for the body',
  )
})

t.test('a limit applies where its filters say', async (t) => {
  const { store } = open()
  const limiter = limiterOver(store, [
    { id: 'a', by: ['principal'], requests: '1/m', routes: ['openai'] },
    { id: 'b', by: ['principal'], requests: '1/m', upstreams: ['crm'], principals: ['nobody'] },
  ])
  t.match(await limiter.admit(anna), { ok: true, states: [{ limit: 'a' }] })
  t.same(await limiter.admit(ben), {
    ok: true,
    states: [],
    open: [],
    exceeded: [],
    release: () => undefined,
    stand: () => undefined,
  })
})

t.test('counts and slots survive a reload; a changed rate starts afresh', async (t) => {
  const { store } = open()
  const before: LimitOptions[] = [
    { id: 'rate', by: ['principal', 'route'], requests: '1/m' },
    { id: 'flight', by: ['principal'], concurrency: 1 },
  ]
  const first = await limiterOver(store, before).admit(anna)
  const after: LimitOptions[] = [
    { id: 'rate', by: ['route', 'principal'], requests: '1/m' },
    { id: 'flight', by: ['principal'], concurrency: 2 },
  ]
  t.match(await limiterOver(store, after).admit(anna), { ok: false, limit: 'rate' })
  t.match(await limiterOver(store, before).admit(anna), { ok: false, limit: 'flight' })
  if (first.ok) first.release()
  t.match(await limiterOver(store, [{ id: 'rate', by: ['principal', 'route'], requests: '2/m' }]).admit(anna), {
    ok: true,
  })
})

t.test('principals without an org share one count', async (t) => {
  const { store } = open()
  const limiter = limiterOver(store, [{ id: 'org', by: ['org'], requests: '1/m' }])
  const { org: _, ...stray } = anna
  t.match(await limiter.admit(stray), { ok: true })
  t.match(await limiter.admit({ ...stray, principal: 'other' }), { ok: false })
  t.match(await limiter.admit({ ...stray, org: '-' }), { ok: true }, 'an org called - is not no org')
})

t.test('a flood of addresses cannot push out principals, and giving up counts is flagged', async (t) => {
  const { clock, store, events } = open(8)
  const limiter = limiterOver(store, [
    { id: 'ip', by: ['ip'], requests: '1/m' },
    { id: 'key', by: ['principal'], requests: '1/m', principals: ['anna'] },
  ])
  await limiter.admit(anna)
  const opened: string[] = []
  for (let i = 0; i < 1000; i++) {
    clock.advance(1)
    const admission = await limiter.admit({ ...ben, ip: `10.9.${i >> 8}.${i & 255}` })
    opened.push(...admission.open)
    t.ok(store.memory.size <= 9, 'bounded')
  }
  t.ok(opened.length > 0 && opened.every((what) => what === 'store:ip'))
  t.same(events[0], { kind: 'open', limit: 'ip', how: 'forgotten' })
  t.match(await limiter.admit({ ...anna, ip: '10.8.0.1' }), { ok: false, limit: 'key' })
})

t.test('nothing is left behind once windows have ended', async (t) => {
  const { clock, store } = open()
  const limiter = limiterOver(store, [{ id: 'ip', by: ['ip'], requests: '5/10s' }])
  for (let i = 0; i < 100; i++) await limiter.admit({ ...anna, ip: `10.0.0.${i}` })
  t.equal(store.memory.size, 100)
  clock.advance(60_000)
  t.equal(store.memory.size, 0)
  t.equal(clock.waiting, 0, 'no timer stays when there is nothing to sweep')
})
