// Runs the whole suite, or the files named by pieces of their paths: every file in a process of its own, as
// `node FILE` does, some at once. Ends with the counts on a line of their own.
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { compileCache } from './compile-cache.ts'
import { findProgram, missing, programs } from './debian.ts'
import { endAll, runFile, type FileResult } from './suite-file.ts'

const root = resolve(import.meta.dirname, '..', '..')

/** These begin first, so that none of them is still running when all others are done. */
const longest = [
  'test/faults/kill.test.ts',
  'test/faults/hostile-sockets.test.ts',
  'test/security/planted.test.ts',
  'test/package.test.ts',
  'test/faults/chaos-links.test.ts',
  'test/cases.test.ts',
  'test/unit/server/socket-ends.test.ts',
  'test/clients/gemini-others.test.ts',
  'test/property/',
  'test/faults/',
  'test/security/',
  'test/clients/',
]

/** One more than there are cores: some files mostly wait. */
const jobs = Number(process.env['TEST_JOBS'] ?? availableParallelism() + 1)

/** A test may name a longer time for itself; by default tap gives it 30 seconds, too few on a busy machine. */
const env = {
  TAP_TIMEOUT: '120',
  ...process.env,
  NODE_COMPILE_CACHE: compileCache,
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    endAll()
    process.exit(1)
  })
}

for (const program of programs) {
  const path = findProgram(program)
  process.stdout.write(path === undefined ? `${missing(program)}: its tests are skipped\n` : `${program}: ${path}\n`)
}
const results = await runAll(filesOf(process.argv.slice(2)))
const sum = (of: (result: FileResult) => number): number => results.reduce((total, result) => total + of(result), 0)
const [passed, failed, skipped] = [sum((file) => file.passed), sum((file) => file.failed), sum((file) => file.skipped)]
process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
process.exitCode = failed === 0 && passed > 0 ? 0 : 1

function filesOf(named: readonly string[]): string[] {
  const files = globSync('test/**/*.test.ts', { cwd: root }).filter(
    (file) => named.length === 0 || named.some((piece) => file.includes(piece)),
  )
  const place = (file: string): number => [...longest, ''].findIndex((one) => file.startsWith(one))
  return files.sort((a, b) => place(a) - place(b) || (a < b ? -1 : 1))
}

async function runAll(files: readonly string[]): Promise<FileResult[]> {
  const waiting = files.values()
  const done: FileResult[] = []
  const lane = async (): Promise<void> => {
    for (const file of waiting) {
      const result = await runFile(file, { cwd: root, env })
      done.push(result)
      process.stdout.write(`${result.report}  ${result.failed === 0 ? 'ok  ' : 'FAIL'} ${file} ${result.seconds} s\n`)
    }
  }
  await Promise.all(Array.from({ length: jobs }, lane))
  return done
}
