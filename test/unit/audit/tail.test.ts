import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { tailLog } from '../../../proxy/audit/tail.ts'
import { openTestLog, segmentsOf, temporaryFolder } from './support.ts'
import { ManualClock } from '../../support/clock.ts'

async function numbers(lines: AsyncIterable<string>): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const line of lines) seen.push((JSON.parse(line) as { n?: number }).n)
  return seen
}

t.test('the last lines, over segments', async (t) => {
  const dir = temporaryFolder(t)
  const { log, folder } = await openTestLog(dir, { segmentBytesMax: 1000 })
  for (let n = 0; n < 20; n += 1) await log.commit('outcome', { n })
  t.ok(segmentsOf(folder).length > 2)
  t.same(
    (await numbers(tailLog(dir, { lines: 100 }))).filter((n) => n !== undefined),
    Array.from({ length: 20 }, (_, n) => n),
  )
  t.same((await numbers(tailLog(dir, { lines: 1 }))).length, 1)
  t.same(await numbers(tailLog(dir, { lines: 0 })), [])
  await log.close()
})

t.test('a line that is being written is not shown', async (t) => {
  const dir = temporaryFolder(t)
  const { log, folder } = await openTestLog(dir)
  await log.commit('outcome', { n: 1 })
  await log.close()
  appendFileSync(join(folder, segmentsOf(folder)[0] ?? ''), '{"half')
  t.equal((await numbers(tailLog(dir, { lines: 100 }))).length, 4)
})

t.test('several writers, in order of time', async (t) => {
  const dir = temporaryFolder(t)
  const clock = new ManualClock()
  const a = await openTestLog(dir, { writer: 'a', clock })
  const b = await openTestLog(dir, { writer: 'b', clock })
  for (let n = 0; n < 6; n += 1) {
    clock.advance(10)
    await (n % 2 === 0 ? a : b).log.commit('outcome', { n })
  }
  t.same(
    (await numbers(tailLog(dir, { lines: 4 }))).filter((n) => n !== undefined),
    [2, 3, 4, 5],
  )
  await a.log.close()
  await b.log.close()
})

t.test('a clock that was set back leaves the order of a log as it is', async (t) => {
  const dir = temporaryFolder(t)
  const clock = new ManualClock()
  const a = await openTestLog(dir, { writer: 'a', clock })
  for (const [n, stepMs] of [10, -60_000, 10].entries()) {
    clock.jump(stepMs)
    await a.log.commit('outcome', { n })
  }
  t.same(
    (await numbers(tailLog(dir))).filter((n) => n !== undefined),
    [0, 1, 2],
  )
  await a.log.close()
})

t.test('following sees new lines, new segments and new writers, once each', async (t) => {
  const dir = temporaryFolder(t)
  const { log } = await openTestLog(dir, { segmentBytesMax: 500 })
  await log.commit('outcome', { n: 0 })
  const stop = new AbortController()
  const seen: number[] = []
  let other: Awaited<ReturnType<typeof openTestLog>> | undefined
  for await (const line of tailLog(dir, { lines: 1, follow: true, pollMs: 5, signal: stop.signal })) {
    const { n } = JSON.parse(line) as { n?: number }
    if (n === undefined) continue
    seen.push(n)
    if (n === 4) other = await openTestLog(dir, { writer: 'other' })
    if (n < 6) await (n < 4 ? log : other?.log)?.commit('outcome', { n: n + 1 })
    else stop.abort()
  }
  t.same(seen, [0, 1, 2, 3, 4, 5, 6])
  await log.close()
  await other?.log.close()
})

t.test('a folder without a log', async (t) => {
  await t.rejects(numbers(tailLog(temporaryFolder(t))), /no audit log/)
})
