import t from 'tap'
import * as fc from 'fast-check'
import { Breakers, type BreakerPart, type BreakersSettings, type Pass } from '../../../proxy/upstream/breakers.ts'
import type { Verdict } from '../../../proxy/upstream/breaker.ts'
import { ManualClock } from '../../support/clock.ts'
import { breakerDefaults } from './harness.ts'

const defaults: BreakersSettings = { ...breakerDefaults, mode: 'auto', groups: [] }

type Setting = { breakers: Breakers; clock: ManualClock; told: BreakerPart[]; random: { value: number } }

/** `random` of a half is no jitter of an opening. */
function setting(settings: Partial<BreakersSettings> = {}): Setting {
  const clock = new ManualClock()
  const told: BreakerPart[] = []
  const random = { value: 0.5 }
  const breakers = new Breakers(
    { ...defaults, ...settings },
    { clock, random: () => random.value, onState: (part) => void told.push(part) },
  )
  return { breakers, clock, told, random }
}

function pass(breakers: Breakers, group: string): Pass {
  const admitted = breakers.admit(group)
  if ('retryAfterMs' in admitted) throw new Error(`${group} is refused for ${admitted.retryAfterMs} ms`)
  return admitted
}

/** Attempts that got an answer of this status. */
function answer(breakers: Breakers, group: string, status: number, times = 1): void {
  for (let turn = 0; turn < times; turn++) {
    const admitted = pass(breakers, group)
    admitted.answered(status)
    admitted.end(status < 500 ? 'success' : 'failure')
  }
}

function unreached(breakers: Breakers, group: string, times = 1, verdict: Verdict = 'failure'): void {
  for (let turn = 0; turn < times; turn++) pass(breakers, group).end(verdict, undefined, true)
}

const stateOf = (breakers: Breakers, group?: string): string | undefined =>
  breakers.parts().find((part) => part.group === group)?.state

t.test('a model that fails takes no other along', async (t) => {
  const { breakers, told, clock } = setting()
  answer(breakers, 'bad', 500, 5)
  t.ok(breakers.refusedMs('bad') > 0)
  t.equal(breakers.refusedMs('good'), 0)
  t.equal(breakers.refusedMs(''), 0)
  t.equal(breakers.state, 'open', 'the worst is shown')
  t.strictSame(told, [{ group: 'bad', state: 'open' }])
  answer(breakers, 'good', 200, 50)
  clock.advance(5000)
  answer(breakers, 'bad', 200)
  t.notOk(breakers.isClosed('bad'))
  t.ok(breakers.isClosed('good'))
  answer(breakers, 'bad', 200)
  t.equal(breakers.state, 'closed')
})

t.test('an attempt that timed out waiting is about its model', async (t) => {
  const { breakers } = setting()
  for (let turn = 0; turn < 5; turn++) pass(breakers, 'slow').end('failure')
  t.ok(breakers.refusedMs('slow') > 0)
  t.equal(stateOf(breakers), 'closed')
})

t.test('five that could not reach it hold all of them, whatever each asked for', async (t) => {
  const { breakers, told, clock } = setting({ groups: ['known'] })
  for (const group of ['a', 'b', 'c', '', 'known']) {
    t.equal(breakers.refusedMs('never asked for'), 0)
    unreached(breakers, group)
  }
  for (const group of ['a', 'known', '', 'never asked for']) t.equal(breakers.refusedMs(group), 5000)
  t.strictSame(told, [{ state: 'open' }], 'it is no fault of the models')
  t.strictSame(breakers.parts(), [
    { state: 'open' },
    { group: '', state: 'closed' },
    { group: 'known', state: 'closed' },
  ])
  clock.advance(5000)
  const probe = pass(breakers, 'a')
  t.ok(breakers.refusedMs('b') > 0, 'one probe for all')
  probe.answered(500)
  probe.end('failure')
  t.equal(stateOf(breakers), 'half-open', 'it can be reached, whatever it says')
  answer(breakers, 'b', 200)
  t.equal(stateOf(breakers), 'closed')
  t.equal(breakers.refusedMs('a'), 0)
})

t.test('any answer shows that it can be reached', async (t) => {
  const { breakers } = setting()
  unreached(breakers, 'a', 4)
  answer(breakers, 'a', 503)
  unreached(breakers, 'a', 4)
  t.equal(breakers.state, 'closed')
  pass(breakers, 'a').end('neutral')
  unreached(breakers, 'a')
  t.equal(stateOf(breakers), 'open', 'who leaves before an answer shows nothing')
})

t.test('whatever becomes of what was sent is about its model, however many are sent', async (t) => {
  const { breakers } = setting()
  for (const group of ['a', 'b', 'c', 'd', 'e', 'f'])
    for (let turn = 0; turn < 4; turn++) pass(breakers, group).end('failure')
  t.equal(breakers.state, 'closed')
  pass(breakers, 'a').end('failure')
  t.ok(breakers.refusedMs('a') > 0)
  t.equal(breakers.refusedMs('b'), 0)
})

t.test('a slow answer to the probe of one model keeps the others for one opening at most', async (t) => {
  const { breakers, clock } = setting()
  unreached(breakers, 'a', 5)
  clock.advance(5000)
  const slow = pass(breakers, 'slow')
  t.ok(breakers.refusedMs('b') > 0)
  clock.advance(5000)
  answer(breakers, 'b', 200)
  answer(breakers, 'c', 200)
  t.equal(breakers.state, 'closed')
  slow.end('failure')
  t.equal(stateOf(breakers), 'closed')
})

t.test('both must admit; a refusal by one takes no slot of the other', async (t) => {
  const { breakers, clock } = setting()
  answer(breakers, 'bad', 500, 5)
  clock.advance(1000)
  unreached(breakers, 'good', 5)
  clock.advance(4000)
  t.equal(breakers.refusedMs('bad'), 1000, 'its own time is over, not that of the upstream')
  t.equal(breakers.admit('bad') instanceof Object && 'retryAfterMs' in breakers.admit('bad'), true)
  clock.advance(1000)
  answer(breakers, 'bad', 200, 2)
  t.equal(breakers.state, 'closed')
})

t.test('the refused come back at different times', async (t) => {
  const { breakers, random } = setting()
  answer(breakers, 'bad', 500, 5)
  random.value = 0
  t.strictSame(breakers.admit('bad'), { retryAfterMs: 5000 })
  random.value = 0.999
  t.strictSame(breakers.admit('bad'), { retryAfterMs: 5999 })
})

t.test('who is let through in a panic is not heard', async (t) => {
  const { breakers, clock } = setting()
  answer(breakers, 'bad', 500, 5)
  for (const verdict of ['success', 'failure'] as const) {
    let told = 0
    const through = breakers.admit('bad', () => {
      told++
    }) as Pass
    t.equal(told, 1)
    through.answered(200)
    through.content()
    through.end(verdict)
    t.equal(breakers.refusedMs('bad'), 5000)
  }
  clock.advance(5000)
  const never = (): void => void t.fail('it was not refused')
  const probe = breakers.admit('bad', never) as Pass
  t.equal(stateOf(breakers, 'bad'), 'half-open', 'once it is time it is a probe like any other')
  probe.answered(200)
  probe.end('success')
  breakers.override('forced-open')
  t.match(breakers.admit('bad', never), { retryAfterMs: Number }, 'an operator is obeyed')
})

t.test('a pass is heard once', async (t) => {
  const { breakers } = setting({ consecutive: 2 })
  const only = pass(breakers, 'm')
  only.answered(500)
  only.end('failure')
  only.end('failure')
  only.answered(500)
  only.content()
  t.equal(breakers.state, 'closed')
})

t.test('an operator holds all of them or none, and lets go', async (t) => {
  const { breakers, told } = setting()
  breakers.override('forced-open')
  for (const group of ['', 'm']) t.equal(breakers.refusedMs(group), 60_000)
  breakers.override('disabled')
  answer(breakers, 'm', 500, 50)
  unreached(breakers, 'm', 50)
  t.equal(breakers.state, 'closed')
  t.ok(breakers.isClosed('m'))
  breakers.override('auto')
  t.equal(breakers.state, 'closed', 'what happened meanwhile was not counted')
  answer(breakers, 'm', 500, 5)
  t.equal(breakers.state, 'open')
  breakers.override('disabled')
  t.equal(breakers.refusedMs('m'), 0)
  t.equal(breakers.state, 'closed')
  breakers.override('auto')
  t.equal(breakers.state, 'open', 'as it has become')
  t.strictSame(
    told.map(({ group, state }) => `${group ?? '-'} ${state}`),
    ['- open', '- closed', '- closed', 'm open', '- closed', '- open'],
  )
  t.equal(setting({ mode: 'forced-open' }).breakers.state, 'open')
})

t.test('names that the upstream refuses are not remembered', async (t) => {
  const { breakers } = setting()
  for (let index = 0; index < 10_000; index++) answer(breakers, `no-such-${index}`, 404)
  t.strictSame(breakers.parts(), [{ state: 'closed' }, { group: '', state: 'closed' }])
  for (let index = 0; index < 10_000; index++) answer(breakers, `any-${index}`, 200)
  t.equal(breakers.parts().length, 258, 'nor more than there is room for, where all are served')
  answer(breakers, 'fails', 500, 5)
  t.ok(breakers.refusedMs('fails') > 0, 'who fails finds room all the same')
  t.equal(breakers.parts().length, 258)
  t.equal(stateOf(breakers, 'any-0'), undefined, 'that of the one that was used least lately')
  t.equal(stateOf(breakers, 'any-1'), 'closed')
})

t.test('whoever makes up names that fail holds no other model, and has none forgotten', async (t) => {
  const { breakers, clock, told } = setting({ groups: ['ours'] })
  answer(breakers, 'theirs', 200)
  answer(breakers, 'sick', 200)
  answer(breakers, 'sick', 500, 5)
  for (let index = 0; index < 2000; index++) answer(breakers, `made-up-${index % 1500}`, 500, 5)
  t.equal(breakers.parts().length, 2 + 1 + 256)
  for (const group of ['ours', 'theirs', 'never asked for']) t.equal(breakers.refusedMs(group), 0, group)
  t.equal(stateOf(breakers, 'theirs'), 'closed')
  t.equal(breakers.refusedMs('sick'), 5000)
  t.ok(breakers.refusedMs('made-up-499') > 0, 'what was asked for lately is held')
  answer(breakers, 'new', 200)
  t.equal(stateOf(breakers, 'new'), 'closed', 'who is served takes the place of one that never was')
  answer(breakers, 'ours', 500, 5)
  t.ok(breakers.refusedMs('ours') > 0)
  clock.advance(5000)
  for (const { group } of breakers.parts()) answer(breakers, group ?? '', 200, 2)
  t.equal(breakers.state, 'closed')
  const last = new Map(told.map(({ group, state }) => [group, state]))
  t.strictSame([...new Set(last.values())], ['closed'], 'of each that was open it is told that it is so no longer')
})

t.test('names that are served and then fail are bounded, too', async (t) => {
  const { breakers } = setting()
  for (let index = 0; index < 1000; index++) {
    answer(breakers, `any-${index}`, 200)
    answer(breakers, `any-${index}`, 500, 5)
  }
  t.equal(breakers.parts().length, 258)
  t.ok(breakers.refusedMs('any-999') > 0)
  t.equal(breakers.refusedMs('another'), 0)
})

t.test('whatever happens, each has one probe at most, and all have a way back', async () => {
  const step = fc.record({
    act: fc.constantFrom('admit', 'answered', 'content', 'success', 'failure', 'neutral', 'unreached', 'wait'),
    group: fc.constantFrom('a', 'b', 'c'),
    pick: fc.nat(),
    waitMs: fc.nat({ max: 4000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      // The slot of the probe for reaching it is given up after an opening's length, which is never over here.
      const { breakers, clock } = setting({ consecutive: 2, openMs: 60_000 })
      const live: Pass[] = []
      for (const { act, group, pick, waitMs } of steps) {
        if (act === 'wait') clock.advance(waitMs * 20)
        else if (act === 'admit') {
          const refusedMs = breakers.refusedMs(group)
          const admitted = breakers.admit(group)
          if ('retryAfterMs' in admitted !== refusedMs > 0) return false
          if ('retryAfterMs' in admitted) continue
          live.push(admitted)
          if (!breakers.isClosed(group) && breakers.refusedMs(group) === 0) return false
        } else {
          const chosen = live[pick % Math.max(1, live.length)]
          if (act === 'answered') chosen?.answered(200)
          else if (act === 'content') chosen?.content()
          else if (act === 'unreached') chosen?.end('failure', undefined, true)
          else chosen?.end(act)
        }
      }
      for (const left of live) left.end('neutral')
      clock.advance(60_000)
      for (const group of ['a', 'b', 'c']) answer(breakers, group, 200, 2)
      return breakers.state === 'closed'
    }),
  )
})
