import t from 'tap'
import * as fc from 'fast-check'
import { nowhere } from '../../../proxy/lib/roster.ts'
import { Deadlines, type Deadline } from '../../../proxy/upstream/deadlines.ts'
import { ManualClock } from '../../support/clock.ts'

function deadline(dueMs: number, expired: number[], clock: ManualClock): Deadline {
  return { slot: nowhere, dueMs, expire: () => void expired.push(clock.monotonic()) }
}

t.test('each expires when due, and all of them share a timer', async (t) => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const expired: number[] = []
  for (const dueMs of [300, 100, 200, Infinity]) deadlines.add(deadline(dueMs, expired, clock))
  t.equal(clock.waiting, 1)
  clock.advance(1000)
  t.strictSame(expired, [100, 200, 300])
  t.equal(clock.waiting, 0, 'what waits for ever needs no timer')
})

t.test('a deadline moved later expires later, one moved earlier earlier', async (t) => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const expired: number[] = []
  const moving = deadline(100, expired, clock)
  deadlines.add(moving)
  clock.advance(90)
  deadlines.move(moving, 500)
  clock.advance(100)
  t.strictSame(expired, [])
  deadlines.move(moving, 200)
  clock.advance(100)
  t.strictSame(expired, [200])
})

t.test('a removed one does not expire, and closing leaves no timer', async (t) => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const expired: number[] = []
  const met = deadline(100, expired, clock)
  deadlines.add(met)
  deadlines.remove(met)
  clock.advance(200)
  deadlines.add(deadline(1000, expired, clock))
  deadlines.close()
  t.equal(clock.waiting, 0)
  clock.advance(2000)
  t.strictSame(expired, [])
})

t.test('one that expires may add and remove others', async (t) => {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const expired: number[] = []
  const victim = deadline(100, expired, clock)
  deadlines.add({
    slot: nowhere,
    dueMs: 100,
    expire: () => {
      deadlines.remove(victim)
      deadlines.add(deadline(150, expired, clock))
    },
  })
  deadlines.add(victim)
  clock.advance(1000)
  t.strictSame(expired, [150])
})

t.test('however they are moved, each expires exactly at its last due time', async () => {
  const plans = fc.array(
    fc.record({
      dueMs: fc.integer({ min: 1, max: 1000 }),
      atMs: fc.integer({ min: 0, max: 999 }),
      toMs: fc.integer({ min: 0, max: 2000 }),
    }),
    { maxLength: 20 },
  )
  fc.assert(
    fc.property(plans, (all) => {
      const clock = new ManualClock()
      const deadlines = new Deadlines(clock)
      const results = all.map(({ dueMs, atMs, toMs }) => {
        const expired: number[] = []
        const one = deadline(dueMs, expired, clock)
        deadlines.add(one)
        const movedMs = atMs + toMs
        clock.after(atMs, () => {
          if (expired.length === 0) deadlines.move(one, movedMs)
        })
        return { expired, expected: dueMs < atMs ? dueMs : movedMs, either: dueMs === atMs ? dueMs : undefined }
      })
      clock.advance(5000)
      return results.every(
        ({ expired, expected, either }) => expired.length === 1 && (expired[0] === expected || expired[0] === either),
      )
    }),
  )
})
