// What the second pass goes over: texts that are full of values and of what is read differently take a while, not hours.
import t from 'tap'
import { scanText } from '../../../proxy/detect/scan-text.ts'

void t.test('many values, and an escape now and then, take no time in the square of them', async (t) => {
  const line = `${'a@b.com '.repeat(250)}c%64@b.com `
  const text = line.repeat(3000)
  const findings = scanText(text, ['email'])
  t.equal(findings.length, 3000 * 251)
  t.same(
    findings.slice(-2).map(({ start, end }) => text.slice(start, end)),
    ['a@b.com', 'c%64@b.com'],
  )
})

void t.test('a range that would begin inside of what comes before it is one with it', async (t) => {
  const text = `${'x'.repeat(600)}%61 account number: ${'1'.repeat(8)} ${'y'.repeat(900)} password=h%75nter2Zq9 ${'z'.repeat(700)} a@b.com%20`
  const found = scanText(text, ['pii', 'secrets']).map(({ start, end }) => text.slice(start, end))
  t.match(found, ['11111111', 'h%75nter2Zq9', 'a@b.com'])
})
