// Runs the whole suite: sees to what the tests need, runs tap, and ends with the counts on a line of their own.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { findRedisServer } from './redis.ts'

const root = resolve(import.meta.dirname, '..', '..')
/** The lines that follow a failure belong to it. */
let showing = false
const compileCache = join(tmpdir(), 'gatewright-test-compiled')
const tap = join(root, 'node_modules', '.bin', 'tap')

const redis = findRedisServer()
process.stdout.write(
  redis === undefined
    ? 'redis-server is not here and cannot be installed: its tests are skipped\n'
    : `redis-server: ${redis}\n`,
)
buildRunner()
const counts = await runTests(process.argv.slice(2))
process.stdout.write(
  `\n${counts.passed} passed, ${counts.failed} failed${counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''}\n`,
)
process.exitCode = counts.failed === 0 && counts.passed > 0 && counts.exit === 0 ? 0 : 1

/** The runner is generated from .taprc once for each installation; without this the first run fails. */
function buildRunner(): void {
  // npm ci wipes what was built, whatever .tap says.
  if (
    existsSync(join(root, 'node_modules', '@tapjs', 'test', 'test-built')) &&
    existsSync(join(root, '.tap', 'plugins'))
  )
    return
  const built = spawnSync(tap, ['build'], { cwd: root, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`tap build failed:\n${built.stdout}${built.stderr}`)
}

type Counts = { passed: number; failed: number; skipped: number; exit: number }

/** Counts the assertions that tap reports, from its own machine-readable stream. */
function runTests(args: readonly string[]): Promise<Counts> {
  const child = spawn(tap, ['run', '--disable-coverage', '--reporter=tap', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    // Every file is a process of its own, and most of them load the whole proxy: half of that is compiling it.
    env: { ...process.env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? compileCache },
  })
  const counts: Counts = { passed: 0, failed: 0, skipped: 0, exit: 1 }
  let rest = ''
  child.stdout.setEncoding('utf8')
  child.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) count(line, counts)
  })
  return new Promise((done) => {
    child.on('close', (code) => {
      counts.exit = code ?? 1
      done(counts)
    })
  })
}

/** A line at depth 0 is a file, deeper ones are tests and assertions; a failure is shown with what follows it. */
function count(line: string, counts: Counts): void {
  const match = /^( *)(not ok|ok) \d+ - ?(.*)$/.exec(line)
  if (match === null) {
    if (showing) process.stdout.write(`${line}\n`)
    return
  }
  const [, indent = '', verdict, rest = ''] = match
  showing = verdict === 'not ok' && !/# (SKIP|TODO)/i.test(rest)
  if (showing) process.stdout.write(`${line}\n`)
  if (/# SKIP/i.test(rest)) {
    counts.skipped += 1
    process.stdout.write(`skipped: ${rest}\n`)
  } else if (indent === '') {
    process.stdout.write(`${verdict === 'ok' ? '  ok  ' : '  FAIL'} ${rest}\n`)
    if (showing) counts.failed += 1
    else counts.passed += 1
  } else if (showing) counts.failed += 1
  else counts.passed += 1
}
