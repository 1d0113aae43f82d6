import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemDisk } from '../../../proxy/audit/disk.ts'
import { temporaryFolder } from './support.ts'

for (const through of [undefined, 'through'] as const) {
  t.test(`writes go to the end of the file, whichever they are (${through ?? 'one descriptor'})`, async (t) => {
    const path = join(temporaryFolder(t), 'file')
    writeFileSync(path, 'what was there before')
    const file = await systemDisk.create(path, through)
    await file.write(Buffer.from('a'))
    await file.datasync()
    await file.writeThrough(Buffer.from('b'))
    await file.write(Buffer.from('c'))
    await file.datasync()
    await file.writeThrough(Buffer.from('d'))
    await file.close()
    const again = await systemDisk.append(path, through)
    await again.writeThrough(Buffer.from('e'))
    await again.write(Buffer.from('f'))
    await again.close()
    t.equal(readFileSync(path, 'utf8'), 'abcdef')
  })
}

t.test('a new file belongs to its owner, and keeps its descriptors when it is renamed', async (t) => {
  const folder = temporaryFolder(t)
  const file = await systemDisk.create(join(folder, 'a'), 'through')
  await systemDisk.rename(join(folder, 'a'), join(folder, 'b'))
  await file.writeThrough(Buffer.from('x'))
  await file.write(Buffer.from('y'))
  await file.close()
  t.equal(readFileSync(join(folder, 'b'), 'utf8'), 'xy')
  if (process.platform !== 'win32') t.equal(statSync(join(folder, 'b')).mode & 0o777, 0o600)
})

t.test('a folder is not a file', async (t) => {
  await t.rejects(systemDisk.create(temporaryFolder(t), 'through'), { code: 'EISDIR' })
})

const full = '/dev/full'
t.test('a write for which there is no room is told', { skip: !existsSync(full) && `no ${full}` }, async (t) => {
  const file = await systemDisk.append(full, 'through')
  await t.rejects(file.writeThrough(Buffer.from('x')), { code: 'ENOSPC' })
  await t.rejects(file.write(Buffer.from('x')), { code: 'ENOSPC' })
  await file.close()
})
