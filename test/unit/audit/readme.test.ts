// The example in the specification is what the program writes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { leafHash } from '../../../proxy/audit/tree.ts'
import { verifyLog } from '../../../proxy/audit/verify.ts'
import { openTestLog, segmentsOf, temporaryFolder } from './support.ts'

t.test('the worked example', async (t) => {
  const { log, dir, folder } = await openTestLog(temporaryFolder(t))
  await log.commit('intent', { request: 'r1', decision: 'allow' })
  await log.commit('outcome', { request: 'r1', status: 200 })
  await log.close()
  const segment = readFileSync(join(folder, segmentsOf(folder)[0] ?? ''), 'utf8')
  const leaves = segment
    .split('\n')
    .slice(0, -1)
    .map((line, i) => `${i} ${leafHash(Buffer.from(line)).toString('hex')}\n`)
  const text = readFileSync(new URL('../../../proxy/audit/README.md', import.meta.url), 'utf8')
  const example = text.slice(text.indexOf('## An example'))
  const blocks = [...example.matchAll(/^```[a-z]*\n(.*?)^```$/gms)].map(([, block]) => block)
  const files = ['checkpoint', 'vkey'].map((name) => readFileSync(join(folder, name), 'utf8'))
  t.same(blocks, [segment, leaves.join(''), ...files])
  t.match(await verifyLog(dir), { status: 'intact', records: 5 })
})
