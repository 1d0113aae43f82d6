// Owns verification as its callers see it: all the logs in a folder, one report. It reads nothing but that folder.
import { basename, resolve } from 'node:path'
import { parseVkey } from './checkpoint.ts'
import { listLogs } from './layout.ts'
import { type Finding, firstLine, type LogReport, type Status, verifyOne } from './verify-one.ts'

export type { Check, Finding, LogReport, Status } from './verify-one.ts'

export type VerifyOptions = {
  /** The public key to believe, as a vkey. Absent: each log's own, which proves only that the log agrees with itself. */
  readonly vkey?: string
  /** A checkpoint that was kept elsewhere, as text. */
  readonly since?: string
}

export type Report = {
  readonly status: Status
  readonly records: number
  readonly segments: number
  readonly checkpoints: number
  readonly unsigned: number
  readonly unpaired: number
  readonly key: 'given' | 'own'
  /** The first bad record. */
  readonly first?: Finding
  readonly logs: readonly LogReport[]
  /** What this result does not prove. */
  readonly notes: readonly string[]
}

/** Throws an Error for a folder without logs and for a key that is none. */
export async function verifyLog(dir: string, { vkey, since }: VerifyOptions = {}): Promise<Report> {
  const publicKey = vkey === undefined ? undefined : parseVkey(vkey)?.publicKey
  if (vkey !== undefined && publicKey === undefined)
    throw new Error(`"${vkey.slice(0, 200)}" is not a vkey (name+hash+key)`)
  const folders = await listLogs(dir)
  // With a checkpoint kept elsewhere, a log that is gone is a finding.
  if (folders.length === 0 && since === undefined) throw new Error(`${dir} holds no audit log`)
  const logs: LogReport[] = []
  for (const folder of folders) logs.push(await verifyOne(folder, { publicKey, since }))
  const findings = [...logs.flatMap((log) => log.findings), ...(await copiesAmong(folders))]
  const origin = since?.split('\n')[0]
  if (since !== undefined && !logs.some((log) => log.origin === origin)) {
    findings.push({
      log: '',
      check: 'since',
      message: `the log of the checkpoint kept elsewhere, ${origin}, is not there`,
    })
  }
  const sum = (of: (log: LogReport) => number): number => logs.reduce((total, log) => total + of(log), 0)
  const first = findings.find(({ index }) => index !== undefined) ?? findings[0]
  return {
    status:
      first !== undefined ? 'tampered' : logs.some((log) => log.status === 'incomplete') ? 'incomplete' : 'intact',
    records: sum((log) => log.records),
    segments: sum((log) => log.segments),
    checkpoints: sum((log) => log.checkpoints),
    unsigned: sum((log) => log.unsigned),
    unpaired: sum((log) => log.unpaired),
    key: vkey === undefined ? 'own' : 'given',
    ...(first === undefined ? undefined : { first }),
    logs,
    notes: notesOf(vkey, since),
  }
}

/** No two logs begin alike, so what says so is one log twice, and what is in it would count twice. */
async function copiesAmong(folders: readonly string[]): Promise<Finding[]> {
  const findings: Finding[] = []
  const logs = new Map<string, string>()
  for (const folder of folders) {
    const first = await firstLine(folder)
    const log = basename(resolve(folder))
    const other = logs.get(first)
    if (other === undefined) logs.set(first, log)
    else if (first !== '') findings.push({ log, check: 'copy', message: `this is the log of ${other} once more` })
  }
  return findings
}

function notesOf(vkey: string | undefined, since: string | undefined): string[] {
  const notes: string[] = []
  if (vkey === undefined) {
    notes.push(
      'checked with the public key found in the folder: whoever replaced the whole folder replaced that too (--key)',
    )
  }
  if (since === undefined) {
    notes.push(
      'an older state of the whole folder looks the same: only a checkpoint kept elsewhere shows a rollback (--since)',
    )
  }
  return notes
}
