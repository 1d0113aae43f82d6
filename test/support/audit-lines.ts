// Reads the records that a proxy under test has left.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

export type AuditLine = { readonly kind: string; readonly i: number; readonly [key: string]: unknown }

/** All records of all writers below `dir`, in order. */
export function auditLines(dir: string): AuditLine[] {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => /\d{20}\.jsonl$/.test(name))
  return files
    .sort()
    .flatMap((name) => wholeLines(readFileSync(join(dir, name), 'utf8')))
    .map((line) => JSON.parse(line) as AuditLine)
}

/** The writer may be in the middle of a line. */
function wholeLines(text: string): string[] {
  return text.split('\n').slice(0, -1)
}
