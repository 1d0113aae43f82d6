import t from 'tap'
import type { Clock } from '../../../proxy/lib/clock.ts'
import { LoopDelay } from '../../../proxy/pipeline/loop-delay.ts'

/** A clock whose timers fire when the test says, early or late. */
function stage() {
  let nowMs = 0
  let due: (() => void) | undefined
  const clock: Clock = {
    now: () => nowMs,
    monotonic: () => nowMs,
    after: (_, run) => {
      due = run
      return { cancel: () => (due = undefined) }
    },
  }
  const delay = new LoopDelay(clock)
  const turn = (tookMs: number): void => {
    nowMs += tookMs
    due?.()
  }
  return { delay, turn, isArmed: () => due !== undefined }
}

t.test('timers in time are no delay', async (t) => {
  const { delay, turn } = stage()
  for (let at = 0; at < 100; at++) turn(50)
  t.equal(delay.ms, 0)
})

t.test('one long pause is no overload, seconds of late timers are', async (t) => {
  const { delay, turn } = stage()
  turn(550)
  t.ok(delay.ms > 50 && delay.ms < 200)
  for (let at = 0; at < 20; at++) turn(350)
  t.ok(delay.ms > 280 && delay.ms <= 300)
  for (let at = 0; at < 80; at++) turn(50)
  t.ok(delay.ms < 50, 'and it is over when they are in time again')
})

t.test('a process that was stopped was not busy all the time', async (t) => {
  const { delay, turn } = stage()
  turn(3_600_000)
  t.ok(delay.ms < 400)
})

t.test('it can be ended', async (t) => {
  const { delay, isArmed } = stage()
  delay.close()
  t.notOk(isArmed())
})
