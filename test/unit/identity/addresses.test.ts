import t from 'tap'
import { Networks, parseNetwork } from '../../../proxy/identity/addresses.ts'

function networks(...texts: string[]): Networks {
  return new Networks(texts.flatMap((text) => parseNetwork(text) ?? []))
}

t.test('an address has the same answer each time, however many others come in between', async (t) => {
  const lower = networks('10.0.0.0/9', '2001:db8::/32')
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 1500; i++) {
      const rest = `${i >> 8}.${i & 255}`
      if (!lower.holds(`10.1.${rest}`) || lower.holds(`10.129.${rest}`)) t.fail(rest)
    }
  }
  t.equal(lower.holds('2001:db8::1%eth0'), true)
  t.equal(lower.holds('::ffff:10.0.0.1'), true)
  for (const nothing of ['', 'localhost', '10.1']) {
    t.equal(lower.holds(nothing), false)
    t.equal(lower.holds(nothing), false)
  }
})
