import t from 'tap'
import * as fc from 'fast-check'
import { Breaker, type BreakerSettings, type BreakerState, type Verdict } from '../../../proxy/upstream/breaker.ts'
import { ManualClock } from '../../support/clock.ts'
import { breakerDefaults } from './harness.ts'

type Setting = { breaker: Breaker; clock: ManualClock; states: BreakerState[]; random: { value: number } }

/** `random` of a half is no jitter. */
function setting(settings: Partial<BreakerSettings> = {}): Setting {
  const clock = new ManualClock()
  const states: BreakerState[] = []
  const random = { value: 0.5 }
  const breaker = new Breaker(
    { ...breakerDefaults, ...settings },
    { clock, random: () => random.value, onState: (state) => void states.push(state) },
  )
  return { breaker, clock, states, random }
}

type Pass = { content(): void; end(verdict: Verdict, retryAfterMs?: number): void }

/** An attempt as whoever is admitted makes it. */
function pass(breaker: Breaker, forMs = Infinity): Pass {
  if (refused(breaker)) throw new Error(`refused for ${breaker.refusedMs()} ms`)
  const probe = breaker.enter(forMs)
  return {
    content: () => probe?.prove(),
    end: (...verdict) => (probe === undefined ? breaker.record(...verdict) : probe.end(...verdict)),
  }
}

function run(breaker: Breaker, verdict: Verdict, times = 1): void {
  for (let index = 0; index < times; index++) pass(breaker).end(verdict)
}

function refused(breaker: Breaker): boolean {
  return breaker.refusedMs() > 0
}

/** Opens, waits and lets two probes prove the upstream well. */
function tripAndHeal({ breaker, clock }: Setting): void {
  run(breaker, 'failure', 5)
  clock.advance(breaker.refusedMs())
  run(breaker, 'success', 2)
}

t.test('five failures in a row open it, four do not', async (t) => {
  const { breaker, states } = setting()
  run(breaker, 'failure', 4)
  run(breaker, 'success')
  run(breaker, 'failure', 4)
  t.equal(breaker.state, 'closed')
  run(breaker, 'failure')
  t.equal(breaker.state, 'open')
  t.ok(refused(breaker))
  t.strictSame(states, ['open'])
})

t.test('neutral ends neither count nor interrupt a row of failures', async (t) => {
  const { breaker } = setting()
  run(breaker, 'failure', 4)
  run(breaker, 'neutral', 100)
  t.equal(breaker.state, 'closed')
  run(breaker, 'failure')
  t.equal(breaker.state, 'open')
})

t.test('half of at least twenty open it', async (t) => {
  const few = setting({ consecutive: 1000 })
  run(few.breaker, 'failure', 19)
  t.equal(few.breaker.state, 'closed', 'nineteen are too few')
  run(few.breaker, 'failure')
  t.equal(few.breaker.state, 'open')

  const exact = setting({ consecutive: 1000 })
  run(exact.breaker, 'success', 10)
  run(exact.breaker, 'failure', 9)
  t.equal(exact.breaker.state, 'closed')
  run(exact.breaker, 'failure')
  t.equal(exact.breaker.state, 'open', 'ten of twenty')

  const below = setting({ consecutive: 1000 })
  run(below.breaker, 'success', 11)
  run(below.breaker, 'failure', 10)
  t.equal(below.breaker.state, 'closed', 'ten of twenty-one')
})

t.test('what is older than the window does not count towards the ratio', async (t) => {
  const { breaker, clock } = setting({ consecutive: 1000 })
  run(breaker, 'failure', 15)
  clock.advance(10_000)
  run(breaker, 'failure', 15)
  t.equal(breaker.state, 'closed')
  run(breaker, 'failure', 5)
  t.equal(breaker.state, 'open')
})

t.test('it is open for its time, then lets exactly one probe out', async (t) => {
  const { breaker, clock, states } = setting()
  run(breaker, 'failure', 5)
  clock.advance(4999)
  t.equal(breaker.refusedMs(), 1)
  t.equal(breaker.state, 'open')
  clock.advance(1)
  const probe = pass(breaker)
  t.equal(breaker.state, 'half-open')
  t.ok(refused(breaker), 'the slot is taken')
  probe.end('success')
  t.equal(breaker.state, 'half-open', 'one success is not enough')
  const second = pass(breaker)
  t.ok(refused(breaker))
  second.end('success')
  t.equal(breaker.state, 'closed')
  t.strictSame(states, ['open', 'half-open', 'closed'])
})

t.test('a failing probe opens it again, for twice the time', async (t) => {
  const { breaker, clock } = setting()
  run(breaker, 'failure', 5)
  for (const openMs of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    t.equal(breaker.refusedMs(), openMs)
    clock.advance(openMs)
    run(breaker, 'failure')
    t.equal(breaker.state, 'open')
  }
})

t.test('the first probe succeeding and the second failing opens it again', async (t) => {
  const { breaker, clock } = setting()
  run(breaker, 'failure', 5)
  clock.advance(5000)
  run(breaker, 'success')
  run(breaker, 'failure')
  t.equal(breaker.state, 'open')
  clock.advance(10_000)
  run(breaker, 'success')
  t.equal(breaker.state, 'half-open', 'successes are counted anew')
})

t.test('a probe that ends neutrally gives its slot back', async (t) => {
  const { breaker, clock } = setting()
  run(breaker, 'failure', 5)
  clock.advance(5000)
  run(breaker, 'neutral')
  t.equal(breaker.state, 'half-open')
  t.equal(breaker.refusedMs(), 0)
  run(breaker, 'success')
  run(breaker, 'neutral')
  run(breaker, 'success')
  t.equal(breaker.state, 'closed')
})

t.test('a streaming probe is judged at its first content', async (t) => {
  const { breaker, clock } = setting()
  run(breaker, 'failure', 5)
  clock.advance(5000)
  const long = pass(breaker)
  long.content()
  long.content()
  t.equal(breaker.refusedMs(), 0, 'its slot is free while it streams on')
  run(breaker, 'success')
  t.equal(breaker.state, 'closed')
  long.end('success')
  t.equal(breaker.state, 'closed')
})

t.test('a probe that breaks off after it proved itself counts where it lands', async (t) => {
  const closed = setting({ consecutive: 2 })
  run(closed.breaker, 'failure', 2)
  closed.clock.advance(5000)
  const long = pass(closed.breaker)
  long.content()
  run(closed.breaker, 'success')
  t.equal(closed.breaker.state, 'closed')
  run(closed.breaker, 'failure')
  long.end('failure')
  t.equal(closed.breaker.state, 'open', 'an ordinary failure of the closed state')

  const half = setting()
  run(half.breaker, 'failure', 5)
  half.clock.advance(5000)
  const first = pass(half.breaker)
  first.content()
  first.end('failure')
  t.equal(half.breaker.state, 'open', 'its proof is withdrawn')

  const later = setting()
  run(later.breaker, 'failure', 5)
  later.clock.advance(5000)
  const old = pass(later.breaker)
  old.content()
  run(later.breaker, 'failure')
  later.clock.advance(10_000)
  run(later.breaker, 'success')
  old.end('failure')
  t.equal(later.breaker.state, 'half-open', 'it says nothing about the present probes')
})

t.test('verdicts from before an opening change nothing while it is open', async (t) => {
  const { breaker, clock } = setting()
  const slow = Array.from({ length: 10 }, () => pass(breaker))
  run(breaker, 'failure', 5)
  const untilMs = breaker.refusedMs()
  for (const late of slow.slice(0, 5)) late.end('failure')
  t.equal(breaker.refusedMs(), untilMs)
  clock.advance(5000)
  const probe = pass(breaker)
  for (const late of slow.slice(5)) late.end('success')
  t.equal(breaker.state, 'half-open', 'only probes close it')
  probe.end('success')
  t.equal(breaker.state, 'half-open')
})

t.test('the time is raised to what the upstream asked for, up to a minute', async (t) => {
  const asked = setting()
  run(asked.breaker, 'failure', 4)
  pass(asked.breaker).end('failure', 30_000)
  t.equal(asked.breaker.refusedMs(), 30_000)

  const huge = setting()
  run(huge.breaker, 'failure', 4)
  pass(huge.breaker).end('failure', 1e12)
  t.equal(huge.breaker.refusedMs(), 60_000)

  const little = setting()
  run(little.breaker, 'failure', 4)
  pass(little.breaker).end('failure', 1)
  t.equal(little.breaker.refusedMs(), 5000)
})

t.test('jitter is a quarter either way and never beyond the longest', async (t) => {
  for (const [value, openMs] of [
    [0, 3750],
    [0.999_999, 6250],
  ] as const) {
    const { breaker, random } = setting()
    random.value = value
    run(breaker, 'failure', 5)
    t.equal(Math.round(breaker.refusedMs()), openMs)
  }
  const longest = setting({ openMs: 60_000 })
  longest.random.value = 0.999
  run(longest.breaker, 'failure', 5)
  t.equal(longest.breaker.refusedMs(), 60_000)
})

t.test('each length of the last opening spent closed forgives one trip', async (t) => {
  const set = setting()
  tripAndHeal(set)
  run(set.breaker, 'failure', 5)
  t.equal(set.breaker.refusedMs(), 10_000, 'straight away again: the second trip')
  set.clock.advance(10_000)
  run(set.breaker, 'success', 2)
  set.clock.advance(9999)
  run(set.breaker, 'failure', 5)
  t.equal(set.breaker.refusedMs(), 20_000, 'not yet a whole length: the third')
  set.clock.advance(20_000)
  run(set.breaker, 'success', 2)
  set.clock.advance(40_000)
  run(set.breaker, 'failure', 5)
  t.equal(set.breaker.refusedMs(), 10_000, 'two lengths forgive two of three')
  set.clock.advance(10_000)
  run(set.breaker, 'success', 2)
  set.clock.advance(1_000_000)
  run(set.breaker, 'failure', 5)
  t.equal(set.breaker.refusedMs(), 5000, 'all is forgiven')
})

t.test('closing forgets the failures that led to the opening', async (t) => {
  const set = setting()
  tripAndHeal(set)
  run(set.breaker, 'failure', 4)
  t.equal(set.breaker.state, 'closed')
})

t.test('nor do they count towards the ratio afterwards', async (t) => {
  const { breaker, clock } = setting({ consecutive: 1000, openMs: 1000 })
  run(breaker, 'failure', 20)
  clock.advance(1000)
  run(breaker, 'success', 2)
  run(breaker, 'failure', 19)
  t.equal(breaker.state, 'closed')
})

t.test('a probe of an earlier opening says nothing about this one', async (t) => {
  const { breaker, clock } = setting()
  run(breaker, 'failure', 5)
  clock.advance(5000)
  const proved = pass(breaker)
  proved.content()
  const overtaken = pass(breaker)
  proved.end('failure')
  clock.advance(10_000)
  const present = pass(breaker)
  overtaken.end('failure')
  t.equal(breaker.state, 'half-open')
  t.ok(refused(breaker), 'the slot is still taken')
  present.end('success')
  run(breaker, 'success')
  t.equal(breaker.state, 'closed')
})

t.test('a probe that says nothing for long keeps nobody, where a breaker is told so', async (t) => {
  const { breaker, clock } = setting()
  run(breaker, 'failure', 5)
  clock.advance(5000)
  const slow = pass(breaker, 5000)
  clock.advance(4999)
  t.ok(refused(breaker))
  clock.advance(1)
  const next = pass(breaker)
  slow.end('neutral')
  t.ok(refused(breaker), "the slot is the next one's")
  next.end('success')
  run(breaker, 'success')
  t.equal(breaker.state, 'closed')
})

t.test('it is quiet when a new one would do the same', async (t) => {
  const { breaker, clock } = setting()
  t.ok(breaker.isQuiet)
  run(breaker, 'failure')
  t.notOk(breaker.isQuiet)
  run(breaker, 'success')
  t.notOk(breaker.isQuiet, 'its window remembers')
  clock.advance(10_000)
  t.ok(breaker.isQuiet)
  run(breaker, 'failure', 5)
  t.notOk(breaker.isQuiet)
  clock.advance(5000)
  run(breaker, 'success', 2)
  t.notOk(breaker.isQuiet, 'the next opening would be longer')
  clock.advance(5000)
  t.ok(breaker.isQuiet)
})

t.test('whatever happens, there is at most one probe and a way back', async () => {
  const step = fc.record({
    act: fc.constantFrom('admit', 'content', 'success', 'failure', 'neutral', 'wait'),
    pick: fc.nat(),
    waitMs: fc.nat({ max: 20_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const set = setting({ consecutive: 2 })
      const { breaker, clock } = set
      const live: Pass[] = []
      for (const { act, pick, waitMs } of steps) {
        if (act === 'wait') clock.advance(waitMs)
        else if (act === 'admit') {
          if (refused(breaker)) continue
          live.push(pass(breaker))
          if (breaker.state !== 'closed' && !refused(breaker)) return false
        } else if (act === 'content') live[pick % live.length]?.content()
        else live.splice(pick % Math.max(1, live.length), 1)[0]?.end(act)
      }
      for (const left of live) left.end('neutral')
      clock.advance(60_000)
      for (let round = 0; round < 2; round++) if (breaker.state !== 'closed') run(breaker, 'success')
      return breaker.state === 'closed'
    }),
  )
})
