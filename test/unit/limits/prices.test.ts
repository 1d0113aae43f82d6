import t from 'tap'
import { reservedAmount } from '../../../proxy/limits/amounts.ts'
import type { LimitSubject } from '../../../proxy/limits/limiter.ts'
import { listPrices, priceSources, pricesAsOf } from '../../../proxy/limits/price-list.ts'
import { costNanos, openPrices } from '../../../proxy/limits/prices.ts'
import { compileLimits, compilePrices } from '../../../proxy/limits/compile.ts'
import { compileGlob } from '../../../proxy/policy/glob.ts'

t.test('a model is known by its name, with or without a date', async (t) => {
  const prices = openPrices([])
  const plain = prices.of('gpt-4o')
  t.same(plain, { input: 2500, output: 10_000, cacheRead: 1250, cacheWrite: 2500 })
  t.same(prices.of('gpt-4o-2024-08-06'), plain)
  t.same(prices.of('models/gemini-2.5-flash-001'), prices.of('gemini-2.5-flash'))
  t.same(prices.of('claude-sonnet-4-5-20250929'), prices.of('claude-sonnet-4-5'))
  for (const other of ['gpt-4o-audio', 'gpt-4', 'GPT-4o', 'gpt-4o-2024', '', 'claude-opus-4-5-fast'])
    t.equal(prices.of(other), undefined, other)
})

t.test('the operator’s own come first', async (t) => {
  const { prices, problems } = compilePrices(
    [
      { model: 'gpt-4o', input: 1, output: 2 },
      { model: 'our-{a,b}', input: 0, output: 500 },
      { model: '[x]', input: 0, output: 0 },
    ],
    ['prices'],
    compileGlob,
  )
  t.match(problems, [{ path: ['prices', 2, 'model'], severity: 'error' }])
  t.equal(prices.of('gpt-4o')?.input, 1000)
  t.equal(prices.of('our-a')?.output, 500_000)
  t.equal(prices.dearest.output, 500_000)
  const { plan } = compileLimits([{ id: 'a', by: ['org'], cost: '1/d' }], [], {}, prices)
  t.equal(plan[0]?.prices, prices)
})

t.test('a call costs whole billionths, never less than its parts', async (t) => {
  const price = { input: 0.3, output: 1.5, cacheRead: 0, cacheWrite: 0 }
  t.equal(costNanos(price, { input: 1, output: 1, cacheRead: 5, cacheWrite: 5 }), 2)
  t.equal(costNanos(price, { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }), 0)
})

t.test('no price and no number of tokens makes a cost that is no whole number', async (t) => {
  const price = { input: 1e8, output: 1e8, cacheRead: 1e8, cacheWrite: 1e8 }
  t.equal(costNanos(price, { input: 1e15, output: 1e15, cacheRead: 0, cacheWrite: 0 }), Number.MAX_SAFE_INTEGER)
  const dear = compilePrices([{ model: '*', input: 100_000, output: 100_000 }], ['prices'], compileGlob).prices
  const [limit] = compileLimits([{ id: 'a', by: ['org'], cost: '1/d' }], [], {}, dear).plan
  const demand = { actions: ['model.call'], tools: [], inputTokens: 1e9, outputTokensMax: 1e13, answers: 1, model: 'm' }
  if (limit === undefined) throw new Error('no limit')
  t.equal(reservedAmount('cost', limit, {} as LimitSubject, demand), Number.MAX_SAFE_INTEGER)
})

t.test('the list says how old it is and where it comes from, and nothing in it is free', async (t) => {
  t.match(pricesAsOf, /^20[0-9]{2}-[0-9]{2}-[0-9]{2}$/)
  t.ok(priceSources.every((source) => source.startsWith('https://')))
  for (const [model, { input, output, cacheRead = 0 }] of listPrices) {
    t.ok(input > 0 && (output > 0 || model.includes('embedding')), model)
    t.ok(cacheRead < input, model)
  }
})
