// How close one write of the log follows another: nobody waits on an idle log, nor for somebody who does not come.
import t from 'tap'
import { assert, array, integer, nat, property, tuple } from 'fast-check'
import { Pace } from '../../../proxy/audit/pace.ts'

const spacingMs = 4

/** Groups of one, each so long after the one before; how long each of them waited. */
function oneByOne(pace: Pace, groups: number, apartMs: number, fromMs = 1000): number[] {
  return Array.from({ length: groups }, (_, n) => {
    const nowMs = fromMs + n * apartMs
    const waitMs = pace.waitMs(nowMs)
    pace.begin(nowMs + waitMs, 1)
    return waitMs
  })
}

t.test('on an idle log nobody waits, also where several came together before', async (t) => {
  const pace = new Pace()
  t.equal(pace.waitMs(0), 0)
  pace.begin(0, 3)
  t.equal(pace.waitMs(spacingMs), 0)
  pace.begin(spacingMs, 3)
  t.equal(pace.waitMs(1e9), 0)
})

t.test('where several came together, the next group waits for others, for what is left of the time', async (t) => {
  const pace = new Pace()
  pace.waitMs(0)
  pace.begin(0, 2)
  t.equal(pace.waitMs(1), 3)
  pace.begin(4, 2)
  t.equal(pace.waitMs(7.5), 0.5)
  pace.begin(8, 1)
  t.equal(pace.waitMs(9), 0, 'nobody had joined')
})

t.test('whoever asks one thing after the other waits once in a while, to see whether others are there', async (t) => {
  const waits = oneByOne(new Pace(), 100, 1)
  t.same(
    waits.flatMap((waitMs, n) => (waitMs > 0 ? [n] : [])),
    [33, 66, 99],
  )
})

t.test('where others are there, that is found out, and stays so as long as they come', async (t) => {
  const pace = new Pace()
  oneByOne(pace, 33, 1)
  t.ok(pace.waitMs(1034) > 0)
  pace.begin(1038, 2)
  t.equal(pace.waitMs(1039), 3)
})

t.test('nobody waits longer than the time between two groups', async () => {
  assert(
    property(array(tuple(nat(72), integer({ min: 1, max: 4 })), { maxLength: 200 }), (groups) => {
      const pace = new Pace()
      let nowMs = 0
      for (const [eighths, waiters] of groups) {
        nowMs += eighths / 8
        const waitMs = pace.waitMs(nowMs)
        if (waitMs < 0 || waitMs > spacingMs || (eighths / 8 >= spacingMs && waitMs > 0)) return false
        nowMs += waitMs
        pace.begin(nowMs, waiters)
      }
      return true
    }),
  )
})
