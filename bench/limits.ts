// Owns what limits cost a request: the time until all of a request's limits have answered, in memory, in Redis, and with a
// Redis that hangs. `npm run bench:limits` writes bench/LIMITS.md; it needs a redis-server on this machine.
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../proxy/lib/clock.ts'
import { compileLimits } from '../proxy/limits/compile.ts'
import { compileStore } from '../proxy/limits/compile-store.ts'
import { openLimiter } from '../proxy/limits/open-limiter.ts'
import type { LimitOptions } from '../proxy/limits/options.ts'
import { openStore, type Store } from '../proxy/limits/store.ts'
import { findProgram } from '../test/support/debian.ts'
import { startRedis } from '../test/support/redis.ts'
import { percentiles } from './percentiles.ts'

const one: LimitOptions[] = [{ id: 'requests', by: ['principal'], requests: '900M/d' }]
const five: LimitOptions[] = [
  { id: 'agent', by: ['principal'], requests: '900M/m', window: 'sliding' },
  { id: 'address', by: ['ip'], requests: '900M/m' },
  { id: 'tokens', by: ['principal', 'model'], tokens: '900M/d' },
  { id: 'org', by: ['org'], tokens: '900M/month' },
  { id: 'spend', by: ['org'], cost: '1M/d' },
]
const subject = { principal: 'agent', org: 'acme', ip: '10.0.0.1', route: 'openai', upstream: 'openai' }
const demand = { model: 'gpt-4o', actions: ['model.call'], tools: [], inputTokens: 40, outputTokensMax: 60, answers: 1 }
const spent = { input: 30, output: 20, cacheRead: 0, cacheWrite: 0, bytes: 0 }

function asker(store: Store, limits: readonly LimitOptions[]): () => Promise<number> {
  const limiter = openLimiter(compileLimits(limits, []).plan, store)
  return async () => {
    const startMs = performance.now()
    const admitted = limiter.admit(subject)
    const head = admitted instanceof Promise ? await admitted : admitted
    const asked = head.ok ? head.reserve?.(demand) : undefined
    const body = asked instanceof Promise ? await asked : asked
    const tookMs = performance.now() - startMs
    if (body?.ok === true) body.settle?.(spent)
    return tookMs
  }
}

type Row = {
  readonly name: string
  readonly calls: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** `atOnce` callers, each with its next call when the one before has its answer. */
async function measure(name: string, ask: () => Promise<number>, calls: number, atOnce = 1): Promise<Row> {
  const tookMs: number[] = []
  let left = calls
  const caller = async (): Promise<void> => {
    while (left-- > 0) tookMs.push(await ask())
  }
  await Promise.all(Array.from({ length: atOnce }, caller))
  const { p50, p99 } = percentiles(tookMs)
  return { name, calls, p50, p99, max: tookMs.reduce((most, ms) => Math.max(most, ms), 0) }
}

function open(url?: string): Store {
  const { plan } = compileStore(url === undefined ? undefined : { redis: { url } }, [])
  return openStore(plan, { clock: systemClock, onEvent: () => undefined, resolveSecret: () => '' })
}

const binary = findProgram('redis-server')
if (binary === undefined) throw new Error('there is no redis-server')
const redis = await startRedis(binary)
const rows: Row[] = []
try {
  const memory = open()
  await measure('warm-up', asker(memory, five), 20_000)
  rows.push(await measure('memory, one limit', asker(memory, one), 100_000))
  rows.push(await measure('memory, five limits with tokens and cost', asker(memory, five), 100_000))
  memory.close()
  const shared = open(redis.url)
  await shared.ready(5000)
  await measure('warm-up', asker(shared, five), 2000)
  rows.push(await measure('Redis, one limit', asker(shared, one), 10_000))
  rows.push(await measure('Redis, five limits with tokens and cost', asker(shared, five), 10_000))
  rows.push(await measure('Redis, five limits, 32 requests at once', asker(shared, five), 20_000, 32))
  redis.stall()
  rows.push(await measure('Redis hangs: the first calls, 32 at once', asker(shared, five), 32, 32))
  rows.push(await measure('Redis hangs: all later calls', asker(shared, five), 10_000))
  redis.resume()
  shared.close()
} finally {
  await redis.close()
}

const cell = (ms: number): string => (ms < 1 ? `${(ms * 1000).toFixed(1)} µs` : `${ms.toFixed(2)} ms`)
const lines = [
  '# What limits cost',
  '',
  `Written by \`npm run bench:limits\` on ${new Date().toISOString().slice(0, 10)}: Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'} (${cpus().length}),`,
  'redis-server on the same machine. The time from the question to the answer of all limits of one request; a hung Redis is one',
  'that was stopped (SIGSTOP), with the default timeout of 50 ms.',
  '',
  '| | calls | p50 | p99 | max |',
  '| --- | --- | --- | --- | --- |',
  ...rows.map(
    ({ name, calls, p50, p99, max }) => `| ${name} | ${calls} | ${cell(p50)} | ${cell(p99)} | ${cell(max)} |`,
  ),
  '',
]
writeFileSync(join(import.meta.dirname, 'LIMITS.md'), lines.join('\n'))
process.stdout.write(`${lines.join('\n')}\n`)
