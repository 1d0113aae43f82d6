import { Ajv } from 'ajv'
import t from 'tap'
import { compileLimits } from '../../../proxy/limits/compile.ts'
import { compileStore } from '../../../proxy/limits/compile-store.ts'
import { limitsSchema, storeSchema, type LimitOptions } from '../../../proxy/limits/options.ts'

const ajv = new Ajv({ allErrors: true })
const limitsValid = ajv.compile(limitsSchema)
const storeValid = ajv.compile(storeSchema)

t.test('the schema takes what the interface shows, and nothing else', async (t) => {
  t.ok(limitsValid([{ id: 'per-key', by: ['principal'], requests: '600/m' }]))
  t.ok(limitsValid([{ id: 'tokens', by: ['principal', 'model'], tokens: '100k/m', concurrency: 8 }]))
  t.ok(limitsValid([{ id: 'spend', by: ['org'], cost: '50/d', onStoreError: 'deny' }]))
  for (const bad of [
    { by: ['principal'], requests: '1/m' },
    { id: 'x', requests: '1/m' },
    { id: 'x', by: [], requests: '1/m' },
    { id: 'x', by: ['user'], requests: '1/m' },
    { id: 'x', by: ['ip', 'ip'], requests: '1/m' },
    { id: 'x', by: ['ip'], requests: '1 per minute' },
    { id: 'x', by: ['ip'], requests: 60 },
    { id: 'x', by: ['ip'], concurrency: 0 },
    { id: 'x', by: ['ip'], request: '1/m' },
    { id: 'x y', by: ['ip'], requests: '1/m' },
    { id: 'x', by: ['ip'], requests: '1/m', onStoreError: 'open' },
  ]) {
    t.notOk(limitsValid([bad]), JSON.stringify(bad))
  }
  t.ok(storeValid({ redis: { url: 'redis://127.0.0.1:6379', timeout: '50ms' } }))
  t.ok(storeValid({ redis: { url: 'rediss://r', password: { fromEnv: 'P' }, username: 'u', prefix: 'gw:' } }))
  for (const bad of [
    { memory: {} },
    { redis: { url: 'r', password: 'secret' } },
    { redis: { url: 'r', timeout: 50 } },
  ]) {
    t.notOk(storeValid(bad), JSON.stringify(bad))
  }
})

function problems(...options: LimitOptions[]): string[] {
  return compileLimits(options, ['limits']).problems.map(
    ({ path, message, severity }) => `${severity} ${path.join('/')}: ${message}`,
  )
}

t.test('what is wrong with limits', async (t) => {
  t.same(problems({ id: 'a', by: ['ip'], requests: '1/m' }, { id: 'a', by: ['org'], requests: '1/m' }), [
    'error limits/1/id: the limit id "a" is used twice',
  ])
  t.same(problems({ id: 'a', by: ['ip'] }), ['error limits/0: the limit "a" limits nothing'])
  t.same(problems({ id: 'a', by: ['user' as 'ip'], requests: '1/m' }), [
    'error limits/0/by/0: limits cannot be counted by "user"',
  ])
  t.same(problems({ id: 'a', by: ['ip'], requests: '0/m' }), ['error limits/0/requests: "0/m" is not a rate'])
  t.same(problems({ id: 'a', by: ['ip'], requests: '0.5/h' }), [
    'error limits/0/requests: "0.5/h" is not a whole number of requests',
  ])
  t.same(problems({ id: 'a', by: ['ip'], tokens: '0.0001k/m' }), [
    'error limits/0/tokens: "0.0001k/m" is not a whole number of tokens',
  ])
  t.same(problems({ id: 'a', by: ['org'], cost: '0.5/h' }), [], 'money is counted in small parts')
  t.same(problems({ id: 'a', by: ['org'], cost: '999999M/d' }), [
    'error limits/0/cost: "999999M/d" is more than can be counted',
  ])
  t.same(problems({ id: 'a', by: ['org'], requests: '5/2d', window: 'calendar' }), [
    'error limits/0/requests: the calendar knows no window as in "5/2d"',
  ])
  t.same(problems({ id: 'a', by: ['org'], requests: '5/month', window: 'sliding' }), [
    'error limits/0/requests: a month is counted by the calendar',
  ])
  t.same(problems({ id: 'a', by: ['org'], requests: '5/m', window: 'sliding', burst: 2 }), [
    'error limits/0/requests: a burst is counted with neither a window nor months',
  ])
  t.same(problems({ id: 'a', by: ['org'], requests: '5/d', timezone: 'Europe/Atlantis' }), [
    'error limits/0/timezone: there is no time zone "Europe/Atlantis"',
  ])
  t.same(problems({ id: 'a', by: ['org'], requests: '5/d', maxTokens: 5 }), [
    'error limits/0/maxTokens: maxTokens bounds what is reserved, and this limit reserves no output',
  ])
  t.match(problems({ id: 'a', by: ['org'], requests: '5/d', onUnknownPrice: 'estimate' }), [
    /^warning limits\/0\/onUnknownPrice: /,
  ])
  t.match(problems({ id: 'a', by: ['ip'], concurrency: 1, onStoreError: 'deny' }), [
    /^warning limits\/0\/onStoreError: /,
  ])
  t.same(problems({ id: 'a', by: ['org'], tokens: '1000/m' }), [
    'warning limits/0/tokens: requests that name no maximum reserve 4096 output tokens, and 1000 never hold them',
  ])
  t.match(problems({ id: 'a', by: ['org'], outputTokens: '100k/m', burst: 1000 }), [
    /^warning limits\/0\/outputTokens: /,
  ])
  for (const more of [{ assumedTokens: 500 }, { maxTokens: 500 }])
    t.same(problems({ id: 'a', by: ['org'], tokens: '1000/m', ...more }), [])
  t.same(problems({ id: 'a', by: ['org'], inputTokens: '1000/m' }), [], 'no output is reserved')
  t.same(problems({ id: 'a', by: ['ip'], requests: '1.5k/m' }), [])
})

t.test('a limit with an error is not half compiled', async (t) => {
  const { plan } = compileLimits(
    [
      { id: 'a', by: ['ip'], requests: '1/m', cost: '1/w' },
      { id: 'b', by: ['model', 'ip'], requests: '2/s' },
    ],
    [],
  )
  t.match(plan, [
    {
      id: 'b',
      by: ['ip', 'model'],
      phase: 'body',
      quotas: [{ unit: 'requests', quota: 2, window: { kind: 'first', lengthMs: 1000 } }],
      onStoreError: 'local',
    },
  ])
  t.equal(plan.length, 1)
})

t.test('filters name what exists', async (t) => {
  const references = {
    principals: new Set(['anna']),
    routes: new Set(['openai']),
  }
  const limit: LimitOptions = {
    id: 'a',
    by: ['ip'],
    requests: '1/m',
    principals: ['anna'],
    routes: ['opnai'],
    upstreams: ['any'],
  }
  t.same(compileLimits([limit], [], references).problems, [
    { path: [0, 'routes', 0], message: 'there is no route "opnai"', hint: 'did you mean "openai"?', severity: 'error' },
  ])
})

t.test('the store', async (t) => {
  t.same(compileStore(undefined, ['store']), { plan: { replicas: 1 }, problems: [] })
  t.same(compileStore({}, ['store']), { plan: { replicas: 1 }, problems: [] })
  t.same(compileStore({ redis: { url: 'redis://127.0.0.1:6379/2' } }, ['store']), {
    plan: {
      replicas: 1,
      redis: {
        servers: { url: 'redis://127.0.0.1:6379/2' },
        url: 'redis://127.0.0.1:6379/2',
        tls: false,
        timeoutMs: 50,
        prefix: 'gatewright:',
      },
    },
    problems: [],
  })
  const wrong = (url: string, timeout?: string) =>
    compileStore({ redis: { url, ...(timeout === undefined ? {} : { timeout }) } }, ['store']).problems
  for (const url of ['http://:hunter2@x', 'redis:', 'hunter2', 'redis://:hunter2@h/0?db=1', 'redis://h/hunter2']) {
    t.match(wrong(url), [{ path: ['store', 'redis', 'url'], severity: 'error' }], url)
    t.notMatch(JSON.stringify(wrong(url)), /hunter2/)
  }
  for (const timeout of ['0ms', '2s', 'soon'])
    t.match(wrong('redis://h', timeout), [{ path: ['store', 'redis', 'timeout'] }])
  t.same(wrong('rediss://user:hunter2@h:6380/15', '100ms'), [])
})
