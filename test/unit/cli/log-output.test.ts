import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { canMount, mountRefused, mountSmallDisk } from '../../support/small-disk.ts'
import { until } from '../../support/until.ts'

const logOutput = join(import.meta.dirname, '../../../proxy/cli/log-output.ts')

const noFullDevice = !existsSync('/dev/full') && 'there is no /dev/full'

/** Of a process that goes on until it is told to end, as one that serves: output alone keeps none alive. */
const goesOn = `process.on('disconnect', () => process.exit())\n`

/** A process that logs into its stdout, which may be a file or a pipe that nobody reads. */
function run(script: string, stdout: number | 'pipe') {
  const source = `import { LogOutput } from ${JSON.stringify(logOutput)}\n${script}`
  return spawn(process.execPath, ['--input-type=module-typescript', '-e', source], {
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
  })
}

t.test('every line is there once when the process ends, however it ends', async (t) => {
  for (const end of ['', 'process.exit(0)', 'process.exitCode = 3']) {
    const file = join(t.testdir(), 'log')
    const fd = openSync(file, 'w')
    const child = run(
      `const output = new LogOutput(1, () => undefined)
       for (let n = 0; n < 5000; n++) output.write('line ' + n + '\\n')
       process.disconnect()
       ${end}`,
      fd,
    )
    await once(child, 'exit')
    closeSync(fd)
    const lines = readFileSync(file, 'utf8').split('\n')
    t.strictSame(
      lines.slice(0, -1).sort(byNumber),
      Array.from({ length: 5000 }, (_, n) => `line ${n}`),
      end,
    )
  }
})

t.test('a line that stands alone comes by itself', async (t) => {
  const child = run(`${goesOn}new LogOutput(1, () => undefined).write('alone\\n')`, 'pipe')
  const [bytes] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  t.equal(bytes.toString(), 'alone\n')
  t.equal(child.exitCode, null, 'although the process goes on')
  child.disconnect()
  await once(child, 'exit')
})

t.test('a reader that hangs fills no memory: lines are dropped, and how many is said once it reads', async (t) => {
  const child = run(
    `const line = 'x'.repeat(1023) + '\\n'
     const output = new LogOutput(1, (lines) => { output.write('dropped ' + lines + '\\n'); process.disconnect() })
     let written = 0
     for (; written < 20 * 1024; written++) output.write(line)
     process.send(written)`,
    'pipe',
  )
  const [written] = (await once(child, 'message')) as [number]
  const said = await text(child.stdout as NodeJS.ReadableStream)
  const kept = said.split('\n').filter((line) => line.startsWith('x')).length
  const dropped = Number(/dropped (\d+)/.exec(said)?.[1])
  t.equal(kept + dropped, written, 'each line was written or counted')
  t.ok(dropped > 10 * 1024, `${dropped} lines`)
})

t.test('a process ends although the reader of its log is gone', async (t) => {
  const child = run(
    `const output = new LogOutput(1, () => undefined)
     process.on('message', () => {
       output.write('last\\n')
       process.exit(4)
     })`,
    'pipe',
  )
  child.stdout?.destroy()
  await once(child.stdout as NodeJS.ReadableStream, 'close')
  child.send('end')
  const [code] = (await once(child, 'exit')) as [number]
  t.equal(code, 4)
})

t.test('a reader that hangs keeps no process from ending', async (t) => {
  const child = run(
    `process.stdout
     const output = new LogOutput(1, () => undefined)
     for (let n = 0; n < 2000; n++) output.write('x'.repeat(1023) + '\\n')
     process.exit(4)`,
    'pipe',
  )
  t.equal(await endOf(child), 4)
})

t.test('nor does a full disk', { skip: noFullDevice }, async (t) => {
  const fd = openSync('/dev/full', 'w')
  const child = run(
    `const output = new LogOutput(1, () => undefined)
     output.write('x'.repeat(9000) + '\\n')
     process.on('message', () => {
       output.write('last\\n')
       process.exit(4)
     })`,
    fd,
  )
  closeSync(fd)
  child.send('end')
  t.equal(await endOf(child), 4)
})

t.test(
  'what a full disk did not take is written once there is room',
  { skip: !canMount() && mountRefused },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
    const disk = mountSmallDisk(folder)
    t.teardown(() => {
      disk.unmount()
      rmSync(folder, { recursive: true, force: true })
    })
    const file = join(disk.path, 'log')
    const fd = openSync(file, 'a')
    disk.fill()
    const child = run(
      `${goesOn}const output = new LogOutput(1, (lines) => output.write('dropped ' + lines + '\\n'))
     const line = 'x'.repeat(1023) + '\\n'
     for (let n = 0; n < 9 * 1024; n++) output.write(n < 100 ? 'line ' + n + '\\n' : line)
     process.send('said')`,
      fd,
    )
    closeSync(fd)
    await once(child, 'message')
    t.equal(statSync(file).size, 0)
    disk.free()
    await until(() => statSync(file).size > 100_000)
    t.equal(child.exitCode, null, 'while the process goes on')
    child.kill()
    await once(child, 'exit')
    const lines = readFileSync(file, 'utf8').split('\n')
    t.strictSame(
      lines.slice(0, 100),
      Array.from({ length: 100 }, (_, n) => `line ${n}`),
    )
  },
)

async function endOf(child: ChildProcess): Promise<unknown> {
  const impatience = setTimeout(() => child.kill('SIGKILL'), 20_000)
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  clearTimeout(impatience)
  return code ?? signal
}

function byNumber(a: string, b: string): number {
  return Number(a.slice(5)) - Number(b.slice(5))
}
