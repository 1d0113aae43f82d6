// Owns reading the signed notes that stand beside a log's segments. It does not know whether the log agrees with them.
import { type Checkpoint, openCheckpoint, type OpenedCheckpoint, type Vkey } from './checkpoint.ts'
import { checkpointName, checkpointsBeforeName, checkpointsName, readText } from './layout.ts'
import type { ParsedRecord } from './record-check.ts'

export type NoteProblem = { readonly file: string; readonly message: string }
export type Notes = {
  /** Those that are properly signed, in the order in which they were published. */
  readonly kept: readonly Checkpoint[]
  readonly problems: readonly NoteProblem[]
  /** Size of the newest, from the file `checkpoint` itself; undefined when there is no such file. */
  readonly newest: number | undefined
  /** `checkpoints.log` ends in the middle of a note. */
  readonly torn: boolean
}

// About 60 MB of notes.
const rememberedMax = 262_144

/** `checkpoint` is read last: it is always published before `checkpoints.log` is appended to. */
export async function readNotes(folder: string, opener: NoteOpener): Promise<Notes> {
  const kept: Checkpoint[] = []
  const problems: NoteProblem[] = []
  let torn = false
  const add = (file: string, note: string, where: string): number | undefined => {
    const opened = opener.open(note)
    if ('problem' in opened) {
      problems.push({ file, message: `${where} cannot be trusted: ${opened.problem}` })
      return undefined
    }
    const { checkpoint } = opened
    // Its place among the others says when it was published, whatever was put into `checkpoint` since.
    if (file !== checkpointName || !kept.some((known) => isSame(known, checkpoint))) kept.push(checkpoint)
    return checkpoint.size
  }
  for (const file of [checkpointsBeforeName, checkpointsName]) {
    const split = splitNotes((await readText(`${folder}/${file}`)) ?? '')
    for (const [position, note] of split.notes.entries()) add(file, note, `note ${position + 1} of ${file}`)
    torn ||= split.rest !== ''
  }
  const note = await readText(`${folder}/${checkpointName}`)
  const newest = note === undefined ? undefined : add(checkpointName, note, 'the checkpoint')
  return { kept, problems, newest, torn }
}

function isSame(one: Checkpoint, other: Checkpoint): boolean {
  return one.size === other.size && one.root.equals(other.root)
}

/** The size in the file `checkpoint` as it is now, believed without looking at its signature. */
export async function newestSize(folder: string): Promise<number | undefined> {
  const note = await readText(`${folder}/${checkpointName}`)
  return note === undefined ? undefined : sizeOf(note)
}

/** The note beside `checkpoint` that says it covers most, and its file; whether it is signed is the caller's to see. */
export async function largestKept(
  folder: string,
): Promise<{ readonly note: string; readonly file: string } | undefined> {
  let largest: { readonly note: string; readonly file: string; readonly size: number } | undefined
  for (const file of [checkpointsBeforeName, checkpointsName]) {
    for (const note of splitNotes((await readText(`${folder}/${file}`)) ?? '').notes) {
      const size = sizeOf(note)
      if (largest === undefined || size >= largest.size) largest = { note, file, size }
    }
  }
  return largest
}

/** Nothing else stands in a log before its first checkpoint, which is published before any caller may append. */
const kindsBefore = new Set(['open', 'close', 'gap', 'recovered'])

/** How many records a checkpoint covered at least when this record was written. */
export function publishedBefore({ kind, note }: ParsedRecord): number {
  if (kind === 'checkpoint') return sizeOf(String(note))
  return kindsBefore.has(kind) ? 0 : 1
}

/** What a note says, true or not. */
function sizeOf(note: string): number {
  return Number(note.split('\n', 2)[1])
}

/**
 * As `openCheckpoint`, and of this log. Most notes of a log are met twice, beside the segments and in a record, so the
 * result is remembered: verifying signatures is most of what verifying a log costs.
 */
export class NoteOpener {
  readonly #vkey: Vkey
  readonly #opened = new Map<string, OpenedCheckpoint>()

  constructor(vkey: Vkey) {
    this.#vkey = vkey
  }

  open(note: string): OpenedCheckpoint {
    const known = this.#opened.get(note)
    if (known !== undefined) return known
    const opened = openCheckpoint(note, this.#vkey)
    const foreign = 'checkpoint' in opened && opened.checkpoint.origin !== this.#vkey.name
    const result = foreign ? { problem: `it is of another log, ${opened.checkpoint.origin}` } : opened
    if (this.#opened.size >= rememberedMax) this.#opened.clear()
    this.#opened.set(note, result)
    return result
  }
}

/** Each note of three lines, a blank one and its signature is followed by a blank line; a crash may tear the last. */
export function splitNotes(text: string): { readonly notes: readonly string[]; readonly rest: string } {
  const lines = text.split('\n')
  const notes: string[] = []
  let at = 0
  for (; at + 6 <= lines.length - 1; at += 6) notes.push(`${lines.slice(at, at + 5).join('\n')}\n`)
  return { notes, rest: lines.slice(at).join('\n') }
}
