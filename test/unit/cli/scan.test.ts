// `gatewright scan` as a process: where it says that things are, and how it reads what comes in slowly.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'

const main = join(import.meta.dirname, '..', '..', '..', 'proxy', 'main.ts')
const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

/** Standard output is a file: some trouble with pipes hides where it is one itself. */
async function scan(input: (stdin: NodeJS.WritableStream) => void, ...files: string[]): Promise<[unknown, string]> {
  const found = join(folder, 'found')
  const output = openSync(found, 'w')
  const child = spawn(process.execPath, [main, 'scan', ...files], { cwd: folder, stdio: ['pipe', output, 'ignore'] })
  const closed = once(child, 'close')
  if (child.stdin === null) throw new Error('no standard input')
  child.stdin.on('error', () => {})
  input(child.stdin)
  const [code] = (await closed) as [unknown]
  closeSync(output)
  return [code, readFileSync(found, 'utf8')]
}

t.test('it says where, in long files and in long lines', async (t) => {
  const lines = Array.from({ length: 20_000 }, (_, i) => `mail a${i}@example.org and more of it\r`)
  writeFileSync(join(folder, 'lines'), lines.join('\n'))
  writeFileSync(join(folder, 'line'), `\n${lines.join(' ')}`)
  const [code, found] = await scan((stdin) => stdin.end(), 'lines', 'line')
  t.equal(code, 1)
  const places = found.split('\n')
  t.equal(places[0], 'lines:1:6: email (pii), 14 characters')
  t.equal(places[19_999], 'lines:20000:6: email (pii), 18 characters')
  t.equal(places[39_999], `line:2:${lines.slice(0, -1).join(' ').length + 7}: email (pii), 18 characters`)
  t.equal(places.length, 40_001)
})

t.test('what is named twice is looked for twice', async (t) => {
  const mail = (stdin: NodeJS.WritableStream): unknown => stdin.end('write to ada@example.org')
  t.equal((await scan(mail, '--detect', 'pii', '--detect', 'secrets'))[0], 1)
  t.equal((await scan(mail, '--detect', 'iban', '--detect', 'secrets'))[0], 0)
  t.equal((await scan(mail))[0], 1, 'and both where nothing is said')
})

t.test('files of other encodings are read, and what is no text is not written anew', async (t) => {
  const text = 'one\nmail ada@example.org'
  writeFileSync(join(folder, 'little'), Buffer.from(`\ufeff${text}`, 'utf16le'))
  writeFileSync(join(folder, 'big'), Buffer.from(`\ufeff${text}`, 'utf16le').swap16())
  writeFileSync(
    join(folder, 'binary'),
    Buffer.concat([Buffer.from([0, 255, 254, 10]), Buffer.from(text), Buffer.from([192])]),
  )
  const [code, found] = await scan((stdin) => stdin.end(), 'little', 'big', 'binary')
  t.equal(code, 1)
  t.same(
    found
      .trimEnd()
      .split('\n')
      .map((line) => line.split(' ')[0]),
    ['little:2:6:', 'big:2:6:', 'binary:3:6:'],
  )
  const [refused, written] = await scan((stdin) => stdin.end(), '--redact', 'mask', 'binary')
  t.equal(refused, 2)
  t.equal(written, '')
  const rows = await scan((stdin) => stdin.end('\ufeff{"id":1,"text":"ada@example.org"}\r\n'), '--jsonl', 'text')
  t.match(rows, [1, '"id":1'])
})

t.test('a folder as standard input is an error', async (t) => {
  const stdin = openSync(folder, 'r')
  const { status, stderr } = spawnSync(process.execPath, [main, 'scan', '-'], {
    encoding: 'utf8',
    stdio: [stdin, 'pipe', 'pipe'],
  })
  closeSync(stdin)
  t.equal(status, 2)
  t.match(stderr, /- cannot be read: standard input is a folder/)
})

t.test('it waits for what is slow to come in', async (t) => {
  const result = await scan((stdin) => {
    // Much more than a pipe holds: once it is gone, it has been read, and nothing else is there yet.
    stdin.write(`${'x'.repeat(4095)}\n`.repeat(256), () => stdin.end('mail ada@example.org'))
  })
  t.same(result, [1, '-:257:6: email (pii), 15 characters\n'])
})
