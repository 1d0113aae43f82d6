// What is settled is what providers say was used: ten thousand calls of every kind through the pipeline, with clients that
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
import type { UpstreamAnswer } from '../../proxy/upstream/answer.ts'
import { findRedisServer, redisMissing, startRedis } from '../support/redis.ts'
import { chunks, openBack } from '../unit/pipeline/answered.ts'

const binary = findRedisServer()
const skip = binary === undefined && redisMissing

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
const configured = limits.map(
  ({ id, by, ...more }) =>
    `{ id: ${id}, by: [${by.join()}], ${Object.entries(more)
      .map(([k, v]) => `${k}: ${String(v)}`)
      .join()} }`,
)
const { runtime } = openBack(`
rules: [{ id: all, effect: allow, actions: [model.call], models: ["*"] }]
limits: [${configured.join()}]`)

type Kind = 'whole' | 'stream' | 'anthropic' | 'anthropic-stream'
const kinds: readonly Kind[] = ['whole', 'stream', 'anthropic', 'anthropic-stream']
const models: Readonly<Record<Kind, string>> = {
  whole: 'gpt-4o',
  stream: 'gpt-4o-mini',
  anthropic: 'claude-opus-4-5',
  'anthropic-stream': 'claude-sonnet-4-5',
}

/** What happens to a call, decided by its number: 5 % fail, 10 % of the clients leave in the middle of a stream. */
type Call = { readonly n: number; readonly kind: Kind; readonly fails: boolean; readonly leaves: boolean }

function callOf(n: number): Call {
  const kind = kinds[n % 4] as Kind
  // Every second call is a stream, and only those can be left in the middle.
  return { n, kind, fails: n % 20 === 7, leaves: kind.endsWith('stream') && (n % 10) % 5 === 1 }
}

/** What the provider says it has billed. */
class Ledger {
  readonly #prices = openPrices([])
  input = 0
  output = 0
  costNanos = 0
  calls = 0

  add(kind: Kind, input: number, output: number, cacheRead: number): void {
    const apart = kind.startsWith('anthropic')
    this.calls += 1
    this.input += apart ? input + cacheRead : input
    this.output += output
    const price = this.#prices.of(models[kind])
    if (price === undefined) throw new Error('no price')
    const fresh = apart ? input : input - cacheRead
    this.costNanos += costNanos(price, { input: fresh, output, cacheRead, cacheWrite: 0 })
  }
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const event = (data: unknown, name?: string): Uint8Array =>
  Buffer.from(
    `${name === undefined ? '' : `event: ${name}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
  )

function answerTo({ n, kind, fails, leaves }: Call, ledger: Ledger): UpstreamAnswer {
  const [input, output, cacheRead] = [100 + (n % 37), 200 + (n % 53), n % 7]
  const type = kind.endsWith('stream') ? 'text/event-stream' : 'application/json'
  if (fails) return answer(500, 'application/json', [json({ error: { message: 'no' } })])
  // Whoever leaves has seen one token of text.
  ledger.add(kind, input, leaves ? 1 : output, cacheRead)
  return answer(200, type, bodies[kind](input, output, cacheRead))
}

const bodies: Readonly<Record<Kind, (input: number, output: number, cacheRead: number) => Uint8Array[]>> = {
  whole: (input, output, cacheRead) => [
    json({
      choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'yes' } }],
      usage: { prompt_tokens: input, completion_tokens: output, prompt_tokens_details: { cached_tokens: cacheRead } },
    }),
  ],
  stream: (input, output, cacheRead) => {
    const chunk = (more: object): Uint8Array =>
      event({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o-mini', choices: [], ...more })
    const usage = { prompt_tokens: input, completion_tokens: 1, prompt_tokens_details: { cached_tokens: cacheRead } }
    return [
      chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'ye' }, finish_reason: null }], usage }),
      chunk({ choices: [{ index: 0, delta: { content: 's' }, finish_reason: null }] }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
      chunk({ usage: { ...usage, completion_tokens: output } }),
      event('[DONE]'),
    ]
  },
  anthropic: (input, output, cacheRead) => [
    json({
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'claude-opus-4-5',
      content: [{ type: 'text', text: 'yes' }],
      stop_reason: 'end_turn',
      stop_sequence: null,
      usage: { input_tokens: input, output_tokens: output, cache_read_input_tokens: cacheRead },
    }),
  ],
  'anthropic-stream': (input, output, cacheRead) => {
    const of = (type: string, more: object): Uint8Array => event({ type, ...more }, type)
    const usage = { input_tokens: input, output_tokens: 1, cache_read_input_tokens: cacheRead }
    const message = { id: 'm', type: 'message', role: 'assistant', model: 'claude-sonnet-4-5', content: [] }
    return [
      of('message_start', { message: { ...message, stop_reason: null, stop_sequence: null, usage } }),
      of('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
      of('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'yes' } }),
      of('content_block_stop', { index: 0 }),
      // Cumulative, and here it forgets what it said of the input.
      of('message_delta', {
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: output },
      }),
      of('message_stop', {}),
    ]
  },
}

function answer(status: number, type: string, pieces: readonly Uint8Array[]): UpstreamAnswer {
  return {
    status,
    headers: ['content-type', type],
    contentLength: undefined,
    body: chunks(pieces),
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

async function make(call: Call, counted: Runtime): Promise<number> {
  const path = call.kind.startsWith('anthropic') ? '/anthropic/v1/messages' : '/openai/v1/chat/completions'
  const messages = [{ role: 'user', content: `question ${call.n}` }]
  const more = call.kind.endsWith('stream') ? { stream: true } : {}
  const body = json({ model: models[call.kind], max_tokens: 300, messages, ...more })
  // A piece is what one chunk of the upstream gave: of Anthropic's the third has the text.
  const pieces = call.leaves ? (call.kind === 'stream' ? 1 : 3) : Number.POSITIVE_INFINITY
  const client = new Caller(body, pieces)
  const head = {
    method: 'POST',
    path,
    query: '',
    headers: ['content-type', 'application/json', 'x-call', String(call.n)],
  }
  await run(openExchange(`req_${call.n}`, { ...head, ip: '127.0.0.1' }, counted.clock.monotonic()), counted, client)
  return client.status
}

async function makeAll(store: Store, ledger: Ledger): Promise<number[]> {
  const routes = runtime.routes.map((route): Route => {
    const send: Route['upstream']['send'] = ({ headers }) => {
      const call = callOf(Number(headers[headers.indexOf('x-call') + 1]))
      if (call.n % 40 === 7) return Promise.reject(new Fault('upstream-unreachable'))
      return Promise.resolve(answerTo(call, ledger))
    }
    return { ...route, upstream: { ...route.upstream, send } }
  })
  const limiter = openLimiter(compileLimits(limits, []).plan, store)
  const counted: Runtime = { ...runtime, routes, limiter, clock: systemClock }
  const statuses: number[] = []
  let next = 0
  const caller = async (): Promise<void> => {
    while (next < calls) statuses.push(await make(callOf(next++), counted))
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  return statuses
}

async function usedOf(store: Store): Promise<Record<string, number>> {
  const { plan } = compileLimits(limits, [])
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
    t.equal(statuses.length, calls)
    t.equal(statuses.filter((status) => status >= 500).length, counted.filter(({ fails }) => fails).length)
    t.ok(counted.filter(({ leaves }) => leaves).length >= calls / 10)
    t.same(await usedOf(store), {
      'tokens tokens': ledger.input + ledger.output,
      'input inputTokens': ledger.input,
      'output outputTokens': ledger.output,
      'cost cost': ledger.costNanos,
      'requests requests': calls,
    })
  })
}
