import { createHash } from 'node:crypto'
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { leafHash } from '../../../proxy/audit/tree.ts'
import { verifyLog } from '../../../proxy/audit/verify.ts'
import { diskError, linesOf, openTestLog, segmentsOf, temporaryFolder, watchedDisk } from './support.ts'

/** What is on the disk when the process dies now. */
function crashed(t: { teardown: (run: () => void) => void }, dir: string): string {
  const copy = temporaryFolder(t)
  cpSync(dir, copy, { recursive: true, filter: (source) => !source.includes('lock.') })
  return copy
}

function lastSegment(dir: string): string {
  return join(dir, 'w', segmentsOf(join(dir, 'w')).at(-1) ?? '')
}

async function whyNot(dir: string): Promise<string> {
  return openTestLog(dir).then(
    () => 'opened',
    (error: { details: { cause: Error } }) => error.details.cause.message,
  )
}

t.test('records after the last checkpoint are taken up again', async (t) => {
  const { log, dir } = await openTestLog(temporaryFolder(t))
  for (let n = 0; n < 20; n += 1) await log.commit('outcome', { n })
  const copy = crashed(t, dir)
  await log.close()
  const { log: again, folder } = await openTestLog(copy)
  await again.commit('outcome', { n: 20 })
  await again.close()
  const lines = linesOf(folder)
  t.same(
    lines.filter(({ kind }) => kind === 'outcome').map(({ n }) => n),
    Array.from({ length: 21 }, (_, n) => n),
  )
  t.match(
    lines.find(({ kind, i }) => kind === 'open' && i > 0),
    { why: 'start', clean: false },
  )
  t.match(await verifyLog(copy), { status: 'intact', unsigned: 0 })
})

t.test('a torn tail is moved away and recorded, wherever it was torn', async (t) => {
  const { log, dir } = await openTestLog(temporaryFolder(t))
  await log.commit('outcome', { text: 'ü€😀' })
  await log.commit('outcome', { text: 'last' })
  const copy = crashed(t, dir)
  await log.close()
  const whole = readFileSync(lastSegment(copy))
  const start = whole.lastIndexOf(0x0a, whole.length - 2) + 1
  for (let length = start + 1; length < whole.length; length += 7) {
    const torn = whole.subarray(start, length)
    const each = temporaryFolder(t)
    cpSync(copy, each, { recursive: true })
    writeFileSync(lastSegment(each), whole.subarray(0, length))
    t.match(await verifyLog(each), { status: 'incomplete', logs: [{ tornBytes: torn.length }] })
    const { log: again, folder } = await openTestLog(each)
    await again.close()
    const record = linesOf(folder).find(({ kind }) => kind === 'recovered')
    t.match(record, { bytes: torn.length, sha256: createHash('sha256').update(torn).digest('hex') })
    t.same(readFileSync(join(folder, String(record?.['file']))), torn)
    t.match(await verifyLog(each), { status: 'intact' })
  }
})

t.test('zeros after a power cut are torn bytes too', async (t) => {
  const { log, dir } = await openTestLog(temporaryFolder(t))
  await log.commit('outcome', {})
  const copy = crashed(t, dir)
  await log.close()
  appendFileSync(lastSegment(copy), Buffer.alloc(300_000))
  const { log: again, folder } = await openTestLog(copy)
  await again.close()
  t.match(
    linesOf(folder).find(({ kind }) => kind === 'recovered'),
    { bytes: 300_000 },
  )
  t.match(await verifyLog(copy), { status: 'intact' })
})

t.test('any other damage after the checkpoint is refused and left as it is', async (t) => {
  const { log, dir } = await openTestLog(temporaryFolder(t))
  for (let n = 0; n < 4; n += 1) await log.commit('outcome', { n })
  const copy = crashed(t, dir)
  await log.close()
  const path = lastSegment(copy)
  const text = readFileSync(path, 'utf8')
  const damages: [string, RegExp][] = [
    [text.replace('"n":2', '"n":9'), /record 3 is not the one/],
    [text.replace('"n":2', '"n": 2'), /canonical/],
    [text.replace(/.*"n":2.*\n/, ''), /record 3 should stand here/],
    [`${text}garbage\n`, /not a JSON object/],
    ['', /no header/],
    ['torn', /the log ends at 0 records|no header/],
  ]
  for (const [damaged, why] of damages) {
    writeFileSync(path, damaged)
    t.match(await whyNot(copy), why)
    t.equal(readFileSync(path, 'utf8'), damaged, 'nothing was changed')
  }
  writeFileSync(path, text)
  t.equal(await whyNot(copy), 'opened')
})

t.test('a log that is shorter than its checkpoint, or has none that can be trusted, is refused', async (t) => {
  const { log, dir, folder } = await openTestLog(temporaryFolder(t))
  await log.commit('outcome', {})
  await log.close()
  const note = readFileSync(join(folder, 'checkpoint'), 'utf8')
  const text = readFileSync(lastSegment(dir), 'utf8')
  writeFileSync(lastSegment(dir), text.slice(0, text.indexOf('\n') + 1))
  t.match(await whyNot(dir), /ends at 1 records, the checkpoint covers 4/)
  rmSync(lastSegment(dir))
  t.match(await whyNot(dir), /no segment/)
  writeFileSync(join(folder, '00000000000000000000.jsonl'), text)
  writeFileSync(join(folder, 'checkpoint'), note.replace('\n4\n', '\n3\n'))
  t.match(await whyNot(dir), /cannot be trusted/)
  writeFileSync(join(folder, 'checkpoint'), note)
  t.equal(await whyNot(dir), 'opened')
})

t.test('a log whose checkpoint is gone or older than one that was published is refused', async (t) => {
  const dir = temporaryFolder(t)
  const folder = join(dir, 'w')
  const notes: Buffer[] = []
  for (let n = 0; n < 8; n += 1) {
    const { log } = await openTestLog(dir, { segmentBytesMax: 1200 })
    await log.commit('outcome', { n })
    await log.close()
    notes.push(readFileSync(join(folder, 'checkpoint')))
  }
  const older = notes[3] ?? Buffer.alloc(0)
  const cut = segmentsOf(folder).slice(-2)
  t.ok(Number(cut[0]?.slice(0, 20)) > Number(String(older).split('\n')[1]), 'what is cut came after it')
  const damages: [string, readonly string[], Buffer | undefined, RegExp][] = [
    ['only the checkpoint', ['checkpoint'], undefined, /checkpoint is missing, although.*checkpoints\.log/],
    ['the last segments and all notes', [...cut, 'checkpoint', 'checkpoints.log', 'frontier'], undefined, /is missing/],
    ['all segments, but not the notes', [...segmentsOf(folder), 'checkpoint'], undefined, /checkpoint is missing/],
    ['the last segments', cut, older, /checkpoint covers .* although one that covers .* checkpoints\.log/],
    ['nothing', [], older, /although one that covers .* checkpoints\.log/],
    ['all older notes', ['checkpoints.log', 'frontier'], older, /although one that covers .*record \d+ shows it/],
  ]
  for (const [what, gone, note, why] of damages) {
    const each = crashed(t, dir)
    for (const name of gone) rmSync(join(each, 'w', name))
    if (note !== undefined) writeFileSync(join(each, 'w', 'checkpoint'), note)
    t.match(await verifyLog(each), { status: 'tampered' }, what)
    const before = readdirSync(join(each, 'w')).filter((name) => name !== 'vkey')
    t.match(await whyNot(each), why, what)
    t.same(
      readdirSync(join(each, 'w')).filter((name) => name !== 'vkey'),
      before,
      'nothing was added',
    )
    t.match(await verifyLog(each), { status: 'tampered' }, what)
  }
})

t.test('records that were changed with all their links are not gone on from without the frontier either', async (t) => {
  const { log, dir, folder } = await openTestLog(temporaryFolder(t))
  for (let n = 0; n < 4; n += 1) await log.commit('outcome', { n })
  await log.close()
  const lines = readFileSync(lastSegment(dir), 'utf8').split('\n').slice(0, -1)
  let last: Buffer | undefined
  const forged = lines.map((line) => {
    const prev = last?.toString('base64')
    const changed = (prev === undefined ? line : line.replace(/"prev":"[^"]*"/, `"prev":"${prev}"`)).replace(
      '"n":1',
      '"n":9',
    )
    last = leafHash(Buffer.from(changed))
    return `${changed}\n`
  })
  writeFileSync(lastSegment(dir), forged.join(''))
  for (const name of ['frontier', 'checkpoints.log']) rmSync(join(folder, name))
  t.match(await whyNot(dir), /are not those that the checkpoint was signed for/)
})

t.test('the start reads only the last segment, but does without the kept frontier', async (t) => {
  const { log, dir, folder } = await openTestLog(temporaryFolder(t), { segmentBytesMax: 600 })
  for (let n = 0; n < 12; n += 1) await log.commit('outcome', { n })
  await log.close()
  const [first = ''] = segmentsOf(folder)
  const text = readFileSync(join(folder, first))
  writeFileSync(join(folder, first), 'unreadable')
  await (await openTestLog(dir)).log.close()
  writeFileSync(join(folder, first), text)
  t.match(await verifyLog(dir), { status: 'intact' })
  for (const frontier of [
    undefined,
    '',
    'x',
    '{"size":1}\n',
    readFileSync(join(folder, 'frontier'), 'utf8').replace(/"last":"..../, '"last":"AAAA'),
  ]) {
    if (frontier === undefined) rmSync(join(folder, 'frontier'))
    else writeFileSync(join(folder, 'frontier'), frontier)
    await (await openTestLog(dir)).log.close()
    t.match(await verifyLog(dir), { status: 'intact' }, String(frontier).slice(0, 20))
  }
})

t.test('what a crash leaves of a new segment or a note does no harm', async (t) => {
  const { log, dir } = await openTestLog(temporaryFolder(t))
  await log.commit('outcome', {})
  const copy = crashed(t, dir)
  await log.close()
  const folder = join(copy, 'w')
  writeFileSync(join(folder, '00000000000000000002.jsonl.tmp'), '{"half')
  writeFileSync(join(folder, 'checkpoint.tmp'), 'half')
  appendFileSync(join(folder, 'checkpoints.log'), 'gatewright/w\n1')
  t.match(await verifyLog(copy), { status: 'incomplete' })
  const { log: again } = await openTestLog(copy)
  await again.commit('outcome', {})
  await again.close()
  t.match(await verifyLog(copy), { status: 'intact' })
})

t.test('nothing is taken before the first checkpoint stands', async (t) => {
  const dir = temporaryFolder(t)
  let full = true
  const disk = watchedDisk((operation, path) => {
    if (full && operation === 'rename' && path.includes('checkpoint')) throw diskError('ENOSPC')
  })
  await t.rejects(openTestLog(dir, { disk }), { code: 'audit-unavailable' })
  t.match(await verifyLog(dir), { status: 'incomplete' })
  full = false
  await (await openTestLog(dir, { disk })).log.close()
  t.match(await verifyLog(dir), { status: 'intact' })
})

t.test('a crash before the first checkpoint', async (t) => {
  const { log, dir } = await openTestLog(temporaryFolder(t))
  const copy = crashed(t, dir)
  await log.close()
  for (const name of readdirSync(join(copy, 'w'))) if (!name.endsWith('.jsonl')) rmSync(join(copy, 'w', name))
  t.match(await verifyLog(copy), { status: 'incomplete' })
  await (await openTestLog(copy)).log.close()
  t.match(await verifyLog(copy), { status: 'intact' })
  mkdirSync(join(copy, 'v'))
  await (await openTestLog(copy, { writer: 'v' })).log.close()
  t.match(await verifyLog(copy), { status: 'intact' }, 'and before the first segment')
})
