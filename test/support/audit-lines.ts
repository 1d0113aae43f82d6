// Reads the records that a proxy under test has left.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type AuditLine = { readonly kind: string; readonly i: number; readonly [key: string]: unknown }

/** All records of all writers below `dir`, in order. */
export function auditLines(dir: string): AuditLine[] {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /\d{20}\.jsonl$/.test(name))
  return files
    .sort()
    .flatMap((name) => readFileSync(join(dir, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as AuditLine)
}
