// Owns proving that one record is in a log: what stands between its leaf and the root that the newest checkpoint signs.
// It does not know what the record means, nor how a proof is written down.
import { basename } from 'node:path'
import { openCheckpoint, parseVkey } from './checkpoint.ts'
import { checkpointName, listLogs, readText, vkeyName } from './layout.ts'
import { readLines } from './lines.ts'
import { checkInclusion, proveInclusion } from './proof.ts'
import { leafHash } from './tree.ts'

export type RecordProof = {
  readonly log: string
  readonly index: number
  /** The record's own bytes, as UTF-8, without LF. */
  readonly line: string
  /** From the leaf up (RFC 9162 §2.1.3). */
  readonly hashes: readonly Buffer[]
  /** The signed note that the proof leads to. */
  readonly checkpoint: string
}

/**
 * `wanted` is an index in the log, or a request id, of which the last record is proven. Throws an Error that says why
 * there is no proof; takes some 200 bytes of memory for each record before the checkpoint.
 */
export async function proveRecord(dir: string, wanted: number | string): Promise<RecordProof> {
  const folders = await listLogs(dir)
  const [only] = folders
  if (only === undefined) throw new Error(`${dir} holds no audit log`)
  if (typeof wanted === 'number') {
    if (folders.length > 1) throw new Error(`${dir} holds several logs: name the folder of one, such as ${only}`)
    return proveIn(only, wanted)
  }
  for (const folder of folders) {
    const index = await lastOf(folder, wanted)
    if (index !== undefined) return proveIn(folder, index)
  }
  throw new Error(`no record of ${dir} is of request ${wanted}`)
}

async function lastOf(folder: string, request: string): Promise<number | undefined> {
  // Canonical JSON has one way to write it, and the ids are made here, so they need no escapes.
  const member = `"request":${JSON.stringify(request)}`
  let found: number | undefined
  let index = 0
  for await (const line of readLines(folder)) {
    if (line.includes(member)) found = index
    index += 1
  }
  return found
}

async function proveIn(folder: string, index: number): Promise<RecordProof> {
  const checkpoint = (await readText(`${folder}/${checkpointName}`)) ?? ''
  const vkey = parseVkey((await readText(`${folder}/${vkeyName}`)) ?? '')
  const opened = vkey === undefined ? { problem: 'there is no public key' } : openCheckpoint(checkpoint, vkey)
  if ('problem' in opened) throw new Error(`the checkpoint of ${folder} cannot be trusted: ${opened.problem}`)
  const { size, root } = opened.checkpoint
  if (index >= size)
    throw new Error(`record ${index} is covered by no checkpoint yet: the newest covers ${size} records`)
  const leaves: Buffer[] = []
  let proven = ''
  for await (const line of readLines(folder)) {
    if (leaves.length === size) break
    if (leaves.length === index) proven = line
    leaves.push(leafHash(Buffer.from(line)))
  }
  const hashes = proveInclusion(leaves, index)
  const leaf = leaves[index]
  if (leaf === undefined || !checkInclusion({ leaf, index, size, root }, hashes))
    throw new Error(`the records of ${folder} are not those that its checkpoint was signed for (run audit verify)`)
  return { log: basename(folder), index, line: proven, hashes, checkpoint }
}
