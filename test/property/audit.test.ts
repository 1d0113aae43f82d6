// Whatever is done to a small log, verification finds it and names the first bad record.
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { canonicalise } from '../../proxy/lib/canonical.ts'
import type { RecordFields } from '../../proxy/audit/record.ts'
import { verifyLog } from '../../proxy/audit/verify.ts'
import { linesOf, openTestLog, segmentsOf, temporaryFolder } from '../unit/audit/support.ts'

// EXHAUSTIVE=1 takes a minute or two.
t.setTimeout(300_000)

type Teardown = { teardown: (run: () => void) => void }
type Small = {
  readonly dir: string
  readonly folder: string
  readonly path: string
  readonly bytes: Buffer
  readonly starts: readonly number[]
}

/** Records with text outside ASCII; closed properly, so that a checkpoint covers every byte. */
async function small(t: Teardown, exchanges: number): Promise<Small> {
  const { log, dir, folder } = await openTestLog(temporaryFolder(t))
  for (let n = 0; n < exchanges; n += 1) {
    await log.commit('intent', { request: `r${n}`, note: 'né€' })
    await log.commit('outcome', { request: `r${n}`, ok: true, count: n })
  }
  await log.close()
  const path = join(folder, segmentsOf(folder)[0] ?? '')
  const bytes = readFileSync(path)
  const starts = [0]
  for (const [at, byte] of bytes.entries()) if (byte === 0x0a) starts.push(at + 1)
  return { dir, folder, path, bytes, starts: starts.slice(0, -1) }
}

/** One bit of every byte, each of the eight in turn; all of them (half a minute) with EXHAUSTIVE=1. */
function* bitsOf(
  bytes: Buffer,
): Generator<{ readonly bit: string; readonly offset: number; readonly flipped: Buffer }> {
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const offset = bit >> 3
    if (process.env['EXHAUSTIVE'] === undefined && (bit & 7) !== (offset * 5) % 8) continue
    const flipped = Buffer.from(bytes)
    flipped.writeUInt8(flipped.readUInt8(offset) ^ (1 << (bit & 7)), offset)
    yield { bit: `bit ${bit & 7} of byte ${offset}`, offset, flipped }
  }
}

function recordAt(starts: readonly number[], offset: number): number {
  return starts.findLastIndex((start) => start <= offset)
}

t.test('every flipped bit is found, and the record that it is in is named', async (t) => {
  const { dir, path, bytes, starts } = await small(t, 1)
  for (const { bit, offset, flipped } of bitsOf(bytes)) {
    writeFileSync(path, flipped)
    const { status, first } = await verifyLog(dir)
    const record = recordAt(starts, offset)
    // Without its LF the last line is a torn one, and the checkpoint misses it.
    if (status !== 'tampered' || first?.index !== record) {
      t.fail(`${bit} in record ${record}: ${status}, ${JSON.stringify(first)}`)
    }
  }
})

t.test('every flipped bit in the notes beside the segments is found', async (t) => {
  const { dir, folder } = await small(t, 1)
  for (const name of ['checkpoint', 'checkpoints.log']) {
    const path = join(folder, name)
    const bytes = readFileSync(path)
    for (const { bit, flipped } of bitsOf(bytes)) {
      writeFileSync(path, flipped)
      if ((await verifyLog(dir)).status === 'intact') t.fail(`${bit} of ${name}`)
    }
    writeFileSync(path, bytes)
  }
})

t.test('a tail cut anywhere in the last three records is never intact', async (t) => {
  const { dir, path, bytes, starts } = await small(t, 3)
  for (let length = starts.at(-3) ?? 0; length < bytes.length; length += 1) {
    writeFileSync(path, bytes.subarray(0, length))
    const { status, first } = await verifyLog(dir)
    const record = recordAt(starts, length)
    if (status !== 'tampered' || first?.index !== record)
      t.fail(`cut at ${length}: ${status}, ${JSON.stringify(first)}`)
  }
})

t.test('a tail that no checkpoint covers: cut anywhere, it is incomplete and never tampered', async (t) => {
  const { log, dir } = await openTestLog(temporaryFolder(t))
  for (let n = 0; n < 3; n += 1) await log.commit('outcome', { request: `r${n}` })
  const copy = temporaryFolder(t)
  cpSync(dir, copy, { recursive: true, filter: (source) => !source.includes('lock.') })
  await log.close()
  const path = join(copy, 'w', segmentsOf(join(copy, 'w'))[0] ?? '')
  const bytes = readFileSync(path)
  const signed = bytes.indexOf(0x0a) + 1
  for (let length = signed; length <= bytes.length; length += 1) {
    writeFileSync(path, bytes.subarray(0, length))
    const { status } = await verifyLog(copy)
    if (status !== 'incomplete') t.fail(`cut at ${length}: ${status}`)
  }
})

t.test('any sequence of lines that is not the one that was written is found', async (t) => {
  const { dir, path, bytes } = await small(t, 3)
  const lines = bytes.toString('utf8').split('\n').slice(0, -1)
  const order = fc.array(fc.nat({ max: lines.length - 1 }), { maxLength: lines.length + 3 })
  await fc.assert(
    fc.asyncProperty(order, async (indexes) => {
      const firstBad = indexes.findIndex((index, position) => index !== position)
      const whole = firstBad < 0 ? indexes.length : firstBad
      fc.pre(whole < lines.length || indexes.length > lines.length)
      writeFileSync(path, indexes.map((index) => `${lines[index]}\n`).join(''))
      const { status, first } = await verifyLog(dir)
      t.equal(status, 'tampered')
      t.equal(first?.index, whole)
    }),
    { numRuns: 50 },
  )
})

t.test('whatever fields a record has, it comes back as it was given', async (t) => {
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.array(fc.string(), { maxLength: 3 }),
  )
  const fields = fc.dictionary(
    fc.string({ unit: 'binary' }).filter((key) => !['i', 'kind', 'prev', 't'].includes(key)),
    value,
    { maxKeys: 6 },
  )
  const given = fc.sample(fields, 200) as RecordFields[]
  const { log, dir, folder } = await openTestLog(temporaryFolder(t))
  for (const record of given) log.append('outcome', { ...record })
  await log.close()
  const written = linesOf(folder).filter(({ kind }) => kind === 'outcome')
  for (const [position, record] of given.entries()) {
    const { i, kind, prev, t: time, ...rest } = written[position] ?? { i: 0, kind: '', prev: '', t: '' }
    t.equal(canonicalise(rest), canonicalise(record), `record ${i}, ${kind} ${prev} ${time}`)
  }
  t.match(await verifyLog(dir), { status: 'intact' })
})
