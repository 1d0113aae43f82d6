// kill -9 at any moment: every record that was acknowledged is there afterwards, and verification never says tampered.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'
import t from 'tap'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { linesOf, openTestLog, segmentsOf, temporaryFolder } from '../unit/audit/support.ts'

t.setTimeout(120_000)

const rounds = 20
const program = fileURLToPath(new URL('audit-writer.ts', import.meta.url))

t.test('a writer that is killed again and again', async (t) => {
  const dir = temporaryFolder(t)
  const acknowledged = new Set<number>()
  let last = 0
  for (let round = 0; round < rounds; round += 1) {
    const child = spawn(process.execPath, [program, dir, String(last)], { stdio: ['ignore', 'pipe', 'inherit'] })
    let rest = ''
    // Killed when so many records are acknowledged, which is at no special point of its work.
    const enough = 1 + ((round * 37) % 150)
    let count = 0
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        acknowledged.add(Number(line))
        last = Math.max(last, Number(line))
        count += 1
        if (count === enough) child.kill('SIGKILL')
      }
    })
    await once(child, 'close')
    t.ok(count >= enough, `round ${round} was killed, not ended`)
    // Numbers that were given out but not acknowledged are not used again.
    last += 10
    const { status, first } = await verifyLog(dir)
    t.not(status, 'tampered', first?.message ?? status)
  }
  const written = new Set(
    linesOf(join(dir, 'w'))
      .filter(({ kind }) => kind === 'intent')
      .map(({ n }) => n),
  )
  for (const n of acknowledged) if (!written.has(n)) t.fail(`record ${n} was acknowledged and is lost`)
  t.ok(acknowledged.size > rounds)
  t.ok(segmentsOf(join(dir, 'w')).length > 3)
  await (await openTestLog(dir)).log.close()
  t.match(await verifyLog(dir), { logs: [{ findings: [], unsigned: 0 }] })
})
