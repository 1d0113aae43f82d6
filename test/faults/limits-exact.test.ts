// What is settled is what providers say was used: ten thousand calls in every format through the pipeline, with clients that
// leave and upstreams that fail, counted in memory and in Redis. There are no sockets, so that it is quick.
import t from 'tap'
import { Fault } from '../../proxy/errors.ts'
import { systemClock } from '../../proxy/lib/clock.ts'
import { compileLimits } from '../../proxy/limits/compile.ts'
import { compileStore } from '../../proxy/limits/compile-store.ts'
import { openLimiter } from '../../proxy/limits/open-limiter.ts'
import type { LimitOptions } from '../../proxy/limits/options.ts'
import { costNanos, openPrices } from '../../proxy/limits/prices.ts'
import { openStore, type Store } from '../../proxy/limits/store.ts'
import type { Client } from '../../proxy/pipeline/client.ts'
import { openExchange } from '../../proxy/pipeline/exchange.ts'
import { run } from '../../proxy/pipeline/pipeline.ts'
import type { Route, Runtime } from '../../proxy/pipeline/runtime.ts'
import { tokensOf } from '../../proxy/pipeline/token-estimate.ts'
import type { UpstreamAnswer } from '../../proxy/upstream/answer.ts'
import { billedFormats, type Bill, type BilledFormat } from '../support/billed-formats.ts'
import { findProgram, missing } from '../support/debian.ts'
import { startRedis } from '../support/redis.ts'
import { chunks, openBack } from '../unit/pipeline/answered.ts'

const binary = findProgram('redis-server')
const skip = binary === undefined && missing('redis-server')

t.setTimeout(180_000)

/** What a busy machine makes of a command must not look like an outage. */
const patienceMs = 60_000
const calls = 10_000
const atOnce = 40
const limits: LimitOptions[] = [
  { id: 'tokens', by: ['principal'], tokens: '900M/30d' },
  { id: 'input', by: ['principal'], inputTokens: '900M/30d' },
  { id: 'output', by: ['principal'], outputTokens: '900M/30d', window: 'sliding' },
  { id: 'cost', by: ['principal'], cost: '100k/30d' },
  { id: 'requests', by: ['principal'], requests: '900M/30d' },
]
const prices = openPrices([{ matches: (name) => name.startsWith('llama'), price: { input: 0.1, output: 0.2 } }])
const { plan } = compileLimits(limits, [], {}, prices)
const configured = limits.map(
  ({ id, by, ...more }) =>
    `{ id: ${id}, by: [${by.join()}], ${Object.entries(more)
      .map(([k, v]) => `${k}: ${String(v)}`)
      .join()} }`,
)
const { runtime } = openBack(`
rules: [{ id: all, effect: allow, actions: [model.call], models: ["*"] }]
limits: [${configured.join()}]`)

/**
 * What happens to a call, decided by its number: 5 % of each format fail, and a quarter of the streams is left in the middle,
 * which is more than 10 % of all.
 */
type Call = {
  readonly n: number
  readonly format: BilledFormat
  readonly fails?: 'connection' | 'status' | 'truncated'
  readonly leaves: boolean
}

function callOf(n: number): Call {
  const format = billedFormats[n % billedFormats.length] as BilledFormat
  const round = Math.floor(n / billedFormats.length)
  const ways = ['connection', 'status', format.said === undefined ? 'status' : 'truncated'] as const
  const way = ways[Math.floor(round / 20) % 3]
  if (round % 20 === 7 && way !== undefined) return { n, format, fails: way, leaves: false }
  return { n, format, leaves: format.said !== undefined && round % 4 === 1 }
}

const question = (n: number): string => `question ${n}`

/** What the provider says it has billed. */
class Ledger {
  input = 0
  output = 0
  costNanos = 0
  calls = 0

  add({ model, cachedInputApart }: BilledFormat, { input, output, cacheRead, cacheWrite }: Bill): void {
    this.calls += 1
    this.input += cachedInputApart === true ? input + cacheRead + cacheWrite : input
    this.output += output
    const price = prices.of(model)
    if (price === undefined) throw new Error(`no price of ${model}`)
    const fresh = cachedInputApart === true ? input : input - cacheRead - cacheWrite
    this.costNanos += costNanos(price, { input: fresh, output, cacheRead, cacheWrite })
  }
}

function answerTo({ n, format, fails, leaves }: Call, asked: boolean, ledger: Ledger): UpstreamAnswer {
  if (fails === 'status') return answer(500, 'application/json', ['{"error":{"message":"no"}}'])
  const bill = format.reports({ input: 100 + (n % 37), output: 200 + (n % 53), cacheRead: n % 7, cacheWrite: n % 5 })
  const pieces = format.answer(bill, asked)
  const { said } = format
  if (said === undefined || (fails === undefined && !leaves)) {
    ledger.add(format, bill)
    return answer(200, format.type, pieces)
  }
  // Of the input a provider that has not told yet is taken to have read what we estimate.
  const read = { input: tokensOf(question(n)) + 4, cacheRead: 0, cacheWrite: 0 }
  ledger.add(format, { ...(said.early ? bill : { ...bill, ...read }), output: said.tokens })
  return answer(200, format.type, fails === undefined ? pieces : pieces.slice(0, said.piece + 1))
}

function answer(status: number, type: string, pieces: readonly string[]): UpstreamAnswer {
  return {
    status,
    headers: ['content-type', type],
    contentLength: undefined,
    body: chunks(pieces.map((piece) => Buffer.from(piece))),
    settle: () => undefined,
    attempts: [],
  }
}

/** Takes `pieces` and goes. */
class Caller implements Client {
  readonly signal = new AbortController().signal
  readonly gone = false
  readonly bytesIn = 0
  readonly bytesOut = 0
  readonly hasBody = true
  headSent = false
  status = 0
  readonly #body: Uint8Array
  #pieces: number

  constructor(body: Uint8Array, pieces: number) {
    this.#body = body
    this.#pieces = pieces
  }

  readBody(): Promise<Uint8Array> {
    return Promise.resolve(this.#body)
  }

  async *streamBody(): AsyncGenerator<Uint8Array> {
    yield this.#body
  }

  start(status: number): void {
    this.headSent = true
    this.status = status
  }

  write(): undefined {
    if ((this.#pieces -= 1) < 0) throw new Fault('client-aborted')
  }

  flush(): void {}
  end(): void {}
  flushed(): undefined {}
  destroy(): void {}
  breakOff(): void {}
}

async function make({ n, format, leaves }: Call, counted: Runtime): Promise<number> {
  const [path = '', query = ''] = format.path.split('?')
  const body = Buffer.from(JSON.stringify({ model: format.model, ...format.request(question(n)) }))
  const client = new Caller(body, leaves ? (format.said?.piece ?? 0) : Number.POSITIVE_INFINITY)
  const headers = ['content-type', 'application/json', 'x-call', String(n)]
  const head = { method: 'POST', path, query, headers, ip: '127.0.0.1' }
  await run(openExchange(`req_${n}`, head, counted.clock.monotonic()), counted, client)
  return client.status
}

async function makeAll(store: Store, ledger: Ledger): Promise<number[]> {
  const routes = runtime.routes.map((route): Route => {
    const send: Route['upstream']['send'] = ({ headers, body }) => {
      const call = callOf(Number(headers[headers.indexOf('x-call') + 1]))
      if (call.fails === 'connection') return Promise.reject(new Fault('upstream-unreachable'))
      const asked = Buffer.isBuffer(body) && body.includes('"include_usage":true')
      return Promise.resolve(answerTo(call, asked, ledger))
    }
    return { ...route, upstream: { ...route.upstream, send } }
  })
  const counted: Runtime = { ...runtime, routes, limiter: openLimiter(plan, store), clock: systemClock }
  const statuses: number[] = []
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < calls) statuses.push(await make(callOf(next++), counted))
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  return statuses
}

async function usedOf(store: Store): Promise<Record<string, number>> {
  const used: Record<string, number> = {}
  for (const { id, quotas } of plan) {
    for (const { unit, quota, window, namespace } of quotas) {
      const charge = { namespace, key: '5:agent', quota, window, amount: 0 }
      const taken = store.redis === undefined ? store.memory.take([charge]) : await store.redis.take([charge])
      used[`${id} ${unit}`] = taken?.counts[0]?.used ?? -1
    }
  }
  return used
}

for (const where of ['memory', 'redis'] as const) {
  t.test(`settled is what was used, in ${where}`, { skip: where === 'redis' && skip }, async (t) => {
    const server = where === 'redis' && binary !== undefined ? await startRedis(binary) : undefined
    t.teardown(() => server?.close())
    const { plan } = compileStore(server === undefined ? undefined : { redis: { url: server.url } }, [])
    const patient = plan.redis === undefined ? plan : { ...plan, redis: { ...plan.redis, timeoutMs: patienceMs } }
    const store = openStore(patient, { clock: systemClock, onEvent: () => undefined, resolveSecret: () => '' })
    t.teardown(() => store.close())
    await store.ready(5000)
    const ledger = new Ledger()
    const statuses = await makeAll(store, ledger)
    const counted = Array.from({ length: calls }, (_, n) => callOf(n))
    const refused = counted.filter(({ fails }) => fails === 'connection' || fails === 'status').length
    t.equal(statuses.filter((status) => status >= 500).length, refused)
    t.equal(statuses.filter((status) => status === 200).length, calls - refused)
    t.equal(ledger.calls, calls - refused)
    t.ok(counted.filter(({ leaves }) => leaves).length >= calls / 10)
    t.ok(counted.filter(({ fails }) => fails !== undefined).length >= (calls / 20) * 0.95)
    t.same(await usedOf(store), {
      'tokens tokens': ledger.input + ledger.output,
      'input inputTokens': ledger.input,
      'output outputTokens': ledger.output,
      'cost cost': ledger.costNanos,
      'requests requests': calls,
    })
  })
}
