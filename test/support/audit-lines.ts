// Reads the records that a proxy under test has left. What was read before is not read again: tests ask until a record
// is there.
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './until.ts'

export type AuditLine = { readonly kind: string; readonly i: number; readonly [key: string]: unknown }

/** All records of all writers below `dir`, in order. */
export function auditLines(dir: string): AuditLine[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\d{20}\.jsonl$/.test(name))
    .sort()
    .flatMap((name) => linesOf(join(dir, name)))
}

/** The outcome records, once there are that many: they are written a moment after their answers. */
export function untilOutcomes(dir: string, count: number): Promise<AuditLine[]> {
  return until(() => {
    const outcomes = auditLines(dir).filter(({ kind }) => kind === 'outcome')
    return outcomes.length >= count && outcomes
  })
}

/** What is known of a file: segments are only ever appended to, and one that is not is read anew. */
type Segment = { inode: number; changedMs: number; bytes: number; lines: AuditLine[] }

const segments = new Map<string, Segment>()

function linesOf(path: string): AuditLine[] {
  const file = openSync(path, 'r')
  try {
    const { ino, mtimeMs, size } = fstatSync(file)
    let known = segments.get(path)
    if (known?.inode === ino && known.changedMs === mtimeMs && known.bytes === size) return known.lines
    if (known === undefined || known.inode !== ino || size <= known.bytes)
      known = { inode: ino, changedMs: 0, bytes: 0, lines: [] }
    const added = Buffer.alloc(size - known.bytes)
    const read = readSync(file, added, 0, added.length, known.bytes)
    // The writer may be in the middle of a line.
    const end = added.subarray(0, read).lastIndexOf('\n') + 1
    const texts = added.toString('utf8', 0, end).split('\n').slice(0, -1)
    const lines = [...known.lines, ...texts.map((line) => JSON.parse(line) as AuditLine)]
    segments.set(path, { inode: ino, changedMs: mtimeMs, bytes: known.bytes + end, lines })
    return lines
  } finally {
    closeSync(file)
  }
}
