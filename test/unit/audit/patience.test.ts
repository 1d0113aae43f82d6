import t from 'tap'
import { Patience } from '../../../proxy/audit/patience.ts'
import { ManualClock } from '../../support/clock.ts'

t.test('time counts while the process runs, and it ticks only for those who wait', (t) => {
  const clock = new ManualClock()
  let waits = true
  let ticks = 0
  const patience = new Patience(clock, 1000, () => {
    ticks += 1
    return waits
  })
  const first = patience.start()
  clock.advance(100)
  const second = patience.start()
  clock.advance(899)
  t.notOk(patience.isOver(first))
  clock.advance(1)
  t.ok(patience.isOver(first), 'to the millisecond for whom it began to tick')
  t.notOk(patience.isOver(second))
  clock.advance(250)
  t.ok(patience.isOver(second), 'a tick later at most for others')
  waits = false
  clock.advance(250)
  t.equal(ticks, 6)
  t.equal(clock.waiting, 0)
  t.end()
})

t.test('however long a standstill is, it is one tick', (t) => {
  const clock = new ManualClock()
  const patience = new Patience(clock, 1000, () => true)
  const since = patience.start()
  clock.standStill(3_600_000)
  t.notOk(patience.isOver(since))
  clock.advance(500)
  t.notOk(patience.isOver(since))
  clock.advance(250)
  t.ok(patience.isOver(since))
  patience.stop()
  t.equal(clock.waiting, 0)
  t.end()
})
