// Run by audit-kill.test.ts: writes records until it is killed, and prints the number of each when it is durable.
import { openLog } from '../../proxy/audit/log.ts'
import { systemClock } from '../../proxy/lib/clock.ts'
import { testKey } from '../unit/audit/support.ts'

const [dir = '', from = '0'] = process.argv.slice(2)
const log = await openLog({
  dir,
  writer: 'w',
  key: testKey,
  durability: 'strict',
  clock: systemClock,
  // Small, so that a kill also meets rotation and checkpoints.
  segmentBytesMax: 20_000,
  checkpointMs: 7,
  checkpointRecords: 100,
  // A disk that takes a second is nothing that this is about.
  commitTimeoutMs: 60_000,
})

let next = Number(from)

async function exchange(): Promise<void> {
  for (;;) {
    const n = (next += 1)
    await log.commit('intent', { request: `r${n}`, n, text: 'x'.repeat(n % 300) })
    process.stdout.write(`${n}\n`)
    log.append('outcome', { request: `r${n}`, n })
  }
}

await Promise.all([exchange(), exchange(), exchange(), exchange()])
