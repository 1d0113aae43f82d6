// Runs a command of the program in this process and keeps what it prints: starting a process for each call would take
// most of the time of such tests. Calls must not overlap.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../../proxy/cli/program.ts'

export type RanHere = { readonly code: string | number | null | undefined; readonly out: string; readonly err: string }

/** `env` holds only for this call. */
export async function runHere(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RanHere> {
  const { stdout, stderr, exitCode } = process
  const writes = { out: stdout.write.bind(stdout), err: stderr.write.bind(stderr) }
  const heard = { out: '', err: '' }
  Object.assign(process.env, env)
  stdout.write = (text: unknown) => ((heard.out += String(text)), true)
  stderr.write = (text: unknown) => ((heard.err += String(text)), true)
  try {
    process.exitCode = 0
    await runCommand(args)
    return { code: process.exitCode, ...heard }
  } finally {
    stdout.write = writes.out
    stderr.write = writes.err
    process.exitCode = exitCode
    for (const name of Object.keys(env)) delete process.env[name]
  }
}

/** An empty folder, which is the working directory until the test is over. */
export function workIn(t: { teardown: (run: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatewright-test-'))
  const cwd = process.cwd()
  process.chdir(folder)
  t.teardown(() => {
    process.chdir(cwd)
    rmSync(folder, { recursive: true, force: true })
  })
  return folder
}
