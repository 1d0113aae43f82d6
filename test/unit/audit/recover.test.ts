import { createHash } from 'node:crypto'
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { verifyLog } from '../../../proxy/audit/verify.ts'
import { linesOf, openTestLog, segmentsOf, temporaryFolder } from './support.ts'

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
