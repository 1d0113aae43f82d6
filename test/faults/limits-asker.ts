// Run by limits-shared.test.ts: one of several gateways on one Redis. Told to, it asks for many calls at once and says how
// many may go on.
import { systemClock } from '../../proxy/lib/clock.ts'
import { compileLimits } from '../../proxy/limits/compile.ts'
import { compileStore } from '../../proxy/limits/compile-store.ts'
import { openLimiter } from '../../proxy/limits/open-limiter.ts'
import type { LimitOptions } from '../../proxy/limits/options.ts'
import { openStore } from '../../proxy/limits/store.ts'

const [url = '', limits = '[]', calls = '0'] = process.argv.slice(2)
const { plan } = compileStore({ redis: { url } }, [])
if (plan.redis === undefined) throw new Error('no Redis')
// What a busy machine makes of a command must not look like an outage.
const store = openStore(
  { ...plan, redis: { ...plan.redis, timeoutMs: 60_000 } },
  { clock: systemClock, onEvent: () => undefined, resolveSecret: () => '' },
)
const limiter = openLimiter(compileLimits(JSON.parse(limits) as LimitOptions[], []).plan, store)
const demand = { model: 'gpt-4o', actions: ['model.call'], tools: [], inputTokens: 40, outputTokensMax: 60, answers: 1 }

async function ask(): Promise<boolean> {
  const admission = await limiter.admit({ principal: 'anna', ip: '10.0.0.1', route: 'openai', upstream: 'openai' })
  if (!admission.ok || admission.reserve === undefined) return false
  return (await admission.reserve(demand)).ok
}

process.on('message', () => {
  void Promise.all(Array.from({ length: Number(calls) }, ask)).then((passed) => {
    process.send?.(passed.filter(Boolean).length)
    store.close()
    process.disconnect?.()
  })
})
await store.ready(5000)
process.send?.('ready')
