// Runs a program as a user would, in an environment that holds nothing but what the test puts there.
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { compileCache } from './compile-cache.ts'

export const root = resolve(import.meta.dirname, '..', '..')

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

export type RunOptions = {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...options.env }
  const settings = {
    cwd: options.cwd ?? root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
    timeout: options.timeoutMs ?? 120_000,
  } as const
  return new Promise((done) => {
    execFile(program, args, settings, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr })
    })
  })
}

/** The command line of the checkout. */
export function gatewright(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  return run(process.execPath, ['proxy/main.ts', ...args], { env: { NODE_COMPILE_CACHE: compileCache, ...env } })
}
