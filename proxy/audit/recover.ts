// Owns finding the end of a log at start: the newest checkpoint that its key signed, the records after it, and the torn
// bytes that a crash may have left at the very end. Any other damage is reported, never repaired.
import { createHash } from 'node:crypto'
import { mkdir, open, truncate } from 'node:fs/promises'
import { Fault } from '../errors.ts'
import { readBlocks } from './blocks.ts'
import { type Checkpoint, openCheckpoint, type Vkey } from './checkpoint.ts'
import { checkpointName, checkpointsName, frontierName, listSegments, readText, recoveryName } from './layout.ts'
import type { Segment } from './layout.ts'
import { largestKept, publishedBefore, splitNotes } from './notes.ts'
import { parseFrontiers } from './publisher.ts'
import { checkLine, type ParsedRecord } from './record-check.ts'
import { Frontier, peakCount } from './tree.ts'
import type { SegmentState } from './writer.ts'

export type Recovered = {
  readonly frontier: Frontier
  readonly segment: SegmentState
  /** The newest published note; absent when a crash came before the first. */
  readonly newest?: { readonly note: string; readonly size: number }
  /** The last record is a `close`. */
  readonly clean: boolean
  /** Bytes after the last LF, moved to `file` (below the log's folder). */
  readonly torn?: { readonly bytes: number; readonly sha256: string; readonly file: string }
}

/** Undefined for a log that has no records yet. Throws a Fault whose cause names the damage. */
export async function recover(folder: string, vkey: Vkey, nowMs: number): Promise<Recovered | undefined> {
  const segments = await listSegments(folder)
  const newest = await readNewest(folder, vkey)
  if (segments.length === 0) {
    if (newest === undefined) return undefined
    throw damaged(folder, `the checkpoint covers ${newest.size} records, but there is no segment`)
  }
  const frontier = newest === undefined ? new Frontier() : await startingFrontier(folder, newest)
  const end = await replay(folder, segments, frontier, newest)
  if (newest !== undefined && end.records < newest.size) {
    throw damaged(folder, `the log ends at ${end.records} records, the checkpoint covers ${newest.size}`)
  }
  const { segment, lastKind } = end
  await cutNotes(folder)
  const torn = end.tornBytes === 0 ? undefined : await moveTorn(folder, segment, end.tornBytes, nowMs)
  return {
    frontier,
    segment,
    clean: lastKind === 'close' && torn === undefined,
    ...(newest === undefined ? undefined : { newest }),
    ...(torn === undefined ? undefined : { torn }),
  }
}

type Newest = { readonly note: string; readonly size: number; readonly root: Buffer }

/** `checkpoint`, which is published before anything else tells of it: that it is gone or older is no crash. */
async function readNewest(folder: string, vkey: Vkey): Promise<Newest | undefined> {
  const note = await readText(`${folder}/${checkpointName}`)
  const newest = note === undefined ? undefined : { note, ...trusted(folder, 'the checkpoint', note, vkey) }
  const kept = await largestKept(folder)
  if (kept === undefined) return newest
  const { size, root } = trusted(folder, `the largest checkpoint in ${kept.file}`, kept.note, vkey)
  if (newest === undefined || newest.size < size) throw outdated(folder, newest, size, `it is in ${kept.file}`)
  if (newest.size === size && !newest.root.equals(root)) {
    throw damaged(folder, `the checkpoint and ${kept.file} tell of two different logs of ${size} records`)
  }
  return newest
}

function trusted(folder: string, which: string, note: string, vkey: Vkey): Checkpoint {
  const opened = openCheckpoint(note, vkey)
  if ('problem' in opened) throw damaged(folder, `${which} cannot be trusted: ${opened.problem}`)
  const { origin } = opened.checkpoint
  if (origin !== vkey.name) throw damaged(folder, `${which} is of another log: ${origin}`)
  return opened.checkpoint
}

/** To go on from there would sign another history than the one that is signed already. */
function outdated(folder: string, newest: Newest | undefined, size: number, where: string): Fault {
  const is = newest === undefined ? 'is missing' : `covers ${newest.size} records`
  return damaged(folder, `the checkpoint ${is}, although one that covers ${size} was published (${where})`)
}

/** The kept frontier is believed only when it folds to the signed root; otherwise everything is hashed again. */
async function startingFrontier(folder: string, { size, root }: Newest): Promise<Frontier> {
  const kept = parseFrontiers((await readText(`${folder}/${frontierName}`)) ?? '')
  for (const state of kept) {
    if (state.size !== size || state.peaks.length !== peakCount(size - 1)) continue
    const frontier = new Frontier(state)
    if (frontier.root().equals(root)) return frontier
  }
  return new Frontier()
}

type End = {
  readonly segment: SegmentState
  /** Of the whole log, up to the end of this segment. */
  readonly records: number
  readonly tornBytes: number
  readonly lastKind: string | undefined
}

/** Appends to `frontier` the records that it does not cover yet, each checked against the one before. */
async function replay(
  folder: string,
  segments: readonly Segment[],
  frontier: Frontier,
  newest: Newest | undefined,
): Promise<End> {
  const from = Math.max(
    0,
    segments.findLastIndex(({ first }) => first <= frontier.size),
  )
  let end: End | undefined
  for (const [position, segment] of segments.entries()) {
    if (position < from) continue
    if (position > from && segment.first !== frontier.size) {
      throw damaged(folder, `segment ${segment.name} should begin with record ${frontier.size}`)
    }
    end = await replaySegment(folder, segment, frontier, newest)
    if (end.tornBytes > 0 && position < segments.length - 1) {
      throw damaged(folder, `segment ${segment.name} ends in the middle of a line, and there are later segments`)
    }
  }
  if (end === undefined || end.segment.bytes === 0) throw damaged(folder, 'the last segment has no header')
  return end
}

async function replaySegment(
  folder: string,
  { name, first }: Segment,
  frontier: Frontier,
  newest: Newest | undefined,
): Promise<End> {
  let [index, bytes, startedMs] = [first, 0, 0]
  let lastKind: string | undefined
  let tornBytes = 0
  for await (const block of readBlocks(`${folder}/${name}`)) {
    const rest = block.torn || block.bytes[block.end - 1] !== 0x0a
    // Without any LF up to the end of the file it is torn, however long: a power cut can leave many zeros.
    if (tornBytes > 0 && !rest) throw damaged(folder, `segment ${name}: no line ends after byte ${bytes}`)
    if (rest) {
      tornBytes += block.end - block.start
      continue
    }
    for (let at = block.start; at < block.end;) {
      const end = block.bytes.indexOf(0x0a, at)
      if (index === first) startedMs = timeOf(block.bytes.toString('utf8', at, end))
      if (index >= frontier.size) {
        const checked = checkLine(block.bytes, at, end, { index: frontier.size, last: frontier.last })
        if ('flaw' in checked) throw damaged(folder, `segment ${name}, byte ${bytes}: ${checked.flaw.message}`)
        frontier.append(checked.leaf)
        compare(folder, frontier, checked.record, newest)
      }
      if (end === block.end - 1) lastKind = kindOf(block.bytes.toString('utf8', at, end))
      index += 1
      bytes += end + 1 - at
      at = end + 1
    }
  }
  return { segment: { name, bytes, startedMs }, records: index, tornBytes, lastKind }
}

/** The record just appended, and the tree that it completes, against the newest checkpoint. */
function compare(folder: string, frontier: Frontier, record: ParsedRecord, newest: Newest | undefined): void {
  if (frontier.size === newest?.size && !frontier.root().equals(newest.root)) {
    throw damaged(folder, `its first ${newest.size} records are not those that the checkpoint was signed for`)
  }
  const published = publishedBefore(record)
  if (published > (newest?.size ?? 0)) throw outdated(folder, newest, published, `record ${record.i} shows it`)
}

/** What was torn is kept for whoever wants to look at it; it was never acknowledged. */
async function moveTorn(
  folder: string,
  { name, bytes }: SegmentState,
  tornBytes: number,
  nowMs: number,
): Promise<Recovered['torn']> {
  const path = `${folder}/${name}`
  const torn = Buffer.alloc(tornBytes)
  const source = await open(path, 'r')
  await source.read(torn, 0, tornBytes, bytes)
  await source.close()
  const file = `${recoveryName}/${new Date(nowMs).toISOString().replaceAll(':', '')}.bin`
  await mkdir(`${folder}/${recoveryName}`, { recursive: true, mode: 0o700 })
  const target = await open(`${folder}/${file}`, 'w', 0o600)
  try {
    await target.writeFile(torn)
    await target.sync()
  } finally {
    await target.close()
  }
  await truncate(path, bytes)
  return { bytes: tornBytes, sha256: createHash('sha256').update(torn).digest('hex'), file }
}

/** A note that a crash tore is in `checkpoint` or was never seen; what follows must not be read as a part of it. */
async function cutNotes(folder: string): Promise<void> {
  const path = `${folder}/${checkpointsName}`
  const text = (await readText(path)) ?? ''
  const { rest } = splitNotes(text)
  if (rest !== '') await truncate(path, Buffer.byteLength(text) - Buffer.byteLength(rest))
}

function timeOf(line: string): number {
  return Date.parse(parsed(line)?.t ?? '')
}

function kindOf(line: string): string | undefined {
  return parsed(line)?.kind
}

function parsed(line: string): Partial<ParsedRecord> | undefined {
  try {
    return JSON.parse(line) as Partial<ParsedRecord>
  } catch {
    return undefined
  }
}

function damaged(folder: string, what: string): Fault {
  const advice = 'Nothing was changed. Run "audit verify" on it, keep a copy, and start with another writer id.'
  return new Fault('audit-unavailable', undefined, {
    cause: new Error(`The audit log ${folder} is damaged: ${what}. ${advice}`),
  })
}
