// The four kinds of windows as one process counts them. test/faults/redis.test.ts asks the same of Redis.
import * as fc from 'fast-check'
import t from 'tap'
import { openCalendar } from '../../../proxy/limits/calendar.ts'
import type { Charge } from '../../../proxy/limits/counters.ts'
import { MemoryCounters } from '../../../proxy/limits/memory.ts'
import { windowOf, type Window, type WindowOptions } from '../../../proxy/limits/window.ts'
import { ManualClock } from '../../support/clock.ts'

function open(rate: string, options: Partial<WindowOptions> = {}, start?: string) {
  const clock = new ManualClock(start)
  const counters = new MemoryCounters(clock)
  const compiled = windowOf(rate, { zone: 'UTC', ...options })
  if ('error' in compiled) throw new Error(compiled.error)
  const { quota, window } = compiled
  const chargeOf = (amount: number): Charge => ({ namespace: 'n', key: 'k', quota, window, amount })
  return { clock, counters, window, take: (amount = 1) => counters.take([chargeOf(amount)]) }
}

t.test('how rates become windows', async (t) => {
  const kind = (rate: string, options: Partial<WindowOptions> = {}): unknown => {
    const compiled = windowOf(rate, { zone: 'UTC', ...options })
    if ('error' in compiled) return compiled.error
    const { quota, window } = compiled
    return [quota, window.kind, window.kind === 'calendar' ? window.calendar.unit : window.lengthMs]
  }
  t.same(kind('60/m'), [60, 'first', 60_000])
  t.same(kind('100k/m'), [100_000, 'first', 60_000])
  t.same(kind('50/d'), [50, 'calendar', 'day'])
  t.same(kind('50/1d'), [50, 'calendar', 'day'])
  t.same(kind('50/2d'), [50, 'first', 172_800_000])
  t.same(kind('50/d', { window: 'first' }), [50, 'first', 86_400_000])
  t.same(kind('1000/month'), [1000, 'calendar', 'month'])
  t.same(kind('60/h', { window: 'calendar' }), [60, 'calendar', 'hour'])
  t.same(kind('60/m', { window: 'sliding' }), [60, 'sliding', 60_000])
  t.same(kind('60/m', { burst: 10 }), [10, 'bucket', 10_000])
  t.match(kind('60/10s', { window: 'calendar' }), /knows no window/)
  t.match(kind('60/month', { window: 'first' }), /by the calendar/)
  t.match(kind('60/2month'), /not a rate/)
  t.match(kind('60'), /not a rate/)
})

t.test('a window that has just begun ends in its length, whatever fraction of a millisecond it begins at', async () => {
  fc.assert(
    fc.property(fc.nat(), (start) => {
      const { clock, take } = open('3/m')
      clock.advance(start / 10_007)
      return take().counts[0]?.resetMs === 60_000
    }),
  )
})

t.test('a calendar begins where the zone says, whatever the clock is set to in between', async (t) => {
  const starts = (unit: 'hour' | 'day' | 'month', zone: string, time: string): string[] =>
    openCalendar(unit, zone)
      .around(Date.parse(time))
      .map((ms) => new Date(ms).toISOString())
  t.same(starts('day', 'UTC', '2026-11-21T13:00:00Z').slice(1, 3), [
    '2026-11-21T00:00:00.000Z',
    '2026-11-22T00:00:00.000Z',
  ])
  t.same(starts('day', 'Europe/Berlin', '2026-03-29T12:00:00Z').slice(1), [
    '2026-03-28T23:00:00.000Z',
    '2026-03-29T22:00:00.000Z',
    '2026-03-30T22:00:00.000Z',
  ])
  t.same(starts('month', 'America/New_York', '2026-12-01T03:00:00Z'), [
    '2026-10-01T04:00:00.000Z',
    '2026-11-01T04:00:00.000Z',
    '2026-12-01T05:00:00.000Z',
    '2027-01-01T05:00:00.000Z',
  ])
  t.same(starts('hour', 'Asia/Kolkata', '2026-11-21T13:10:00Z').slice(1, 3), [
    '2026-11-21T12:30:00.000Z',
    '2026-11-21T13:30:00.000Z',
  ])
  t.same(
    starts('hour', 'Europe/Berlin', '2026-03-29T00:00:00Z').slice(1),
    ['2026-03-29T00:00:00.000Z', '2026-03-29T01:00:00.000Z', '2026-03-29T02:00:00.000Z'],
    'the hour from two to three is not there',
  )
  t.same(starts('hour', 'Europe/Berlin', '2026-03-29T01:30:00Z').slice(0, 3), [
    '2026-03-29T00:00:00.000Z',
    '2026-03-29T01:00:00.000Z',
    '2026-03-29T02:00:00.000Z',
  ])
  const zones = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Pacific/Apia'] as const
  for (const zone of zones) {
    for (const unit of ['minute', 'hour', 'day', 'month'] as const) {
      const calendar = openCalendar(unit, zone)
      const follows = (timeMs: number): boolean => {
        const [before, start, end, after] = calendar.around(timeMs)
        return before < start && start <= timeMs && timeMs < end && end < after
      }
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 366 * 86_400 }), (second) =>
          follows(Date.parse('2026-01-01T00:00:00Z') + second * 1000),
        ),
        { numRuns: 100 },
      )
      // Where clocks are set in some of these zones.
      for (const day of ['2026-03-08', '2026-03-29', '2026-04-04', '2026-10-03', '2026-10-25', '2026-11-01'])
        for (let minute = 0; minute < 24 * 60; minute += 15)
          if (!follows(Date.parse(`${day}T00:00:00Z`) + minute * 60_000)) t.fail(`${zone} ${unit} ${day} ${minute}`)
    }
  }
})

t.test('a day ends at midnight of the zone, and a clock that is set back does not begin it again', async (t) => {
  const { clock, take } = open('2/d', { zone: 'Europe/Berlin' }, '2026-11-21T22:59:00.000Z')
  t.match(take(), { admitted: true, counts: [{ used: 1, resetMs: 60_000 }] })
  take()
  t.match(take(), { admitted: false, counts: [{ used: 2, waitMs: 60_000 }] })
  clock.advance(60_000)
  t.match(take(), { admitted: true, counts: [{ used: 1, resetMs: 86_400_000 }] })
})

t.test('where the clock is set forward into the next period, that is counted to its end', async (t) => {
  const { clock, take } = open('2/d')
  take()
  clock.advance(23 * 3_600_000)
  clock.jump(3_601_000)
  t.match(take(2), { admitted: true, counts: [{ used: 2 }] })
  clock.advance(2 * 3_600_000)
  t.match(take(), { admitted: false, counts: [{ used: 2 }] }, 'the count has not expired with the day before')
})

t.test('where the clock is set back behind a period, that ends when it would have', async (t) => {
  const { clock, take } = open('3/m', { window: 'calendar' })
  take()
  clock.jump(-3_600_000)
  t.match(take(2), { admitted: true, counts: [{ used: 3, resetMs: 60_000 }] })
  t.match(take(), { admitted: false, counts: [{ used: 3, waitMs: 60_000 }] })
  clock.advance(60_000)
  t.match(take(), { admitted: true, counts: [{ used: 1, resetMs: 60_000 }] })
})

t.test('a sliding window never lets more through in any stretch of its length', async () => {
  const step = fc.record({ waitMs: fc.integer({ min: 0, max: 400 }), amount: fc.integer({ min: 1, max: 4 }) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const { clock, take } = open('10/s', { window: 'sliding' })
      const passed: { atMs: number; amount: number }[] = []
      for (const { waitMs, amount } of steps) {
        clock.advance(waitMs)
        const atMs = clock.monotonic()
        if (take(amount).admitted) passed.push({ atMs, amount })
        const recent = passed.filter((one) => one.atMs > atMs - 1000).reduce((sum, one) => sum + one.amount, 0)
        if (recent > 10) return false
      }
      return true
    }),
  )
})

t.test('what was refused by a sliding window or a bucket passes after the wait that was said', async () => {
  const options: Partial<WindowOptions>[] = [{ window: 'sliding' }, { burst: 5 }]
  for (const option of options) {
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 300 }), amount: fc.integer({ min: 1, max: 4 }) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const { clock, take } = open('10/s', option)
        for (const { waitMs, amount } of steps) {
          clock.advance(waitMs)
          const taken = take(amount)
          if (taken.admitted) continue
          clock.advance(Math.ceil(taken.counts[0]?.waitMs ?? 0))
          if (!take(amount).admitted) return false
        }
        return true
      }),
      {
        examples: [
          // Adding up what leaked comes to a trillionth more than the bucket holds.
          [[0, 0, 286, 32, 0].map((waitMs, at) => ({ waitMs, amount: [1, 4, 2, 4, 1][at] ?? 0 }))],
        ],
      },
    )
  }
})

t.test('a bucket gives its burst at once and the rest evenly', async (t) => {
  const { clock, take } = open('60/m', { burst: 3 })
  t.same(
    [take(), take(), take(), take()].map(({ admitted }) => admitted),
    [true, true, true, false],
  )
  t.match(take(), { counts: [{ used: 3, waitMs: 1000, resetMs: 3000 }] })
  clock.advance(1000)
  t.same(
    [take(), take()].map(({ admitted }) => admitted),
    [true, false],
  )
})

t.test(
  'what was counted too much is given back to its own window only, what was too little counts in any',
  async (t) => {
    const correct = (world: ReturnType<typeof open>, mark: number, delta: number): void =>
      world.counters.correct([{ namespace: 'n', key: 'k', window: world.window, mark, delta }])
    const kinds: [string, Partial<WindowOptions>, Window['kind']][] = [
      ['100/s', { window: 'first' }, 'first'],
      ['100/s', { window: 'sliding' }, 'sliding'],
      ['100/m', { window: 'calendar' }, 'calendar'],
    ]
    for (const [rate, options, kind] of kinds) {
      const world = open(rate, options)
      const { clock, take } = world
      const mark = take(80).counts[0]?.mark ?? 0
      correct(world, mark, -50)
      t.match(take(70), { admitted: true, counts: [{ used: 100 }] }, `${kind}: 50 were given back`)
      clock.advance(120_000)
      take(10)
      correct(world, mark, -10)
      t.match(take(0), { counts: [{ used: 10 }] }, `${kind}: that window is over`)
      correct(world, mark, 30)
      t.match(take(0), { counts: [{ used: 40 }] }, `${kind}: nothing is used unseen`)
    }
    const bucket = open('100/s', { burst: 100 })
    const mark = bucket.take(100).counts[0]?.mark ?? 0
    bucket.clock.advance(1000)
    bucket.take(100)
    correct(bucket, mark, -90)
    t.match(bucket.take(1), { admitted: false }, 'what has leaked out cannot be given back, too')
  },
)

t.test('an amount of none asks only whether there is room', async (t) => {
  const { take, counters } = open('2/m')
  t.match(take(0), { admitted: true })
  t.equal(counters.size, 0)
  take(2)
  t.match(take(0), { admitted: false })
})
