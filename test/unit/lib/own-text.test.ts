import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { ownText } from '../../../proxy/lib/own-text.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

t.test('it is the same text', async (t) => {
  const texts = [
    '',
    'short',
    'somebody@example.com',
    'Grüße aus Köln, 東京 und 🙂',
    'x'.repeat(13),
    'half a pair \ud83d',
  ]
  for (const text of texts) t.equal(ownText(`before ${text}`.slice(7)), text)
})

t.test('what it was cut out of is not kept', async (t) => {
  collect()
  const before = process.memoryUsage().heapUsed
  const kept: string[] = []
  for (let at = 0; at < 200; at++) {
    const whole = Buffer.from(`${'x'.repeat(100_000)}somebody@example.com`).toString()
    kept.push(ownText(whole.slice(-20)))
  }
  collect()
  t.ok(process.memoryUsage().heapUsed - before < 5e6)
  t.equal(kept.at(-1), 'somebody@example.com')
})
