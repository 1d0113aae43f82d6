import t from 'tap'
import { median, percentiles } from '../../../bench/percentiles.ts'

t.test('percentiles are nearest-rank and do not need order', async (t) => {
  const samples = Array.from({ length: 200 }, (_, n) => 200 - n)
  t.same(percentiles(samples), { p50: 100, p90: 180, p99: 198 })
  t.same(percentiles([7]), { p50: 7, p90: 7, p99: 7 })
  t.same(percentiles([]), { p50: Number.NaN, p90: Number.NaN, p99: Number.NaN })
})

t.test('the median lies in the middle', async (t) => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([10, 1, 5, 7]), 6)
  t.ok(Number.isNaN(median([])))
})
