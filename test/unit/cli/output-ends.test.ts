// What becomes of a command whose standard output ends before it does, as a process.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const main = join(import.meta.dirname, '..', '..', '..', 'proxy', 'main.ts')
const noFullDevice = !existsSync('/dev/full') && 'there is no /dev/full'

t.test('a full disk is said, with a code of its own', { skip: noFullDevice }, async (t) => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(process.execPath, [main, 'schema'], {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  })
  closeSync(full)
  t.equal(status, 74)
  t.match(stderr, /^gatewright: standard output cannot be written: ENOSPC.*\n$/, 'one line, no stack')
})

t.test('the demo leaves nothing behind, whoever leaves it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const child = spawn(process.execPath, [main, 'demo'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  t.equal(readdirSync(folder).length, 1)
  child.kill('SIGINT')
  t.same(await once(child, 'exit'), [130, null])
  t.same(readdirSync(folder), [])
})
