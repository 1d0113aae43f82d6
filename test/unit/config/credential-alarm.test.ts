import t from 'tap'
import { credentialAlarm } from '../../../proxy/config/credential-alarm.ts'

const answered = (status: number, credential?: string) =>
  ({ outcome: 'answered', status, waitedMs: 0, ...(credential === undefined ? {} : { credential }) }) as const

t.test('five refusals in a row are an alarm, once', async (t) => {
  const alarm = credentialAlarm()
  const rung = [401, 403, 401, 401].map((status) => alarm(answered(status)))
  t.notOk(alarm(answered(200)), 'somebody is served')
  rung.push(...[401, 401, 401, 401].map((status) => alarm(answered(status))))
  t.same(rung, Array(8).fill(false))
  t.notOk(alarm({ outcome: 'upstream-timeout', waitedMs: 0 }), 'nothing was said')
  t.ok(alarm(answered(403)))
  t.notOk(alarm(answered(403)), 'no second time')
})

t.test('one of several that is refused each time it is tried rings, although the others are answered', async (t) => {
  const alarm = credentialAlarm()
  for (let turn = 0; turn < 4; turn++) {
    t.notOk(alarm(answered(401, 'one')))
    t.notOk(alarm(answered(200, 'two')))
  }
  t.ok(alarm(answered(401, 'one')))
})
