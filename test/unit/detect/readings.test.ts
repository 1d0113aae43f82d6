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

void t.test('a value in base64 of several lines is found wherever the lines are broken', async (t) => {
  const scan = (text: string) => scanText(text, ['us-ssn'])
  let missed = 0
  for (const width of [60, 64, 72, 76]) {
    for (const [filler, lineEnd] of [
      ['x', '\n'],
      ['ü', '\r\n  '],
    ] as const) {
      for (let before = 0; before < 130; before++) {
        const encoded = Buffer.from(`${filler.repeat(before)} 378-07-9520 ${filler.repeat(90)}`).toString('base64')
        const text = encoded.replaceAll(new RegExp(`.{${width}}(?=.)`, 'g'), (line) => line + lineEnd)
        const digitsTo = (index: number): number => text.slice(0, index).replaceAll(/\s/g, '').length
        const [found, ...more] = scan(text)
        const from = (4 * (1 + Buffer.byteLength(filler.repeat(before)))) / 3
        const early = Math.floor(from) - digitsTo(found?.start ?? 0)
        const late = digitsTo(found?.end ?? 0) - Math.ceil(from + (4 * 11) / 3)
        // Three bytes that are on two lines are told as one.
        const isFound = early >= 0 && early < 4 && late >= 0 && late < 4
        if (!isFound || more.length > 0 || /\s$/.test(text.slice(found?.start, found?.end))) missed++
      }
    }
  }
  t.equal(missed, 0)
})

void t.test('a line of base64 ends where it is not one of several', async (t) => {
  const scan = (text: string) => scanText(text, ['us-ssn', 'github-token'])
  const key = Buffer.from(`a ghp_${'a1B2c3D4e5F6'.repeat(3)} 123`).toString('base64')
  t.equal(key.length, 64)
  for (const after of ['\nthe words', '\nthem', '\r\n', '\n\n', '\nNDExMTExMTEx is more', `\n${'b'.repeat(66)}`])
    t.equal(scan(key + after).length, 1, after)
})
