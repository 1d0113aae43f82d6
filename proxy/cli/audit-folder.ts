// Owns what the commands over audit logs have in common: the folder they are given, and the exit code of wrong calls.
import { statSync } from 'node:fs'
import { printable } from '../lib/printable.ts'
import { CommandError } from './command-error.ts'

/** `audit verify` says 2 for a torn tail. */
export const exitUsage = 3

export function checkFolder(dir: string): void {
  const found = statSync(dir, { throwIfNoEntry: false })
  if (found === undefined) throw new CommandError(`${dir} does not exist`, exitUsage)
  if (!found.isDirectory()) throw new CommandError(`${dir} is not a folder`, exitUsage)
}

/** A message may quote the log, and that may be anybody's. */
export async function orFail<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new CommandError(printable(error instanceof Error ? error.message : String(error)), exitUsage)
  }
}
