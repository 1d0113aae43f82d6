import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'

const logOutput = join(import.meta.dirname, '../../../proxy/cli/log-output.ts')

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
  const child = run(`new LogOutput(1, () => undefined).write('alone\\n')`, 'pipe')
  const [bytes] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  t.equal(bytes.toString(), 'alone\n', 'although the process goes on')
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

function byNumber(a: string, b: string): number {
  return Number(a.slice(5)) - Number(b.slice(5))
}
