import { join } from 'node:path'
import t, { type Test } from 'tap'
import { runFile, type FileOptions, type FileResult } from '../../support/suite-file.ts'

function run(t: Test, source: string, options: Partial<FileOptions> = {}): Promise<FileResult> {
  const cwd = t.testdir({ 'one.mjs': source })
  return runFile(join(cwd, 'one.mjs'), { cwd, env: { PATH: process.env['PATH'] }, ...options })
}

t.test('tests and assertions are counted, and the file', async (t) => {
  const source =
    "console.log('    ok 1 - in it\\n    1..1\\nok 1 - a test # time=1ms\\nok 2 - later # SKIP why\\n1..2')"
  t.match(await run(t, source), { passed: 3, failed: 0, skipped: 1, report: 'skipped: later # SKIP why\n' })
})

t.test('a failure is shown with what follows it', async (t) => {
  const source =
    "console.log('not ok 1 - x\\n  diff\\nok 2 - y\\n  fine\\n1..2'); console.error('lost'); process.exitCode = 1"
  const { report, ...counts } = await run(t, source)
  t.match(counts, { passed: 1, failed: 2 })
  t.match(report, /^not ok 1 - x\n  diff\n\S+one\.mjs ended with 1\nlost\n/)
})

t.test('a file that dies, and one that tests nothing, have failed', async (t) => {
  t.match(await run(t, "console.log('ok 1 - x'); process.kill(process.pid, 'SIGKILL')"), {
    failed: 1,
    report: /one\.mjs ended with SIGKILL/,
  })
  t.match(await run(t, ''), { passed: 0, failed: 1, report: /tests nothing/ })
})

t.test('a file that does not end is ended', async (t) => {
  const result = await run(t, "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)", { fileMs: 500 })
  t.match(result, { passed: 0, failed: 2, report: /does not end in 0\.5 s\n.*ended with SIGKILL/ })
})

t.test('so is what it leaves behind', async (t) => {
  const source = `import { spawn } from 'node:child_process'
spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: ['ignore', 'inherit', 'inherit'] }).unref()
console.log('ok 1 - x')`
  t.match(await run(t, source, { childrenMs: 500 }), { passed: 2, failed: 1, report: /left a process behind/ })
})
