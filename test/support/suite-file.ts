// Runs one test file and counts what it says. Whatever the file does, it ends, and nothing that it started outlives it.
import { spawn, type ChildProcess } from 'node:child_process'

/** An assertion, a test and a file count one each. */
export type FileResult = {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly seconds: string
  /** What failed and what was skipped, as lines; empty for most. */
  readonly report: string
}

export type FileOptions = {
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Beyond every time limit within the tests. A process that spins in its own exit heeds none of those. */
  readonly fileMs?: number
  /** From the end of the file's process to the end of everything that writes to its output. */
  readonly childrenMs?: number
}

const errorCharsMax = 16_384

const running = new Set<ChildProcess>()

/** Each is the leader of a process group, which a signal from the terminal does not reach. */
export function endAll(): void {
  for (const child of running) endGroup(child)
}

export function runFile(file: string, options: FileOptions): Promise<FileResult> {
  const { cwd, env, fileMs = 600_000, childrenMs = 10_000 } = options
  const startedMs = performance.now()
  const child = spawn(process.execPath, [file], { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const output = new TapCounter()
  let rest = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) output.read(line)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-errorCharsMax)))
  const limit = (ms: number, why: string): NodeJS.Timeout =>
    setTimeout(() => {
      output.fail(`${file} ${why}`)
      endGroup(child)
    }, ms)
  let timer = limit(fileMs, `does not end in ${fileMs / 1000} s`)
  child.once('exit', () => {
    clearTimeout(timer)
    timer = limit(childrenMs, 'left a process behind')
  })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      running.delete(child)
      if (code !== 0) output.fail(`${file} ended with ${code ?? signal}\n${errors}`)
      else if (output.passed + output.skipped === 0) output.fail(`${file} tests nothing`)
      else output.passed += 1
      const { passed, failed, skipped, report } = output
      done({ passed, failed, skipped, report, seconds: ((performance.now() - startedMs) / 1000).toFixed(1) })
    })
  })
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // All of them are gone.
  }
}

class TapCounter {
  passed = 0
  failed = 0
  skipped = 0
  report = ''
  /** The lines that follow a failure belong to it. */
  #failing = false

  fail(what: string): void {
    this.failed += 1
    this.report += `${what}\n`
  }

  /** Tests and their assertions look the same, but for their depth. */
  read(line: string): void {
    const [, verdict, name = ''] = /^ *(not ok|ok) \d+ - ?(.*)$/.exec(line) ?? []
    if (verdict === undefined) {
      if (this.#failing) this.report += `${line}\n`
      return
    }
    const isLeftOut = /# (?:SKIP|TODO)/i.test(name)
    this.#failing = verdict === 'not ok' && !isLeftOut
    if (this.#failing) this.fail(line)
    else if (/# SKIP/i.test(name)) {
      this.skipped += 1
      this.report += `skipped: ${name}\n`
    } else this.passed += 1
  }
}
