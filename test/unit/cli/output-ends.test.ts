// What becomes of a command whose standard output ends before it does, as a process.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
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

t.test('a reader that leaves early changes no verdict', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  mkdirSync(join(folder, 'w'))
  at('w/00000000000000000000.jsonl', 'not a record\n')
  const secrets = Array.from({ length: 20_000 }, () => 'ada@example.org\n').join('')
  const commands: (readonly string[])[] = [
    ['audit', 'verify', folder],
    ['check', at('bad.yaml', 'apiVersion: nothing\n')],
    ['scan', at('mail.txt', secrets)],
  ]
  const leave = async (args: readonly string[]): Promise<unknown> => {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.destroy()
    let stderr = ''
    child.stderr.on('data', (chunk) => (stderr += String(chunk)))
    return [...(await once(child, 'close')), stderr]
  }
  const ends = await Promise.all(commands.map(leave))
  for (const [index, args] of commands.entries()) t.same(ends[index], [1, null, ''], args.join(' '))
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
