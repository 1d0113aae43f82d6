// Owns finding the files that a command was given: a file itself, or what lies below a folder, or standard
// input; and why one cannot be read.
import { fstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { CommandError } from './command-error.ts'

/** Sorted; names that begin with a dot are left out (a ConfigMap's own entries among them). */
export function filesBelow(path: string, pattern: RegExp): string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new CommandError(`${path} does not exist`, 2)
  if (!stat.isDirectory()) return [path]
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.'))
    .flatMap((entry) => {
      const child = join(path, entry.name)
      if (entry.isDirectory()) return filesBelow(child, pattern)
      return pattern.test(entry.name) ? [child] : []
    })
    .sort()
}

/** `-` is standard input: a pipe whose writer is slow gives EAGAIN to whoever reads it at once, so it is read as a stream. */
export async function readInput(name: string): Promise<Buffer> {
  if (name !== '-') return readFileSync(name)
  // As a stream a folder is read as if it were empty.
  if (fstatSync(process.stdin.fd).isDirectory()) throw new Error('standard input is a folder')
  return buffer(process.stdin)
}

/** In words, without the system call that Node names. */
export function whyUnreadable(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'no such file or directory',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    ENOTDIR: 'it is not a folder',
  }
  return reasons[(error as NodeJS.ErrnoException).code ?? ''] ?? error.message
}
