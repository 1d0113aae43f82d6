// What the audit log does when the disk fails: nothing that was acknowledged is lost, nothing that was not is
// acknowledged, and the log it leaves is whole.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { LogOptions } from '../../proxy/audit/log.ts'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { systemClock } from '../../proxy/lib/clock.ts'
import { ManualClock } from '../support/clock.ts'
import {
  diskError,
  linesOf,
  openTestLog,
  type Operation,
  segmentsOf,
  temporaryFolder,
  testKey,
  watchedDisk,
} from '../unit/audit/support.ts'
import { openLog } from '../../proxy/audit/log.ts'

/** A disk whose operations on segments fail while `failing` says so. */
function failingDisk(): { disk: NonNullable<LogOptions['disk']>; failing: Map<Operation, string>; seen: string[] } {
  const failing = new Map<Operation, string>()
  const seen: string[] = []
  const disk = watchedDisk((operation, path) => {
    if (!path.includes('.jsonl') && operation !== 'syncFolder') return
    seen.push(`${operation} ${path.replace(/.*\//, '')}`)
    const code = failing.get(operation)
    if (code !== undefined) throw diskError(code)
  })
  return { disk, failing, seen }
}

function numbers(folder: string): unknown[] {
  return linesOf(folder)
    .filter(({ kind }) => kind === 'outcome')
    .map(({ n }) => n)
}

t.test(
  'a failed sync: new segment, what was not durable is written again, and the old file is never synced again',
  async (t) => {
    const { disk, failing, seen } = failingDisk()
    const { log, folder, dir, faults } = await openTestLog(temporaryFolder(t), { disk })
    await log.commit('outcome', { n: 0 })
    log.append('outcome', { n: 1 })
    failing.set('datasync', 'EIO')
    const commit = log.commit('outcome', { n: 2 })
    const commits = [commit, log.commit('outcome', { n: 3 })]
    await new Promise<void>((resolve) => {
      const look = (): void => (faults.length > 0 ? resolve() : void setImmediate(look))
      look()
    })
    failing.clear()
    seen.length = 0
    // The first attempt to go on may have failed too: then the commits were rejected, and are tried again.
    const settled = await Promise.allSettled(commits)
    if (settled.some(({ status }) => status === 'rejected')) t.pass('closed to commits until the retry')
    await log.close()
    const old = segmentsOf(folder)[0] ?? ''
    t.notOk(seen.includes(`datasync ${old}`), 'the descriptor that failed is left alone')
    t.equal(segmentsOf(folder).length, 2)
    t.same(numbers(folder), [0, 1, 2, 3], 'once each')
    t.match(
      linesOf(folder).find(({ kind }) => kind === 'gap'),
      { why: 'fault', error: 'EIO', lost: 0 },
    )
    t.match(await verifyLog(dir), { status: 'intact' })
  },
)

for (const operation of ['write', 'datasync', 'create', 'rename', 'syncFolder', 'truncate'] as const) {
  t.test(`one failure of ${operation}`, async (t) => {
    let armed = false
    let failures = 0
    const disk = watchedDisk((seen, path) => {
      if (!armed || (!path.includes('.jsonl') && seen !== 'syncFolder')) return
      // The operations of going on are only reached after another failure.
      const trigger = seen === operation || (failures === 0 && seen === 'write' && operation !== 'datasync')
      if (!trigger || failures >= (operation === 'write' || operation === 'datasync' ? 1 : 2)) return
      failures += 1
      throw diskError('EIO')
    })
    const clock = new ManualClock()
    const { log, folder, dir } = await openTestLog(temporaryFolder(t), { disk, clock })
    await log.commit('outcome', { n: 0 })
    armed = true
    const acknowledged: number[] = [0]
    for (let n = 1; n <= 3; n += 1) {
      await log.commit('outcome', { n }).then(
        () => acknowledged.push(n),
        () => undefined,
      )
    }
    while (!log.health().ok) {
      clock.advance(1000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    // It came back by itself.
    await log.commit('outcome', { n: 4 })
    acknowledged.push(4)
    await log.close()
    const written = numbers(folder)
    t.same(written, [...new Set(written)], 'nothing twice')
    t.ok(
      acknowledged.every((n) => written.includes(n)),
      'nothing acknowledged is lost',
    )
    t.match(await verifyLog(dir), { status: 'intact' })
  })
}

t.test('a disk that stays full closes the log to commits, until there is room', async (t) => {
  const { disk, failing } = failingDisk()
  const { log, clock, folder, dir } = await openTestLog(temporaryFolder(t), { disk })
  await log.commit('outcome', { n: 0 })
  failing.set('write', 'ENOSPC')
  await t.rejects(log.commit('outcome', { n: 1 }), { code: 'audit-unavailable' })
  t.match(log.health(), { ok: false, reason: /ENOSPC/ })
  await t.rejects(log.commit('outcome', { n: 2 }), { code: 'audit-unavailable' }, 'at once')
  log.append('outcome', { n: 3 })
  clock.advance(1000)
  await new Promise((resolve) => setImmediate(resolve))
  t.notOk(log.health().ok, 'the retry failed too')
  failing.clear()
  while (!log.health().ok) {
    clock.advance(1000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await log.commit('outcome', { n: 4 })
  await log.close()
  t.same(numbers(folder), [0, 1, 3, 4], 'the refused one that was queued is there, the one refused at once is not')
  t.match(
    linesOf(folder).find(({ kind }) => kind === 'gap'),
    { error: 'ENOSPC' },
  )
  t.match(await verifyLog(dir), { status: 'intact' })
})

t.test('closing while the disk is broken ends, and what was durable is whole', async (t) => {
  const { disk, failing } = failingDisk()
  const { log, folder, dir } = await openTestLog(temporaryFolder(t), { disk })
  await log.commit('outcome', { n: 0 })
  failing.set('write', 'EROFS').set('create', 'EROFS')
  await t.rejects(log.commit('outcome', { n: 1 }), { code: 'audit-unavailable' })
  await t.rejects(log.close(), { code: 'audit-unavailable' }, 'what did not become durable is lost')
  t.same(numbers(folder), [0])
  t.match(await verifyLog(dir), { status: 'incomplete' })
  await (await openTestLog(dir)).log.close()
  t.match(await verifyLog(dir), { status: 'intact' })
})

t.test('a checkpoint that cannot be published is told, and tried again', async (t) => {
  let failing = false
  const disk = watchedDisk((operation, path) => {
    if (failing && operation === 'create' && path.includes('checkpoint')) throw diskError('EIO')
  })
  const { log, clock, dir, faults } = await openTestLog(temporaryFolder(t), { disk })
  failing = true
  await log.commit('outcome', {})
  clock.advance(1000)
  while (faults.length === 0) await new Promise((resolve) => setImmediate(resolve))
  t.ok(log.health().ok, 'records still become durable')
  clock.advance(500)
  t.equal(log.health().checkpointAgeMs, 1500, 'but the age tells')
  failing = false
  await log.close()
  t.match(await verifyLog(dir), { status: 'intact', unsigned: 0 })
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && mountable()

function mountable(): boolean {
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

t.test('a real disk that is full', { skip: !canMount && 'needs root and mount' }, async (t) => {
  const root = temporaryFolder(t)
  const mount = join(root, 'disk')
  mkdirSync(mount)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mount])
  t.teardown(() => execFileSync('umount', ['-l', mount]))
  const log = await openLog({
    dir: join(mount, 'audit'),
    writer: 'w',
    key: testKey,
    durability: 'strict',
    clock: systemClock,
    retryMs: 10,
  })
  const ballast = join(mount, 'ballast')
  writeFileSync(ballast, Buffer.alloc(600 * 1024))
  let acknowledged = 0
  const fill = async (): Promise<void> => {
    for (;;) {
      await log.commit('outcome', { n: acknowledged, text: 'x'.repeat(4000) })
      acknowledged += 1
    }
  }
  await t.rejects(fill(), { code: 'audit-unavailable' })
  t.match(log.health(), { ok: false, reason: /ENOSPC/ })
  truncateSync(ballast, 0)
  while (!log.health().ok) await new Promise((resolve) => setImmediate(resolve))
  await log.commit('outcome', { n: 'after' })
  await log.close()
  const written = new Set(numbers(join(mount, 'audit', 'w')))
  for (let n = 0; n < acknowledged; n += 1) if (!written.has(n)) t.fail(`record ${n} is lost`)
  t.ok(written.has('after'))
  t.match(await verifyLog(join(mount, 'audit')), { status: 'intact' })
  t.notOk(readdirSync(join(mount, 'audit', 'w')).some((name) => name.startsWith('lock.')))
  t.ok(readFileSync(join(mount, 'audit', 'w', 'checkpoint'), 'utf8').length > 0)
  rmSync(ballast)
})

for (const [what, damage, mend] of [
  [
    'moved away',
    (path: string) => renameSync(path, `${path}.gone`),
    (path: string) => renameSync(`${path}.gone`, path),
  ],
  ['replaced', swap, swap],
] as const) {
  t.test(`a segment that was ${what}: closed to commits from the next checkpoint on, until it is back`, async (t) => {
    const { log, folder, dir, clock, faults } = await openTestLog(temporaryFolder(t))
    await log.commit('outcome', { n: 0 })
    const path = join(folder, segmentsOf(folder)[0] ?? '')
    writeFileSync(`${path}.gone`, '')
    damage(path)
    clock.advance(1000)
    await until(() => !log.health().ok)
    t.match(log.health(), { ok: false, reason: /segment-gone/ })
    t.match(faults[0], { message: /moved, removed or cut/ })
    await t.rejects(log.commit('intent', { n: 1 }), { code: 'audit-unavailable' })
    clock.advance(1000)
    await until(() => faults.length >= 3)
    t.notOk(log.health().ok, 'a try in vain')
    mend(path)
    clock.advance(1000)
    await until(() => log.health().ok)
    await log.commit('outcome', { n: 2 })
    await log.close()
    t.same(numbers(folder), [0, 2])
    t.match(await verifyLog(dir), { status: 'intact' })
  })
}

/** Exchanges the segment for an empty file. */
function swap(path: string): void {
  renameSync(path, `${path}.swapping`)
  renameSync(`${path}.gone`, path)
  renameSync(`${path}.swapping`, `${path}.gone`)
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}
