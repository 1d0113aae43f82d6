// Owns finding the files that a command was given: a file itself, or what lies below a folder.
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
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
