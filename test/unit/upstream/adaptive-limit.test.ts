import t from 'tap'
import { AdaptiveLimit } from '../../../proxy/upstream/adaptive-limit.ts'
import { ManualClock } from '../../support/clock.ts'

/** Answers in a busy upstream for a while, ten a window. */
function answer(limit: AdaptiveLimit, clock: ManualClock, latencyMs: number, windows = 1, underWay = 1000): void {
  for (let at = 0; at < windows * 10; at++) {
    clock.advance(101)
    limit.answered(latencyMs, underWay)
  }
}

t.test('it begins at twenty, or at max if that is less', async (t) => {
  t.equal(new AdaptiveLimit(500, new ManualClock(), () => 0).current, 20)
  t.equal(new AdaptiveLimit(7, new ManualClock(), () => 0).current, 7)
})

t.test('it grows up to max while the latency stays, and only if it was reached', async (t) => {
  const clock = new ManualClock()
  const limit = new AdaptiveLimit(64, clock, () => 0)
  answer(limit, clock, 50, 3, 4)
  t.equal(limit.current, 20, 'four at a time say nothing about more')
  answer(limit, clock, 50, 1)
  const once = limit.current
  t.ok(once > 20)
  answer(limit, clock, 50, 10)
  t.equal(limit.current, 64)
})

t.test('it falls when the latency rises, within bounds, and comes back', async (t) => {
  const clock = new ManualClock()
  const limit = new AdaptiveLimit(64, clock, () => 0)
  answer(limit, clock, 50, 10)
  answer(limit, clock, 500, 1)
  t.equal(limit.current, 40, 'half and the root, however much the latency is')
  answer(limit, clock, 500, 20)
  t.ok(limit.current >= 2 && limit.current <= 8)
  answer(limit, clock, 50, 10)
  t.equal(limit.current, 64)
})

t.test('slow answers that are few do not count', async (t) => {
  const clock = new ManualClock()
  const limit = new AdaptiveLimit(64, clock, () => 0)
  answer(limit, clock, 50, 10)
  for (let at = 0; at < 30; at++) {
    clock.advance(101)
    limit.answered(at % 3 === 0 ? 5000 : 50, 1000)
  }
  t.equal(limit.current, 64)
})

t.test('an overloaded upstream gets a fifth less, once a window', async (t) => {
  const clock = new ManualClock()
  const limit = new AdaptiveLimit(64, clock, () => 0)
  for (let at = 0; at < 100; at++) limit.overloaded()
  t.equal(limit.current, 16)
  answer(limit, clock, 50, 1)
  const before = limit.current
  limit.overloaded()
  t.equal(limit.current, Math.floor((16 * 1.25 + 4) * 0.8))
  t.ok(limit.current < before)
})

t.test('after a minute the best latency is measured anew at half the limit', async (t) => {
  const clock = new ManualClock()
  const limit = new AdaptiveLimit(40, clock, () => 0)
  answer(limit, clock, 50, 30)
  t.equal(limit.current, 40)
  answer(limit, clock, 50, 30)
  t.equal(limit.current, 20, 'measuring')
  // Sent before the measurement began.
  for (let at = 0; at < 20; at++) limit.answered(60_000, 40)
  t.equal(limit.current, 20)
  clock.advance(200)
  for (let at = 0; at < 10; at++) limit.answered(150, 20)
  t.equal(limit.current, 40)
  answer(limit, clock, 150, 5)
  t.equal(limit.current, 40, 'what is three times as slow is the best there is now')
})

t.test('measurements are spread, and given up when too little is asked', async (t) => {
  const clock = new ManualClock()
  const limit = new AdaptiveLimit(40, clock, () => 0.999)
  answer(limit, clock, 50, 60)
  t.equal(limit.current, 40, 'up to nine seconds later')
  answer(limit, clock, 50, 9)
  t.equal(limit.current, 20)
  clock.advance(10_000)
  limit.answered(50, 1)
  t.equal(limit.current, 40)
})
