import t from 'tap'
import { parseDuration, parseRate, parseSize } from '../../../proxy/lib/units.ts'

t.test('durations are whole numbers with a unit', async (t) => {
  t.equal(parseDuration('250ms'), 250)
  t.equal(parseDuration('30s'), 30_000)
  t.equal(parseDuration('15m'), 900_000)
  t.equal(parseDuration('24h'), 86_400_000)
  t.equal(parseDuration('7d'), 604_800_000)
  for (const bad of ['', '5', '1.5s', '-1s', '1 s', '1S', '1w']) t.equal(parseDuration(bad), undefined, bad)
})

t.test('sizes are bytes, binary and decimal', async (t) => {
  t.equal(parseSize('512'), 512)
  t.equal(parseSize('64KiB'), 65_536)
  t.equal(parseSize('10MiB'), 10_485_760)
  t.equal(parseSize('1MB'), 1_000_000)
  for (const bad of ['', 'MiB', '1.5MiB', '-1', '1 KiB', '1kib']) t.equal(parseSize(bad), undefined, bad)
})

t.test('rates are an amount in a window', async (t) => {
  t.same(parseRate('60/m'), { amount: 60, windowMs: 60_000 })
  t.same(parseRate('100k/m'), { amount: 100_000, windowMs: 60_000 })
  t.same(parseRate('50/d'), { amount: 50, windowMs: 86_400_000 })
  t.same(parseRate('20/10s'), { amount: 20, windowMs: 10_000 })
  t.same(parseRate('0.5/h'), { amount: 0.5, windowMs: 3_600_000 })
  for (const bad of ['', '60', '0/m', '60/w', '60/0s', '-1/m', '60 / m']) t.equal(parseRate(bad), undefined, bad)
})
