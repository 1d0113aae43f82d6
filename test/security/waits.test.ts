// An upstream may not make clients wait: whatever an SDK takes for a time to wait is a minute at most, however it is
// written and by whatever it is read.
import t from 'tap'
import { answer } from '../support/scripted-upstream.ts'
import { ManualClock } from '../support/clock.ts'
import { openFortress, talk } from './fortress.ts'

t.test('Retry-After is digits, and never over 60', async (t) => {
  const clock = new ManualClock()
  const fortress = await openFortress('', { clock })
  t.teardown(() => fortress.close())
  const inSeconds = (seconds: number): string => new Date(clock.now() + seconds * 1000).toUTCString()
  const sent = async (name: string, value: string): Promise<string | undefined> => {
    fortress.upstream.next(answer(500, '', { [name]: value }))
    const { replies } = await talk(fortress.port, 'GET /open/x HTTP/1.1\r\nhost: gateway.test\r\n\r\n')
    return new RegExp(`^${name}: (.*)$`, 'im').exec(replies[0]?.head ?? '')?.[1]
  }
  const capped = ['61', '120.5', '3600.0', '500 ', '9'.repeat(20), '9'.repeat(400), inSeconds(61), inSeconds(1e9)]
  for (const value of capped) t.equal(await sent('retry-after', value), '60', value)
  for (const [value, expected] of [
    ['60', '60'],
    ['7', '7'],
    ['0', '0'],
    ['2.5', '3'],
    ['-5', '0'],
    [inSeconds(30), '30'],
    [inSeconds(-30), '0'],
  ] as const)
    t.equal(await sent('retry-after', value), expected, value)
  // Some read a number whatever stands behind it, its sign and exponent, or any date.
  const neither = ['+300', '120s', '1e9', '120, 120', '61 seconds', '2027-11-22T11:44:40Z', 'Infinity', '0x1000']
  for (const value of [...neither, '1_000', 'soon', 'Sun Nov  6 08:49:37 2099'])
    t.equal(await sent('retry-after', value), undefined, value)
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    for (const value of ['60001', '1000000.5', '9'.repeat(20)]) t.equal(await sent(name, value), '60000', value)
    t.equal(await sent(name, '1500'), '1500')
    for (const value of ['+300000', '1e9', '300000ms', '0x1000000', 'Infinity', '120000, 1'])
      t.equal(await sent(name, value), undefined, value)
  }
})
