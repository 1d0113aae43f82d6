// The counting of our own shows the same text as prom-client's, whatever was counted.
import fc from 'fast-check'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import t from 'tap'
import { CounterSeries, HistogramSeries, LevelSeries } from '../../../proxy/pipeline/series.ts'

const name = 'x_total'
const help = 'What is\ncounted'
const bounds = [0.001, 0.25, 1, 30]
/** Few, so that they meet again; some need escaping. */
const label = fc.constantFrom<string | number>('a', 'b', '200', 200, '', 'with "quotes"', 'C:\\')

t.test('counters', async (t) => {
  for (const labelNames of [[], ['route'], ['route', 'status'], ['route', 'decision', 'status']]) {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(5), label, label, label), { maxLength: 30 }), async (steps) => {
        const [ours, theirs] = [new Registry(), new Registry()]
        const series = new CounterSeries({ registry: ours, name, help, labelNames })
        const counter = new Counter({ name, help, labelNames, registers: [theirs] })
        for (const [count, ...given] of steps) {
          const values = given.slice(0, labelNames.length)
          series.add(count, ...values)
          counter.inc(labelled(labelNames, values), count)
        }
        t.equal(await ours.metrics(), await theirs.metrics())
      }),
      { numRuns: 50 },
    )
  }
})

t.test('histograms', async (t) => {
  const value = fc.oneof(fc.constantFrom(0, ...bounds), fc.double({ min: 0, max: 40, noNaN: true }))
  for (const labelNames of [['route'], ['route', 'upstream']]) {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(value, label, label), { maxLength: 30 }), async (steps) => {
        const [ours, theirs] = [new Registry(), new Registry()]
        const series = new HistogramSeries({ registry: ours, name, help, labelNames }, bounds)
        const histogram = new Histogram({ name, help, labelNames, buckets: bounds, registers: [theirs] })
        for (const [observed, ...given] of steps) {
          const values = given.slice(0, labelNames.length)
          series.observe(observed, ...values)
          histogram.observe(labelled(labelNames, values), observed)
        }
        t.equal(await ours.metrics(), await theirs.metrics())
      }),
      { numRuns: 50 },
    )
  }
})

t.test('levels', async (t) => {
  const [ours, theirs] = [new Registry(), new Registry()]
  const level = new LevelSeries({ registry: ours, name, help, labelNames: [] })
  const gauge = new Gauge({ name, help, registers: [theirs] })
  t.equal(await ours.metrics(), await theirs.metrics(), 'shown from the start')
  for (const step of ['inc', 'inc', 'dec', 'inc'] as const) {
    level[step]()
    gauge[step]()
  }
  t.equal(await ours.metrics(), await theirs.metrics())
})

t.test('a scrape changes nothing', async (t) => {
  const registry = new Registry()
  const series = new CounterSeries({ registry, name, help, labelNames: ['route'] })
  series.add(2, 'a')
  t.equal(await registry.metrics(), await registry.metrics())
  series.add(1, 'a')
  t.match(await registry.metrics(), /^x_total\{route="a"\} 3$/m)
})

t.test('two metrics of one name are a mistake', async (t) => {
  const options = { registry: new Registry(), name, help, labelNames: [] }
  t.ok(new CounterSeries(options))
  t.throws(() => new CounterSeries(options), /already been registered/)
})

function labelled(names: readonly string[], values: readonly (string | number)[]): Record<string, string | number> {
  return Object.fromEntries(names.map((labelName, at) => [labelName, values[at] as string | number]))
}
