import { once, EventEmitter } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openCheckpoint } from '../../../proxy/audit/checkpoint.ts'
import { parseKey } from '../../../proxy/audit/key.ts'
import { firstPrev } from '../../../proxy/audit/line.ts'
import { leafHash } from '../../../proxy/audit/tree.ts'
import { verifyLog } from '../../../proxy/audit/verify.ts'
import {
  diskError,
  heldDisk,
  linesOf,
  openTestLog,
  segmentsOf,
  temporaryFolder,
  testKey,
  watchedDisk,
} from './support.ts'

const vkey = { name: 'gatewright/w', publicKey: testKey.publicKey }

function kinds(folder: string): string[] {
  return linesOf(folder).map(({ kind }) => kind)
}

t.test('records are in order, chained, and the log ends with close and a checkpoint', async (t) => {
  const { log, folder, dir, clock, faults } = await openTestLog(temporaryFolder(t))
  const first = log.commit('intent', { request: 'a' })
  log.append('outcome', { request: 'a' })
  await first
  await log.commit('policy', { hash: 'h' })
  await log.close()
  t.same(kinds(folder), ['open', 'intent', 'outcome', 'policy', 'checkpoint', 'close'])
  let prev = firstPrev
  const [segment = ''] = segmentsOf(folder)
  for (const [index, line] of readFileSync(join(folder, segment), 'utf8').split('\n').slice(0, -1).entries()) {
    t.match(JSON.parse(line), { i: index, prev, t: '2026-11-21T00:00:00.000Z' })
    prev = leafHash(Buffer.from(line)).toString('base64')
  }
  t.match(openCheckpoint(readFileSync(join(folder, 'checkpoint'), 'utf8'), vkey), { checkpoint: { size: 6 } })
  t.match(await verifyLog(dir), { status: 'intact', records: 6, unsigned: 0 })
  t.equal(clock.waiting, 0, 'no timer is left')
  t.same(faults, [])
})

t.test('one chain goes on over restarts', async (t) => {
  const dir = temporaryFolder(t)
  for (let run = 0; run < 3; run += 1) {
    const { log } = await openTestLog(dir)
    await log.commit('outcome', { run })
    await log.close()
  }
  const lines = linesOf(join(dir, 'w'))
  t.same(
    lines.filter(({ kind }) => kind === 'open').map(({ clean }) => clean),
    [undefined, true, true],
  )
  t.same(
    lines.filter(({ kind }) => kind === 'outcome').map(({ run }) => run),
    [0, 1, 2],
  )
  t.equal(segmentsOf(join(dir, 'w')).length, 1)
  t.match(await verifyLog(dir), { status: 'intact' })
})

t.test('the writer id is made up once', async (t) => {
  const dir = temporaryFolder(t)
  for (let run = 0; run < 2; run += 1) await (await openTestLog(dir, { writer: undefined })).log.close()
  const folders = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  t.equal(folders.length, 1)
  t.match(folders[0]?.name, /^w-[0-9a-f]{8}$/)
})

t.test('a second writer is refused', async (t) => {
  const dir = temporaryFolder(t)
  const { log } = await openTestLog(dir)
  await t.rejects(openTestLog(dir), { code: 'audit-unavailable', details: { cause: /Another process is writing/ } })
  await log.commit('outcome', {})
  await log.close()
  await (await openTestLog(dir)).log.close()
})

t.test('another key is refused', async (t) => {
  const dir = temporaryFolder(t)
  await (await openTestLog(dir)).log.close()
  const other = parseKey(Buffer.alloc(32, 8).toString('base64'), 'test')
  await t.rejects(openTestLog(dir, { key: other }), {
    code: 'audit-unavailable',
    details: { cause: /not signed by the key/ },
  })
})

t.test(
  'files and folders belong to their owner alone',
  { skip: process.platform === 'win32' && 'no modes' },
  async (t) => {
    const { log, folder } = await openTestLog(join(temporaryFolder(t), 'new'))
    await log.close()
    t.equal(statSync(folder).mode & 0o777, 0o700)
    for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  },
)

t.test('what comes while the disk works forms the next group: one sync for all', async (t) => {
  const events = new EventEmitter()
  let held: Promise<unknown> | undefined
  let syncs = 0
  const disk = watchedDisk(async (operation, path) => {
    if (operation !== 'datasync' || !path.includes('.jsonl')) return
    syncs += 1
    events.emit('sync')
    await held
  })
  const { log } = await openTestLog(temporaryFolder(t), { disk })
  const before = syncs
  held = once(events, 'go')
  const syncing = once(events, 'sync')
  const first = log.commit('intent', { n: 0 })
  await syncing
  const rest = Array.from({ length: 100 }, (_, n) => log.commit('intent', { n: n + 1 }))
  t.equal(log.health().pending, 100)
  events.emit('go')
  held = undefined
  await Promise.all([first, ...rest])
  t.equal(syncs - before, 2)
  await log.close()
})

t.test('strict: a commit waits for the sync; an append alone causes none', async (t) => {
  let syncs = 0
  const disk = watchedDisk((operation, path) => {
    if (operation === 'datasync' && path.includes('.jsonl')) syncs += 1
  })
  const { log, folder } = await openTestLog(temporaryFolder(t), { disk })
  const before = syncs
  await log.commit('intent', {})
  t.equal(syncs, before + 1)
  log.append('outcome', {})
  await log.commit('intent', {})
  t.equal(syncs, before + 2)
  await log.close()
  t.equal(linesOf(folder).length, 6)
})

t.test('under load several commits share one write; whoever comes alone does not wait', async (t) => {
  let writes = 0
  const disk = watchedDisk((operation, path) => {
    if (operation === 'write' && path.includes('.jsonl')) writes += 1
  })
  const pauses: { readonly run: () => void; readonly ms: number }[] = []
  const { log, clock } = await openTestLog(temporaryFolder(t), {
    disk,
    pause: (run, ms) => void pauses.push({ run, ms }),
  })
  clock.advance(10)
  const before = writes
  await log.commit('intent', { n: 1 })
  await log.commit('intent', { n: 2 })
  t.equal(writes, before + 2)
  t.equal(pauses.length, 0)
  await Promise.all([log.commit('intent', { n: 3 }), log.commit('intent', { n: 4 })])
  t.equal(writes, before + 3, 'what comes together is written together')
  clock.advance(1)
  const first = log.commit('intent', { n: 5 })
  await new Promise((resolve) => setImmediate(resolve))
  const second = log.commit('intent', { n: 6 })
  t.same(
    pauses.map(({ ms }) => ms),
    [3],
  )
  t.equal(writes, before + 3)
  pauses[0]?.run()
  await Promise.all([first, second])
  t.equal(writes, before + 4)
  clock.advance(4)
  await log.commit('intent', { n: 7 })
  t.equal(pauses.length, 1, 'the log was idle')
  await log.close()
})

t.test('a group that is full waits for nobody', async (t) => {
  const pauses: (() => void)[] = []
  const { log, folder } = await openTestLog(temporaryFolder(t), { pause: (run) => void pauses.push(run) })
  const many = (count: number) => Promise.all(Array.from({ length: count }, (_, n) => log.commit('intent', { n })))
  await many(2)
  const more = many(768)
  t.equal(pauses.length, 1)
  pauses[0]?.()
  await more
  t.equal(pauses.length, 1, 'three groups, one after the other')
  await log.close()
  t.equal(kinds(folder).filter((kind) => kind === 'intent').length, 770)
})

t.test('what nobody waits for joins the next commit, or goes out by itself after a while', async (t) => {
  const writes: string[] = []
  const disk = watchedDisk((operation, path) => {
    if (operation === 'write' && path.includes('.jsonl')) writes.push(path)
  })
  const waits: (() => void)[] = []
  const { log, folder } = await openTestLog(temporaryFolder(t), { disk, linger: (run) => void waits.push(run) })
  const elapse = (): void => waits.splice(0).forEach((run) => run())
  const written = async (count: number): Promise<void> => {
    while (kinds(folder).length < count) await new Promise((resolve) => setImmediate(resolve))
  }
  const before = writes.length
  log.append('outcome', { n: 1 })
  log.append('outcome', { n: 2 })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(log.health().pending, 2)
  t.equal(waits.length, 1, 'one wait serves all')
  await log.commit('intent', { n: 3 })
  t.same(kinds(folder), ['open', 'outcome', 'outcome', 'intent'])
  t.equal(writes.length, before + 1)
  log.append('outcome', { n: 4 })
  elapse()
  t.equal(log.health().pending, 1, 'that wait was for records that are gone')
  elapse()
  await written(5)
  t.equal(log.health().pending, 0)
  t.equal(waits.length, 0, 'an idle log waits for nothing')
  log.append('outcome', { n: 5 })
  elapse()
  await written(6)
  for (let n = 0; n < 256; n += 1) log.append('outcome', { n })
  await written(262)
  t.pass('many do not wait')
  elapse()
  log.append('outcome', { n: 6 })
  await log.close()
  t.same(kinds(folder).slice(-3), ['outcome', 'checkpoint', 'close'], 'closing writes them')
})

t.test('batch: a commit waits for the write, the sync comes with the checkpoint', async (t) => {
  let syncs = 0
  const disk = watchedDisk((operation, path) => {
    if (operation === 'datasync' && path.includes('.jsonl')) syncs += 1
  })
  const { log, folder } = await openTestLog(temporaryFolder(t), { disk, durability: 'batch' })
  const before = syncs
  await log.commit('intent', { n: 1 })
  t.equal(linesOf(folder).length, 2, 'it is written')
  t.equal(syncs, before)
  await log.close()
  t.equal(syncs, before + 1)
})

t.test('a checkpoint comes a second after the first record, and none for an idle log', async (t) => {
  const { log, folder, clock } = await openTestLog(temporaryFolder(t))
  t.equal(log.health().checkpointAgeMs, 0)
  await log.commit('outcome', {})
  clock.advance(999)
  t.equal(log.health().checkpointAgeMs, 999)
  const published = publication(folder)
  clock.advance(1)
  t.equal(await published(), 3, 'open, outcome, and the record of the checkpoint before')
  clock.advance(60_000)
  await log.commit('outcome', {})
  t.same(kinds(folder), ['open', 'outcome', 'checkpoint', 'outcome'])
  await log.close()
})

t.test('nothing comes after the close record, however long its checkpoint takes', async (t) => {
  const { disk, hold, go } = heldDisk('rename')
  const { log, folder, dir, clock } = await openTestLog(temporaryFolder(t), { disk })
  await log.commit('outcome', {})
  clock.advance(999)
  const publishing = hold()
  const closed = log.close()
  await publishing
  clock.advance(1)
  go()
  await closed
  t.equal(kinds(folder).at(-1), 'close')
  t.match(await verifyLog(dir), { status: 'intact' })
})

t.test('a checkpoint comes after many records', async (t) => {
  const { log, folder } = await openTestLog(temporaryFolder(t), { checkpointRecords: 50 })
  const published = publication(folder)
  await Promise.all(Array.from({ length: 60 }, () => log.commit('outcome', {})))
  await log.commit('outcome', {})
  t.ok((await published()) >= 50)
  await log.close()
})

t.test('segments are begun by size and by age', async (t) => {
  const { log, folder, dir, clock } = await openTestLog(temporaryFolder(t), {
    segmentBytesMax: 2000,
    segmentAgeMaxMs: 60_000,
  })
  for (let n = 0; n < 10; n += 1) await log.commit('outcome', { text: 'x'.repeat(400) })
  const bySize = segmentsOf(folder)
  t.ok(bySize.length >= 3)
  clock.advance(60_000)
  await log.commit('outcome', {})
  t.equal(segmentsOf(folder).length, bySize.length + 1)
  await log.close()
  const lines = linesOf(folder)
  for (const name of segmentsOf(folder)) t.match(lines[Number(name.slice(0, 20))], { kind: 'open' })
  t.match(await verifyLog(dir), { status: 'intact', segments: bySize.length + 1 })
  const { log: again } = await openTestLog(dir, { clock })
  await again.close()
  t.match(await verifyLog(dir), { status: 'intact' })
})

t.test(
  'a disk that does not answer: commits are rejected in time, health says so, and it ends when the disk is back',
  async (t) => {
    const { disk, hold, go } = heldDisk('datasync')
    const { log, clock, folder } = await openTestLog(temporaryFolder(t), { disk, commitTimeoutMs: 250 })
    const syncing = hold()
    const first = log.commit('intent', { n: 1 })
    await syncing
    clock.advance(100)
    const second = log.commit('intent', { n: 2 })
    clock.advance(150)
    await t.rejects(first, { code: 'audit-unavailable' })
    t.match(log.health(), { ok: false, reason: /does not answer/ })
    await t.rejects(log.commit('intent', { n: 3 }), { code: 'audit-unavailable' }, 'at once')
    clock.advance(125)
    await t.rejects(second, { code: 'audit-unavailable' }, 'a quarter of that later at most')
    go()
    await log.close()
    t.same(
      linesOf(folder)
        .filter(({ kind }) => kind === 'intent')
        .map(({ n }) => n),
      [1, 2],
      'what was on its way is there',
    )
  },
)

t.test('a process that stood still for long: what the disk did meanwhile is heard first', async (t) => {
  const { disk, hold, go } = heldDisk('datasync')
  const { log, clock } = await openTestLog(temporaryFolder(t), { disk, commitTimeoutMs: 250 })
  const syncing = hold()
  const first = log.commit('intent', { n: 1 })
  await syncing
  clock.advance(10)
  const second = log.commit('intent', { n: 2 })
  clock.standStill(60_000)
  t.match(log.health(), { ok: true })
  const third = log.commit('intent', { n: 3 })
  go()
  await Promise.all([first, second, third])
  await log.close()
  t.equal(clock.waiting, 0)
})

t.test('a full queue: commits are rejected, appends are counted in a gap record', async (t) => {
  const { disk, hold, go } = heldDisk('write')
  const taken: string[] = []
  const losses: number[] = []
  const { log, folder, dir } = await openTestLog(temporaryFolder(t), {
    disk,
    queueRecordsMax: 3,
    onRecord: (kind) => taken.push(kind),
    onLost: (count) => losses.push(count),
  })
  const writing = hold()
  log.append('outcome', { n: 0 })
  await writing
  for (let n = 1; n <= 5; n += 1) log.append('outcome', { n })
  await t.rejects(log.commit('intent', {}), { code: 'audit-unavailable', details: { cause: /full/ } })
  t.same(losses, [1, 2], 'each is told')
  go()
  await log.close()
  t.match(
    linesOf(folder).filter(({ kind }) => kind === 'gap'),
    [{ why: 'queue-full', lost: 2 }],
  )
  t.same(
    taken.sort(),
    linesOf(folder)
      .map(({ kind }) => kind)
      .sort(),
    'what was told as taken is what is there',
  )
  t.match(await verifyLog(dir), { status: 'intact' })
})

t.test('who closes a log on a disk that fails is told that records are lost', async (t) => {
  let broken = false
  const disk = watchedDisk((operation) => {
    if (broken && operation === 'write') throw diskError('ENOSPC')
  })
  for (const durability of ['strict', 'batch'] as const) {
    broken = false
    const { log, dir } = await openTestLog(temporaryFolder(t), { disk, durability })
    broken = true
    for (let n = 0; n < 3; n += 1) log.append('outcome', { n })
    const said: unknown = await log.close().catch((error: unknown) => error)
    t.match(said, { code: 'audit-unavailable' }, durability)
    t.match(String((said as Error).cause), /4 of them.*ENOSPC/)
    t.match(log.health(), { ok: false, reason: /closed/ })
    t.match(await verifyLog(dir), { status: 'incomplete' })
    broken = false
    await (await openTestLog(dir, { disk })).log.close()
  }
})

t.test('a closed log takes nothing', async (t) => {
  const { log } = await openTestLog(temporaryFolder(t))
  await Promise.all([log.close(), log.close()])
  t.throws(() => log.append('outcome', {}), { code: 'audit-unavailable' })
  await t.rejects(log.commit('intent', {}), { code: 'audit-unavailable' })
  t.match(log.health(), { ok: false, reason: /closed/ })
})

t.test('reserved fields are a mistake of the caller', async (t) => {
  const { log } = await openTestLog(temporaryFolder(t))
  t.throws(() => log.append('outcome', { i: 1 }), { code: 'internal' })
  await t.rejects(log.commit('intent', { prev: '' }), { code: 'internal' })
  await log.close()
})

t.test('without the key file beside it nothing but public files stay', async (t) => {
  const { log, folder } = await openTestLog(temporaryFolder(t))
  await log.close()
  t.same(readdirSync(folder).sort(), [
    '00000000000000000000.jsonl',
    'checkpoint',
    'checkpoints.log',
    'frontier',
    'vkey',
  ])
  t.notOk(existsSync(join(folder, 'recovery')))
})

/** Call before what makes the log publish; the result gives the size of the next checkpoint. */
function publication(folder: string): () => Promise<number> {
  const path = join(folder, 'checkpoint')
  const before = readFileSync(path, 'utf8')
  return async () => {
    for (;;) {
      const note = readFileSync(path, 'utf8')
      if (note !== before) return Number(note.split('\n')[1])
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

t.test('a folder that cannot be is refused at once, and the error names it', async (t) => {
  const file = join(temporaryFolder(t), 'file')
  writeFileSync(file, '')
  const nowhere = existsSync('/proc/self') ? ['/proc/gatewright/audit'] : []
  for (const dir of [file, join(file, 'below'), ...nowhere]) {
    await t.rejects(openTestLog(dir), {
      code: 'audit-unavailable',
      details: { cause: { message: new RegExp(`its folder in ${dir}: .*audit\\.dir`) } },
    })
  }
})
