import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { acquireLock, isLocked } from '../../../proxy/audit/lock.ts'
import { temporaryFolder } from './support.ts'

t.test('one at a time', async (t) => {
  const folder = temporaryFolder(t)
  t.notOk(await isLocked(folder))
  const lock = await acquireLock(folder)
  t.ok(lock)
  t.ok(await isLocked(folder))
  t.equal(await acquireLock(folder), undefined)
  t.ok(await isLocked(folder), 'a refused attempt leaves the lock alone')
  await lock?.release()
  t.notOk(await isLocked(folder))
  t.same(readdirSync(folder), [])
})

t.test('of many that start together at most one gets it', async (t) => {
  const folder = temporaryFolder(t)
  for (let round = 0; round < 20; round += 1) {
    const locks = (await Promise.all([1, 2, 3].map(() => acquireLock(folder)))).filter((lock) => lock !== undefined)
    if (locks.length > 1) t.fail(`${locks.length} locks`)
    for (const lock of locks) await lock.release()
  }
  const lock = await acquireLock(folder)
  t.ok(lock, 'and none stays behind')
  await lock?.release()
})

t.test('a deep folder is no hindrance', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
  const folder = join(temporaryFolder(t), 'x'.repeat(100), 'y'.repeat(100))
  mkdirSync(folder, { recursive: true })
  const lock = await acquireLock(folder)
  t.ok(await isLocked(folder))
  await lock?.release()
})

t.test('a process that is killed lets go of it, and what it leaves is removed', async (t) => {
  const folder = temporaryFolder(t)
  const lockUrl = new URL('../../../proxy/audit/lock.ts', import.meta.url).href
  const program = `import { acquireLock } from ${JSON.stringify(lockUrl)}
    await acquireLock(${JSON.stringify(folder)})
    process.stdout.write('locked')
    setInterval(() => undefined, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  t.equal(await acquireLock(folder), undefined, 'another process holds it')
  child.kill('SIGSTOP')
  t.equal(await acquireLock(folder), undefined, 'also while it is stopped')
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.equal(readdirSync(folder).length, 1, 'its socket is still there')
  const lock = await acquireLock(folder)
  t.ok(lock)
  t.equal(readdirSync(folder).length, 1)
  await lock?.release()
})

t.test('a link to a socket of another program is no lock', async (t) => {
  const folder = temporaryFolder(t)
  const elsewhere = temporaryFolder(t)
  const other = createServer().listen(join(elsewhere, 'socket'))
  t.teardown(() => other.close())
  await once(other, 'listening')
  symlinkSync(join(elsewhere, 'socket'), join(folder, 'lock.0'))
  t.notOk(await isLocked(folder))
  const lock = await acquireLock(folder)
  t.ok(lock)
  await lock?.release()
})

t.test('other files are left alone', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'locked.txt'), '')
  const lock = await acquireLock(folder)
  await lock?.release()
  t.same(readdirSync(folder), ['locked.txt'])
})
