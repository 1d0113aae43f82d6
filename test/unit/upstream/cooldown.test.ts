import t from 'tap'
import { Fault } from '../../../proxy/errors.ts'
import { Cooldown } from '../../../proxy/upstream/cooldown.ts'
import { ManualClock } from '../../support/clock.ts'

function refusal(cooldown: Cooldown, group: string): Fault | undefined {
  return cooldown.resting(group)
}

t.test('one group rests, the others go on', async (t) => {
  const clock = new ManualClock()
  const cooldown = new Cooldown(clock)
  cooldown.start('gpt-4o', 5000, 429)
  const fault = refusal(cooldown, 'gpt-4o')
  t.match(fault, { code: 'rate-limited', retry: 'later', details: { retryAfterMs: 5000 } })
  t.equal(refusal(cooldown, 'gpt-4o-mini'), undefined)
  clock.advance(4999)
  t.equal(refusal(cooldown, 'gpt-4o')?.details.retryAfterMs, 1)
  clock.advance(1)
  t.equal(refusal(cooldown, 'gpt-4o'), undefined)
})

t.test('an upstream that is not available is said to be so', async (t) => {
  const cooldown = new Cooldown(new ManualClock())
  cooldown.start('', 1000, 503)
  t.match(refusal(cooldown, ''), { code: 'breaker-open', status: 503 })
})

t.test('a shorter rest does not cut a longer one short, and none is none', async (t) => {
  const clock = new ManualClock()
  const cooldown = new Cooldown(clock)
  cooldown.start('m', 5000, 429)
  cooldown.start('m', 1000, 429)
  cooldown.start('m', 0, 429)
  t.equal(refusal(cooldown, 'm')?.details.retryAfterMs, 5000)
  cooldown.start('n', 0, 429)
  t.equal(refusal(cooldown, 'n'), undefined)
})

t.test('groups come from clients, so only a thousand are kept', async (t) => {
  const clock = new ManualClock()
  const cooldown = new Cooldown(clock)
  cooldown.start('first', 60_000, 429)
  cooldown.start('brief', 1, 429)
  clock.advance(1)
  for (let index = 0; index < 998; index++) cooldown.start(`m${index}`, 60_000, 429)
  cooldown.start('one more', 60_000, 429)
  t.ok(refusal(cooldown, 'first') instanceof Fault, 'what was over made room')
  cooldown.start('and another', 60_000, 429)
  t.equal(refusal(cooldown, 'first'), undefined, 'the oldest was forgotten')
  t.ok(refusal(cooldown, 'and another') instanceof Fault)
})
