// To whom limits apply and what they count: filters, several dimensions, shadow mode, units, and routes with several upstreams.
import t from 'tap'
import { compileLimits } from '../../../proxy/limits/compile.ts'
import type { Admission, Admitted, Demand, LimitSubject, Spent } from '../../../proxy/limits/limiter.ts'
import { openLimiter } from '../../../proxy/limits/open-limiter.ts'
import type { LimitOptions } from '../../../proxy/limits/options.ts'
import { RedisCounters, type RedisClient } from '../../../proxy/limits/redis.ts'
import { openStore, type Store } from '../../../proxy/limits/store.ts'
import { compileGlob } from '../../../proxy/policy/glob.ts'
import { ManualClock } from '../../support/clock.ts'

const anna: LimitSubject = {
  principal: 'anna',
  org: 'acme',
  team: 'growth',
  roles: ['writer', 'admin'],
  ip: '10.0.0.1',
  route: 'openai',
  upstream: 'openai',
}
const chat: Demand = {
  model: 'gpt-4o',
  actions: ['model.call'],
  tools: [],
  inputTokens: 100,
  outputTokensMax: 100,
  answers: 1,
}
const toolCall = (tool: string): Demand => ({ actions: ['tool.call'], tools: [tool], inputTokens: 0, answers: 1 })
const spent: Spent = { input: 10, output: 5, cacheRead: 2, cacheWrite: 1, bytes: 70 }

function world(limits: readonly LimitOptions[], store = memory()) {
  const { plan, problems } = compileLimits(limits, [], { patterns: compileGlob })
  const errors = problems.filter(({ severity }) => severity === 'error')
  t.same(errors, [])
  const limiter = openLimiter(plan, store)
  const ask = async (subject: LimitSubject = anna, demand: Demand = chat): Promise<Admission> => {
    const head = await limiter.admit(subject)
    return head.ok && head.reserve !== undefined ? head.reserve(demand) : head
  }
  const applying = async (subject: LimitSubject = anna, demand: Demand = chat): Promise<string[]> => {
    const admission = await ask(subject, demand)
    return admission.states.map(({ limit }) => limit)
  }
  return { limiter, ask, applying, store }
}

function memory(): Store {
  return openStore({ replicas: 1 }, { clock: new ManualClock(), onEvent: () => undefined, resolveSecret: () => '' })
}

/** Redis is not there. */
function away(replicas = 1): Store {
  const nobody = { status: 'end', on: () => undefined, off: () => undefined, disconnect: () => undefined }
  const plan = { replicas, redis: { servers: { url: '' }, tls: false, timeoutMs: 50, prefix: '' } }
  const connect = (): RedisClient => nobody as unknown as RedisClient
  return openStore(plan, { clock: new ManualClock(), onEvent: () => undefined, resolveSecret: () => '', connect })
}

function admitted(admission: Admission): Admitted {
  if (!admission.ok) throw new Error(`refused by ${admission.limit}`)
  return admission
}

t.test('what ends before it is asked about counts the bytes that came of it', async (t) => {
  const { limiter } = world([
    { id: 'bytes', by: ['principal'], bytes: '1000/m' },
    { id: 'calls', by: ['principal'], toolCalls: '9/m' },
  ])
  const leftOf = async (demand: Demand): Promise<number | undefined> => {
    const head = admitted(await limiter.admit({ ...anna, bytes: 400 }))
    const admission = admitted((await head.reserve?.(demand)) ?? head)
    admission.settle?.({ ...spent, bytes: 0 })
    return admission.states.find(({ limit }) => limit === 'bytes')?.remaining
  }
  const early = admitted(await limiter.admit({ ...anna, bytes: 400 }))
  early.settle?.({ ...spent, bytes: 70 })
  early.release()
  t.equal(await leftOf(chat), 1000 - 70 - 400, 'announced')
  t.equal(await leftOf({ ...chat, bytes: 30 }), 1000 - 70 - 30, 'not announced, and here now')
})

t.test('where no maximum can be sent on, none is believed', async (t) => {
  const { ask } = world([{ id: 'out', by: ['org'], outputTokens: '10k/m', assumedTokens: 3000, maxTokens: 500 }])
  t.equal((await ask(anna, { ...chat, outputTokensMax: 1 })).states[0]?.remaining, 9999)
  t.equal((await ask(anna, { ...chat, outputTokensMax: 1, unbounded: true })).states[0]?.remaining, 6999)
})

t.test('limits are matched like rules', async (t) => {
  const { applying } = world([
    { id: 'people', by: ['org'], requests: '9/m', principals: ['an*'] },
    { id: 'teams', by: ['org'], requests: '9/m', teams: ['sales'] },
    { id: 'admins', by: ['org'], requests: '9/m', roles: ['admin'] },
    { id: 'models', by: ['org'], requests: '9/m', models: ['gpt-*', 'claude-*'] },
    { id: 'tools', by: ['org'], requests: '9/m', tools: ['github/delete_*'] },
    { id: 'calls', by: ['org'], requests: '9/m', actions: ['tool.call'] },
  ])
  t.same(await applying(), ['people', 'admins', 'models'])
  t.same(await applying({ ...anna, principal: 'ben', team: 'sales', roles: [] }, toolCall('github/delete_repo')), [
    'teams',
    'tools',
    'calls',
  ])
  const { team: _, ...stray } = anna
  t.same(await applying(stray, { ...chat, model: 'o3' }), ['people', 'admins'])
  const { model: __, ...unnamed } = chat
  t.same(await applying(stray, unnamed), ['people', 'admins', 'models'], 'a model that is not named may be any')
})

t.test('of several counts of one limit the tightest is told', async (t) => {
  const { ask } = world([{ id: 'role', by: ['role'], requests: '5/m', bytes: '1000/m' }])
  await ask({ ...anna, roles: ['writer'] })
  const { states } = await ask({ ...anna, bytes: 10 })
  t.match(states, [
    { limit: 'role', remaining: 3 },
    { limit: 'role', unit: 'bytes', remaining: 990 },
  ])
  t.equal(states.length, 2, 'a name stands there once')
})

t.test('one count for each role, and for each tool', async (t) => {
  const { ask } = world([
    { id: 'role', by: ['role'], requests: '2/m', roles: ['admin'] },
    { id: 'tool', by: ['principal', 'tool'], toolCalls: '1/m' },
  ])
  t.match(await ask(anna, toolCall('a')), {
    ok: true,
    states: [{ limit: 'role' }, { limit: 'tool', unit: 'toolCalls' }],
  })
  t.match(await ask(anna, toolCall('a')), { ok: false, limit: 'tool' })
  t.match(await ask({ ...anna, principal: 'ben' }, toolCall('b')), { ok: true }, 'counted by principal, too')
  t.match(await ask({ ...anna, principal: 'eve', roles: ['admin', 'x'] }, toolCall('c')), { ok: false, limit: 'role' })
  t.match(await ask({ ...anna, roles: ['x'] }, chat), { ok: true, states: [] }, 'no tool is called, no role is counted')
})

t.test('in shadow mode nothing is refused, and it is told', async (t) => {
  const { ask, store } = world([
    { id: 'watched', by: ['principal'], requests: '1/m', concurrency: 1, mode: 'shadow' },
    { id: 'money', by: ['principal'], cost: '1/m', mode: 'shadow' },
    { id: 'real', by: ['principal'], requests: '2/m' },
  ])
  t.match(await ask(), { ok: true, exceeded: [], states: [{ limit: 'real' }] })
  const second = admitted(await ask(anna, { ...chat, model: 'mystery' }))
  t.same(second.exceeded, ['watched', 'money'], 'an unknown price refuses nothing here')
  t.match(await ask(), { ok: false, limit: 'real' })
  t.equal(store.slots.size, 1)
})

t.test('in shadow mode nothing is refused without the store, and it is told', async (t) => {
  const limit = { by: ['principal'], requests: '9/m', mode: 'shadow' } as const
  const { ask } = world(
    [
      { id: 'strict', ...limit, onStoreError: 'deny' },
      { id: 'lax', ...limit },
    ],
    away(),
  )
  t.match(await ask(), { ok: true, exceeded: ['strict'], open: ['store:lax'] })
})

t.test('each unit is reserved and put right', async (t) => {
  const { ask } = world([
    { id: 'all', by: ['principal'], tokens: '1000/m' },
    { id: 'in', by: ['principal'], inputTokens: '1000/m' },
    { id: 'out', by: ['principal'], outputTokens: '1000/m' },
    { id: 'bytes', by: ['principal'], bytes: '1000/m' },
    { id: 'cost', by: ['principal'], cost: '1/m' },
  ])
  const remaining = (admission: Admission): number[] => admission.states.map((state) => state.remaining)
  const first = admitted(await ask({ ...anna, bytes: 300 }))
  t.same(remaining(first), [800, 900, 900, 700, 1e9 - (100 * 2500 + 100 * 10_000)])
  first.settle?.(spent)
  const usedNanos = 10 * 2500 + 5 * 10_000 + 2 * 1250 + 1 * 2500
  const second = admitted(await ask({ ...anna, bytes: 1 }))
  t.same(remaining(second), [
    1000 - 18 - 200,
    1000 - 13 - 100,
    1000 - 5 - 100,
    1000 - 70 - 1,
    1e9 - usedNanos - 1_250_000,
  ])
  second.settle?.({ ...spent, input: 0, output: 0, cacheRead: 0, cacheWrite: 0, bytes: 5000 })
  t.match(await ask(), { ok: false, limit: 'bytes' }, 'answers count once they are over')
})

t.test('what takes none of it passes a limit that is used up, and however large it is', async (t) => {
  const { ask } = world([
    { id: 'calls', by: ['principal'], toolCalls: '1/m' },
    { id: 'tokens', by: ['principal'], tokens: '300/m' },
    { id: 'spend', by: ['principal'], cost: '0.00125/d' },
  ])
  const large = { ...toolCall('write_file'), inputTokens: 100_000 }
  t.match(await ask(anna, large), { ok: true, states: [{ limit: 'calls', remaining: 0 }] })
  t.match(await ask(anna, large), { ok: false, limit: 'calls' })
  t.match(await ask(), { ok: true, states: [{ limit: 'tokens', remaining: 100 }, { limit: 'spend' }] })
  t.match(await ask(), { ok: false })
  t.match(await ask(anna, { ...chat, actions: [] }), { ok: true, states: [] }, 'a list of models')
  const other = world([{ id: 'spend', by: ['principal'], cost: '0.00125/d' }])
  t.match(await other.ask(), { ok: true })
  t.match(await other.ask(), { ok: false, limit: 'spend' })
  t.match(await other.ask(anna, large), { ok: true, states: [] })
})

t.test('what goes on is counted as it goes on', async (t) => {
  const { ask } = world([{ id: 'tokens', by: ['principal'], tokens: '100/m' }])
  const silent = { ...chat, inputTokens: 0, outputTokensMax: 0 }
  const talk = admitted(await ask(anna, silent))
  for (const input of [10, 40, 40]) talk.settle?.({ ...spent, input, output: 0, cacheRead: 0, cacheWrite: 0 })
  t.match(await ask(anna, silent), { ok: true, states: [{ remaining: 60 }] })
  talk.settle?.({ ...spent, input: 100, output: 5 })
  t.match(await ask(anna, silent), { ok: false, limit: 'tokens' }, 'there is no room for another answer')
})

t.test('what no maximum is named for is assumed, and bounded', async (t) => {
  const { ask } = world([
    { id: 'assumed', by: ['principal'], outputTokens: '10k/m' },
    { id: 'bounded', by: ['principal'], outputTokens: '10k/m', maxTokens: 500 },
    { id: 'own', by: ['principal'], outputTokens: '10k/m', assumedTokens: 100 },
  ])
  const { outputTokensMax: _, ...open } = chat
  const first = admitted(await ask(anna, { ...open, answers: 2 }))
  t.same(
    first.states.map(({ remaining }) => remaining),
    [10_000 - 2 * 4096, 10_000 - 2 * 500, 10_000 - 2 * 100],
  )
  t.equal(first.maxTokens, 500)
  t.same(admitted(await ask(anna, { ...open, actions: [] })).states, [], 'a listing writes nothing')
})

t.test('prices: unknown ones refuse or are the dearest, never nothing', async (t) => {
  const { ask } = world([
    { id: 'strict', by: ['principal'], cost: '100/d', models: ['a*'] },
    { id: 'lax', by: ['principal'], cost: '100/d', models: ['b*'], onUnknownPrice: 'estimate' },
  ])
  t.same(await ask(anna, { ...chat, model: 'a1' }), {
    ok: false,
    code: 'price-unknown',
    limit: 'strict',
    retryAfterMs: 0,
    states: [],
    open: [],
  })
  const { states } = await ask(anna, { ...chat, model: 'b1' })
  t.ok((states[0]?.remaining ?? 1e11) < 1e11 - 100 * 30_000, 'at least as much as the dearest in the list')
})

t.test('another upstream that stands in is asked about its own limits, and the request counts once', async (t) => {
  const { limiter } = world([
    { id: 'all', by: ['principal'], requests: '9/m', tokens: '1000/m' },
    { id: 'first', by: ['upstream'], requests: '9/m', upstreams: ['openai'], concurrency: 5 },
    { id: 'second', by: ['upstream'], requests: '1/m', upstreams: ['azure'] },
  ])
  const several: LimitSubject = { ...anna, severalUpstreams: true }
  const request = async (): Promise<{ head: Admitted; next: (upstream: string) => Promise<Admission> }> => {
    const head = admitted(await limiter.admit(several))
    return {
      head,
      next: async (upstream) => {
        if (head.reserve === undefined) throw new Error('all wait')
        return head.reserve(chat, upstream)
      },
    }
  }
  const one = await request()
  t.match(await one.next('openai'), { ok: true, states: [{ remaining: 8 }, { remaining: 800 }, { limit: 'first' }] })
  const second = await one.next('azure')
  t.match(second, {
    ok: true,
    states: [
      { limit: 'all', quota: 9, remaining: 8 },
      { limit: 'all', unit: 'tokens', remaining: 800 },
      { limit: 'second', remaining: 0 },
    ],
  })
  one.head.release()
  const two = await request()
  t.match(await two.next('openai'), { ok: true, states: [{ remaining: 7 }, { remaining: 600 }, { remaining: 7 }] })
  t.match(await two.next('azure'), { ok: false, limit: 'second' })
})

t.test('without Redis each of several gateways counts its part', async (t) => {
  const store = away(4)
  t.ok(store.redis instanceof RedisCounters)
  const { ask } = world([{ id: 'shared', by: ['principal'], requests: '10/m' }], store)
  t.match(await ask(), { ok: true, open: ['store:shared'], states: [{ quota: 2, remaining: 1 }] })
  t.match(await ask(), { ok: true })
  t.match(await ask(), { ok: false, limit: 'shared', open: ['store:shared'] })
})
