import * as fc from 'fast-check'
import t from 'tap'
import { subjectKey } from '../../../proxy/limits/key.ts'
import type { LimitSubject } from '../../../proxy/limits/limiter.ts'

const subject: LimitSubject = { principal: 'anna', ip: '10.0.0.1', route: 'r', upstream: 'u' }

t.test('two subjects share a key only when they are the same', async (t) => {
  const value = fc.oneof(fc.string(), fc.stringMatching(/^[01:-]{0,4}$/), fc.string({ minLength: 100, maxLength: 200 }))
  const optional = fc.option(value, { nil: undefined })
  const tuple = fc.tuple(value, optional, value, optional)
  const by = ['principal', 'org', 'route', 'model'] as const
  const keyOf = ([principal, org, route, model]: [string, string | undefined, string, string | undefined]): string =>
    subjectKey(by, {
      ...subject,
      principal,
      route,
      ...(org === undefined ? {} : { org }),
      ...(model === undefined ? {} : { model }),
    })
  fc.assert(
    fc.property(tuple, tuple, (a, b) => (keyOf(a) === keyOf(b)) === a.every((part, index) => part === b[index])),
    { numRuns: 2000 },
  )
  t.not(keyOf(['a|b', undefined, 'c', undefined]), keyOf(['a', undefined, 'b|c', undefined]))
  t.not(keyOf(['a:-b', undefined, 'c', undefined]), keyOf(['a', undefined, 'b:-c', undefined]))
  t.not(keyOf(['1:a', undefined, '', undefined]), keyOf(['', undefined, '1:a', undefined]))
})

t.test('keys stay short whatever a client sends', async (t) => {
  const key = subjectKey(['model'], { ...subject, model: 'm'.repeat(10_000_000) })
  t.ok(key.length < 50)
  t.equal(key, subjectKey(['model'], { ...subject, model: 'm'.repeat(10_000_000) }))
})

t.test('an IPv6 client is its /64, however the address is written', async (t) => {
  const ip = (ip: string): string => subjectKey(['ip'], { ...subject, ip })
  t.equal(ip('2001:db8:1:2::1'), ip('2001:0DB8:1:2:ffff:ffff:ffff:ffff'))
  t.not(ip('2001:db8:1:2::1'), ip('2001:db8:1:3::1'))
  t.equal(ip('::ffff:10.0.0.1'), ip('10.0.0.1'))
  t.not(ip('10.0.0.1'), ip('10.0.0.2'))
  t.equal(ip('fe80::1%eth0'), ip('fe80::2%eth1'))
  t.ok(ip('not:an:address'))
})
