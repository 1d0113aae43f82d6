import t from 'tap'
import { priorities } from '../../../proxy/lib/priority.ts'
import { Shedder } from '../../../proxy/pipeline/shedder.ts'
import { ManualClock } from '../../support/clock.ts'

function stage() {
  const clock = new ManualClock()
  const now = { delayMs: 0, inflight: 0 }
  const shedder = new Shedder(
    [
      { name: 'event-loop', max: 200, read: () => now.delayMs },
      { name: 'inflight', max: 100, read: () => now.inflight },
    ],
    clock,
  )
  const refused = (): string => priorities.filter((priority) => shedder.refuses(priority) !== undefined).join(' ')
  return { clock, now, shedder, refused }
}

t.test('the more there is to do, the more classes are refused, the lowest first', async (t) => {
  const { now, refused } = stage()
  const seen = [100, 101, 126, 151, 201].map((inflight) => {
    now.inflight = inflight
    return refused()
  })
  t.same(seen, ['', 'low', 'low normal', 'low normal high', 'low normal high critical'])
})

t.test('the worst signal counts, and is named', async (t) => {
  const { now, shedder } = stage()
  now.inflight = 110
  t.equal(shedder.refuses('low'), 'inflight')
  now.delayMs = 260
  t.equal(shedder.refuses('normal'), 'event-loop')
  t.equal(shedder.refuses('high'), undefined)
})

t.test('a class comes back only well below, and after a second', async (t) => {
  const { clock, now, refused } = stage()
  now.inflight = 130
  t.equal(refused(), 'low normal')
  now.inflight = 0
  t.equal(refused(), 'low normal', 'not at once')
  clock.advance(999)
  t.equal(refused(), 'low normal')
  now.inflight = 101
  clock.advance(1)
  t.equal(refused(), 'low normal', 'not just below')
  now.inflight = 99
  t.equal(refused(), 'low')
  now.inflight = 81
  clock.advance(1_000)
  t.equal(refused(), 'low')
  now.inflight = 80
  t.equal(refused(), '')
})
