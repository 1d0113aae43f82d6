// Which credential is used next: what rests and why, and what happens when all of them do.
import t, { type Test } from 'tap'
import { Fault } from '../../../proxy/errors.ts'
import { Keyring } from '../../../proxy/upstream/keyring.ts'
import { ManualClock } from '../../support/clock.ts'

function open(): Keyring<string> {
  const entry = (name: string) => ({ name, holding: `key ${name}` })
  return new Keyring([entry('a'), entry('b')], new ManualClock())
}

function refusalOf(t: Test, pick: () => unknown): Fault {
  try {
    pick()
  } catch (error) {
    if (error instanceof Fault) return error
  }
  return t.fail('it was not refused') as never
}

t.test('a credential that is refused rests, and the next one is used', async (t) => {
  const ring = open()
  const first = ring.pick('m')
  ring.rest(first, 'm', 401, undefined)
  t.equal(ring.pick('m').name, 'b')
  t.equal(ring.pick('other').name, 'b', 'for every model')
})

t.test('where all are refused by what one caller sends, others are still asked for', async (t) => {
  const ring = open()
  for (let turn = 0; turn < 2; turn++) ring.rest(ring.pick('m'), 'm', 401, undefined)
  t.equal(ring.pick('m').name, 'b')
  t.ok(ring.restingMs('m') > 0, 'another upstream is asked first')
  t.notOk(ring.refuses('m'))
})

t.test('where all were asked to wait, nothing is sent', async (t) => {
  const ring = open()
  for (let turn = 0; turn < 2; turn++) ring.rest(ring.pick('m'), 'm', 429, 5000)
  t.match(
    refusalOf(t, () => ring.pick('m')),
    { code: 'rate-limited', details: { retryAfterMs: 5000 } },
  )
  t.ok(ring.refuses('m'))
})

t.test('one that was only refused is asked before one that was asked to wait', async (t) => {
  const ring = open()
  ring.rest(ring.pick('m'), 'm', 429, 5000)
  ring.rest(ring.pick('m'), 'm', 401, undefined)
  t.equal(ring.pick('m').name, 'b')
  t.equal(ring.pick('other').name, 'a')
})

t.test('a 503 that asks to wait speaks of the upstream, so all rest, but for other models', async (t) => {
  const ring = open()
  ring.rest(ring.pick('m'), 'm', 503, 5000)
  t.match(
    refusalOf(t, () => ring.pick('m')),
    { code: 'breaker-open', details: { retryAfterMs: 5000 } },
  )
  t.equal(ring.pick('other').name, 'a')
  ring.rest(ring.pick('other'), 'other', 503, undefined)
  t.equal(ring.pick('other').name, 'a', 'without a time it is only a failure')
})
