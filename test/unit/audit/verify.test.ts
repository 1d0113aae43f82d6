import { cpSync, readFileSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { canonicalise } from '../../../proxy/lib/canonical.ts'
import { formatVkey } from '../../../proxy/audit/checkpoint.ts'
import { parseKey } from '../../../proxy/audit/key.ts'
import { leafHash } from '../../../proxy/audit/tree.ts'
import { verifyLog } from '../../../proxy/audit/verify.ts'
import { type Line, openTestLog, segmentsOf, temporaryFolder, testKey } from './support.ts'

const vkey = formatVkey('anything', testKey.publicKey)
const otherKey = parseKey(Buffer.alloc(32, 8).toString('base64'), 'test')

type Made = {
  readonly dir: string
  readonly folder: string
  readonly path: string
  lines: () => string[]
  write: (lines: readonly string[]) => void
}

/** open, then intent and outcome by turns, checkpoint, close: 2 × `exchanges` + 3 records, all signed. */
async function make(t: { teardown: (run: () => void) => void }, exchanges = 4): Promise<Made> {
  const { log, dir, folder } = await openTestLog(temporaryFolder(t))
  for (let n = 0; n < exchanges; n += 1) {
    await log.commit('intent', { request: `r${n}`, effect: 'allow' })
    log.append('outcome', { request: `r${n}`, status: 200 })
  }
  await log.close()
  const path = join(folder, segmentsOf(folder)[0] ?? '')
  return {
    dir,
    folder,
    path,
    lines: () => readFileSync(path, 'utf8').split('\n').slice(0, -1),
    write: (lines) => writeFileSync(path, lines.map((line) => `${line}\n`).join('')),
  }
}

function edited(line: string | undefined, change: Record<string, unknown>): string {
  return canonicalise({ ...(JSON.parse(line ?? '') as Line), ...change })
}

/** What an attacker without the key can do: all links are right again. */
function rechained(lines: readonly string[]): string[] {
  const result: string[] = []
  for (const [i, line] of lines.entries()) {
    const before = result.at(-1)
    const prev =
      before === undefined ? (JSON.parse(line) as Line).prev : leafHash(Buffer.from(before)).toString('base64')
    result.push(edited(line, { i, prev }))
  }
  return result
}

t.test('a whole log is intact, with and without the key', async (t) => {
  const { dir, folder } = await make(t)
  t.match(await verifyLog(dir), {
    status: 'intact',
    records: 11,
    segments: 1,
    checkpoints: 2,
    key: 'own',
    notes: [/public key found in the folder/, /rollback/],
  })
  t.match(await verifyLog(dir, { vkey }), { status: 'intact', key: 'given', notes: [/rollback/] })
  t.match(await verifyLog(folder), { status: 'intact', records: 11 }, 'the folder of one writer will do')
  t.equal((await verifyLog(dir)).first, undefined)
})

t.test('editing a record names it', async (t) => {
  const { dir, lines, write } = await make(t)
  const whole = lines()
  for (const index of whole.keys()) {
    write(whole.with(index, edited(whole[index], { extra: 1 })))
    t.match(
      await verifyLog(dir),
      {
        status: 'tampered',
        first: {
          index,
          byteOffset: Buffer.byteLength(
            whole
              .slice(0, index)
              .map((line) => `${line}\n`)
              .join(''),
          ),
        },
      },
      `record ${index}`,
    )
  }
})

t.test('editing a record and mending all links is found by the next checkpoint', async (t) => {
  const { dir, lines, write } = await make(t)
  write(rechained(lines().with(3, edited(lines()[3], { effect: 'deny' }))))
  const { status, first } = await verifyLog(dir)
  t.equal(status, 'tampered')
  t.match(
    first,
    { check: 'root', index: 1, message: /one or more of the records 1 to 10/ },
    'record 0 has a checkpoint of its own',
  )
})

t.test('deleting, swapping and repeating name the place', async (t) => {
  const { dir, lines, write } = await make(t)
  const whole = lines()
  for (let index = 0; index < whole.length - 1; index += 1) {
    write(whole.toSpliced(index, 1))
    t.match(await verifyLog(dir), { status: 'tampered', first: { index } }, `record ${index} deleted`)
    write(whole.toSpliced(index, 2, whole[index + 1] ?? '', whole[index] ?? ''))
    t.match(await verifyLog(dir), { status: 'tampered', first: { index } }, `record ${index} swapped with the next`)
    write(whole.toSpliced(index, 0, whole[index] ?? ''))
    t.match(await verifyLog(dir), { status: 'tampered', first: { index: index + 1 } }, `record ${index} repeated`)
  }
})

t.test('cutting the end off is found while the checkpoint is there', async (t) => {
  const { dir, lines, write, folder } = await make(t)
  const whole = lines()
  for (let count = whole.length - 1; count > 0; count -= 1) {
    write(whole.slice(0, count))
    t.match(
      await verifyLog(dir),
      { status: 'tampered', first: { index: count, check: 'tail', message: /the end is missing/ } },
      `${count} left`,
    )
  }
  rmSync(join(folder, 'checkpoint'))
  rmSync(join(folder, 'checkpoints.log'))
  t.match(await verifyLog(dir), { status: 'incomplete' }, 'only the header is left, as after a crash at first start')
  write(whole.slice(0, 5))
  t.match(await verifyLog(dir), { status: 'tampered', first: { check: 'checkpoint' } })
})

t.test('an older state with its older checkpoint is only seen with one kept elsewhere', async (t) => {
  const { dir, folder } = await make(t)
  const before = temporaryFolder(t)
  cpSync(dir, before, { recursive: true })
  const { log } = await openTestLog(dir)
  await log.commit('outcome', { request: 'late' })
  await log.close()
  const since = readFileSync(join(folder, 'checkpoint'), 'utf8')
  t.match(await verifyLog(dir, { vkey, since }), { status: 'intact', notes: [] })
  t.match(await verifyLog(before, { vkey }), { status: 'intact' }, 'the rollback looks whole')
  t.match(await verifyLog(before, { vkey, since }), {
    status: 'tampered',
    first: { check: 'tail', index: 11, message: /ends at 11 records; a checkpoint covers 16/ },
  })
  const old = readFileSync(join(before, 'w', 'checkpoint'), 'utf8')
  t.match(
    await verifyLog(dir, { vkey, since: old }),
    { status: 'intact' },
    'an older checkpoint is part of the newer log',
  )
})

/** Two histories that part at record 13: what this folder was signed for before it was cut, and how it went on. */
async function forked(t: { teardown: (run: () => void) => void }, late: number) {
  const { dir, folder } = await make(t)
  const cut = temporaryFolder(t)
  cpSync(dir, cut, { recursive: true })
  const common = readFileSync(join(folder, 'checkpoints.log'), 'utf8').length
  for (let n = 0; n < 2; n += 1) await goOn(dir, 'old', 2)
  await goOn(cut, 'new', late)
  const notes = join(cut, 'w', 'checkpoints.log')
  const after = readFileSync(notes, 'utf8').slice(common)
  writeFileSync(notes, readFileSync(join(folder, 'checkpoints.log'), 'utf8') + after)
  return { cut, since: readFileSync(join(folder, 'checkpoint'), 'utf8') }
}

async function goOn(dir: string, name: string, count: number): Promise<void> {
  const { log } = await openTestLog(dir)
  for (let n = 0; n < count; n += 1) await log.commit('outcome', { request: `${name}${n}` })
  await log.close()
}

t.test('a log that was cut and continued is named where its two histories may part', async (t) => {
  for (const late of [0, 2, 6]) {
    const { cut, since } = await forked(t, late)
    const { first } = await verifyLog(cut, { vkey })
    const [, from, to] = /records? ([0-9]+)(?: to ([0-9]+))?/.exec(first?.message ?? '') ?? []
    t.equal(first?.index, 13, `${late} records later: ${first?.message}`)
    t.equal(Number(from), 13)
    if (to !== undefined) t.ok(Number(to) > Number(from))
    rmSync(join(cut, 'w', 'checkpoints.log'))
    const { status, first: alone } = await verifyLog(cut, { vkey, since })
    t.equal(status, 'tampered')
    t.match(
      alone?.message,
      /one or more of the records 0 |the end is missing/,
      'what was kept elsewhere tells nothing of a place',
    )
  }
})

t.test('a replaced folder is seen with the key or with a checkpoint kept elsewhere', async (t) => {
  const { folder } = await make(t)
  const since = readFileSync(join(folder, 'checkpoint'), 'utf8')
  const { log, dir } = await openTestLog(temporaryFolder(t), { key: otherKey })
  await log.commit('outcome', {})
  await log.close()
  t.match(await verifyLog(dir), { status: 'intact' }, 'it agrees with itself')
  t.match(await verifyLog(dir, { vkey }), {
    status: 'tampered',
    first: { check: 'signature', message: /not signed by the key/ },
  })
  t.match(await verifyLog(dir, { since }), { status: 'tampered', first: { check: 'since' } })
})

t.test('a checkpoint of another log is none', async (t) => {
  const { dir, folder } = await make(t)
  const other = await openTestLog(temporaryFolder(t), { writer: 'v' })
  await other.log.close()
  const foreign = readFileSync(join(other.folder, 'checkpoint'), 'utf8')
  t.match(await verifyLog(dir, { since: foreign }), {
    status: 'tampered',
    first: { check: 'since', message: /gatewright\/v, is not there/ },
  })
  writeFileSync(join(folder, 'checkpoint'), foreign)
  t.match(await verifyLog(dir), { status: 'tampered', first: { check: 'signature', segment: 'checkpoint' } })
})

t.test('the files beside the segments cannot be taken away or put back unseen', async (t) => {
  const { dir, folder } = await make(t)
  const old = readFileSync(join(folder, 'checkpoint'))
  const { log } = await openTestLog(dir)
  await log.commit('outcome', { request: 'late' })
  await log.close()
  writeFileSync(join(folder, 'checkpoint'), old)
  rmSync(join(folder, 'checkpoints.log'))
  t.match(await verifyLog(dir), {
    status: 'tampered',
    first: { check: 'checkpoint', message: /covers 11 records; one that covers 13 was published/ },
  })
  rmSync(join(folder, 'checkpoint'))
  t.match(await verifyLog(dir), { status: 'tampered', first: { check: 'checkpoint' } })
  rmSync(join(folder, 'vkey'))
  t.match(
    await verifyLog(dir, { vkey }),
    { status: 'tampered', first: { check: 'checkpoint' } },
    'the public key is also in the log',
  )
})

t.test('segments that are missing, renamed or cut are named', async (t) => {
  const { log, dir, folder } = await openTestLog(temporaryFolder(t), { segmentBytesMax: 800 })
  for (let n = 0; n < 12; n += 1) await log.commit('outcome', { request: `r${n}` })
  await log.close()
  const names = segmentsOf(folder)
  t.ok(names.length >= 3)
  t.match(await verifyLog(dir), { status: 'intact', segments: names.length })
  const [, second = '', third = ''] = names
  const path = join(folder, second)
  renameSync(path, join(folder, 'away'))
  t.match(await verifyLog(dir), {
    status: 'tampered',
    first: { segment: third, index: Number(second.slice(0, 20)), check: 'segment' },
  })
  renameSync(join(folder, 'away'), join(folder, second.replace('.jsonl', '').slice(1).concat('9.jsonl')))
  t.match(await verifyLog(dir), { status: 'tampered', first: { check: 'segment' } })
  renameSync(join(folder, second.replace('.jsonl', '').slice(1).concat('9.jsonl')), path)
  const bytes = readFileSync(path)
  truncateSync(path, bytes.length - 1)
  t.match(await verifyLog(dir), {
    status: 'tampered',
    first: { segment: second, index: Number(third.slice(0, 20)) - 1, check: 'segment' },
  })
  truncateSync(path, 0)
  t.match(await verifyLog(dir), {
    status: 'tampered',
    first: { segment: second, index: Number(second.slice(0, 20)), byteOffset: 0 },
  })
})

t.test('lines that are not records are named', async (t) => {
  const { dir, lines, write } = await make(t)
  const whole = lines()
  const record = JSON.parse(whole[2] ?? '') as Line
  const bad = {
    json: ['', 'null', '[]', '{"i":2', `${whole[2]},`],
    canonical: [
      JSON.stringify({ z: 1, ...record }),
      whole[2]?.replace(':', ': ') ?? '',
      whole[2]?.replace('r0', '\\u0072\\u0030') ?? '',
      whole[2]?.replace('"r0"', '"\\ud800"') ?? '',
      `{"deep":${'['.repeat(32_000)}${']'.repeat(32_000)},${whole[2]?.slice(1)}`,
    ],
    schema: [
      edited(whole[2], { i: '2' }),
      edited(whole[2], { kind: 'Outcome' }),
      edited(whole[2], { t: '2026-11-21' }),
      edited(whole[2], { prev: 'AAAA' }),
    ],
    length: [edited(whole[2], { text: 'x'.repeat(65_536) })],
    utf8: [],
  }
  for (const [check, candidates] of Object.entries(bad)) {
    for (const line of candidates) {
      write(whole.with(2, line))
      t.match(await verifyLog(dir), { status: 'tampered', first: { index: 2, check } }, line.slice(0, 80))
    }
  }
})

t.test('megabytes without a line end do no harm', async (t) => {
  const { dir, lines, path } = await make(t)
  const whole = readFileSync(path)
  const offset = Buffer.byteLength(lines()[0] ?? '') + 1
  writeFileSync(path, `${lines()[0]}\n${'x'.repeat(5_000_000)}\n`)
  t.match(await verifyLog(dir), {
    status: 'tampered',
    first: { index: 1, check: 'length', byteOffset: offset, message: /5000000 bytes/ },
  })
  writeFileSync(path, Buffer.alloc(5_000_000, 0x0a))
  t.match(await verifyLog(dir), { status: 'tampered', first: { index: 0, check: 'json' } })
  for (const length of [1_200_000, 5_000_000]) {
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(length)]))
    t.match(
      await verifyLog(dir),
      { status: 'incomplete', records: 11, logs: [{ tornBytes: length }] },
      'a power cut can leave such zeros behind the last line',
    )
  }
})

t.test('after a crash a log is incomplete, not tampered', async (t) => {
  const { log, dir } = await openTestLog(temporaryFolder(t))
  await log.commit('intent', { request: 'r1' })
  await log.commit('outcome', { request: 'r1' })
  await log.commit('intent', { request: 'r2' })
  t.match(
    await verifyLog(dir),
    { status: 'intact', unsigned: 3, logs: [{ live: true, inFlight: 1, unpaired: 0 }] },
    'while the writer lives',
  )
  const copy = temporaryFolder(t)
  cpSync(dir, copy, { recursive: true, filter: (source) => !source.includes('lock.') })
  t.match(await verifyLog(copy), {
    status: 'incomplete',
    unsigned: 3,
    unpaired: 1,
    logs: [{ live: false, incomplete: [/1 intents have no outcome/, /last 3 records/, /close/] }],
  })
  await log.close()
  const { log: again } = await openTestLog(copy)
  await again.close()
  t.match(await verifyLog(copy), { status: 'incomplete', unsigned: 0, unpaired: 1 }, 'the lost outcome stays lost')
})

t.test('a second outcome and a time that goes back are told', async (t) => {
  const { log, dir, clock } = await openTestLog(temporaryFolder(t))
  await log.commit('outcome', { request: 'r1' })
  clock.advance(10)
  await log.commit('outcome', { request: 'r1' })
  const now = clock.now()
  clock.now = () => now - 3_600_000
  await log.commit('outcome', { request: 'r2' })
  await log.close()
  t.match(await verifyLog(dir), {
    status: 'intact',
    logs: [
      {
        warnings: [
          { check: 'time', index: 3 },
          { check: 'outcome', index: 2 },
        ],
      },
    ],
  })
})

t.test('several writers are verified each', async (t) => {
  const dir = temporaryFolder(t)
  for (const writer of ['a', 'b']) {
    const { log } = await openTestLog(dir, { writer })
    await log.commit('outcome', { request: writer })
    await log.close()
  }
  const since = readFileSync(join(dir, 'b', 'checkpoint'), 'utf8')
  t.match(await verifyLog(dir, { vkey, since }), { status: 'intact', records: 8, logs: [{ log: 'a' }, { log: 'b' }] })
  const path = join(dir, 'b', segmentsOf(join(dir, 'b'))[0] ?? '')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"request":"b"', '"request":"c"'))
  t.match(await verifyLog(dir), {
    status: 'tampered',
    first: { log: 'b', index: 1 },
    logs: [{ status: 'intact' }, { status: 'tampered' }],
  })
})

t.test('a copy of a log beside it is told, although each is whole by itself', async (t) => {
  const { dir, folder, lines } = await make(t)
  const copy = join(dir, 'w9')
  cpSync(folder, copy, { recursive: true })
  const [own = '', theirs = ''] = [basename(folder), 'w9'].sort()
  const found = { status: 'tampered', first: { log: theirs, check: 'copy', message: new RegExp(` ${own} `) } }
  t.match(await verifyLog(dir), found)
  writeFileSync(join(copy, segmentsOf(copy)[0] ?? ''), `${lines()[0]}\n`)
  t.match((await verifyLog(dir)).status, 'tampered', 'a part of it')
  t.match(await verifyLog(copy), { first: { check: /tail|checkpoint|root/ } })
})

t.test('a log in the audit folder itself does not hide those below it', async (t) => {
  const { dir, folder, lines, write } = await make(t)
  const older = temporaryFolder(t)
  cpSync(folder, older, { recursive: true })
  write(lines().with(3, edited(lines()[3], { extra: 1 })))
  cpSync(older, dir, { recursive: true })
  t.match(await verifyLog(dir, { vkey }), { status: 'tampered', first: { log: 'w', index: 3 } })
})

t.test('a log behind a link is one, and has one name', async (t) => {
  const { dir, folder, lines, write } = await make(t)
  symlinkSync('w', join(dir, 'current'))
  symlinkSync('.', join(dir, 'here'))
  symlinkSync('nowhere', join(dir, 'gone'))
  symlinkSync('itself', join(dir, 'itself'))
  t.match(await verifyLog(dir, { vkey }), { status: 'intact', logs: [{ log: 'w' }] })
  write(lines().with(3, edited(lines()[3], { extra: 1 })))
  const elsewhere = join(temporaryFolder(t), 'moved')
  renameSync(folder, elsewhere)
  symlinkSync(elsewhere, folder)
  const { log } = await openTestLog(dir, { writer: 'v' })
  await log.close()
  t.match(await verifyLog(dir, { vkey }), { status: 'tampered', logs: { length: 2 }, first: { index: 3 } })
})

t.test('a log of which only the checkpoints are left is tampered with, alone and beside another', async (t) => {
  const { dir, folder, path } = await make(t)
  const left = ['checkpoint', 'checkpoints.log']
  rmSync(path)
  for (const name of left) {
    const found = { status: 'tampered', first: { log: 'w', index: 0, message: /no segment.* 0 to 10 are missing/ } }
    t.match(await verifyLog(dir, { vkey }), found, `${name} is there`)
    t.match(await verifyLog(folder), found, 'named itself')
    const both = temporaryFolder(t)
    await (await openTestLog(both, { writer: 'v' })).log.close()
    cpSync(folder, join(both, 'w'), { recursive: true })
    t.match(await verifyLog(both), { ...found, logs: [{ status: 'intact' }, { status: 'tampered' }] })
    rmSync(join(folder, name))
  }
  await t.rejects(verifyLog(dir), /no audit log/, 'a folder without any of it says nothing')
})

t.test('what cannot be verified is an error', async (t) => {
  const empty = temporaryFolder(t)
  await t.rejects(verifyLog(empty), /no audit log/)
  t.match(
    await verifyLog(empty, { since: 'gatewright/w\n1\n' }),
    { status: 'tampered', first: { check: 'since' } },
    'but a log that is gone is',
  )
  await t.rejects(verifyLog(join(empty, 'none')), /ENOENT/)
  await t.rejects(verifyLog(empty, { vkey: 'x' }), /not a vkey/)
})
