// Owns publishing: signs the root of what is durable and puts the note where readers look. It runs beside the writing of
// records, never in its way, and one publication at a time.
import { stat } from 'node:fs/promises'
import { formatCheckpoint, formatNote } from './checkpoint.ts'
import { type Disk, replaceFile } from './disk.ts'
import type { AuditKey } from './key.ts'
import { checkpointName, checkpointsBeforeName, checkpointsName, frontierName } from './layout.ts'
import { Frontier, type FrontierState } from './tree.ts'

/** At one note a second about half a day; what is older can be read from the `checkpoint` records. */
const notesBytesMax = 8 * 1024 * 1024

export class Publisher {
  readonly #disk: Disk
  readonly #folder: string
  readonly #origin: string
  readonly #key: AuditKey
  #note: string | undefined
  #size: number
  #frontierLine = ''
  #notesBytes: number | undefined

  constructor(disk: Disk, folder: string, origin: string, key: AuditKey, newest?: { note: string; size: number }) {
    this.#disk = disk
    this.#folder = folder
    this.#origin = origin
    this.#key = key
    this.#note = newest?.note
    this.#size = newest?.size ?? 0
  }

  /** The newest note that readers can see. */
  get note(): string | undefined {
    return this.#note
  }

  /** How many records it covers. */
  get size(): number {
    return this.#size
  }

  /**
   * `tree` must be durable: a signed root over records that a power cut takes away would look like tampering.
   * The order matters: whoever sees a note in `checkpoints.log` must find `checkpoint` at least as new.
   */
  async publish(tree: FrontierState): Promise<void> {
    const root = new Frontier(tree).root()
    const text = formatCheckpoint({ origin: this.#origin, size: tree.size, root })
    const note = formatNote(text, this.#origin, this.#key.publicKey, await this.#key.sign(Buffer.from(text)))
    await this.#keepFrontier(tree)
    await replaceFile(this.#disk, this.#folder, checkpointName, Buffer.from(note), 'durable')
    this.#note = note
    this.#size = tree.size
    await this.#appendNote(Buffer.from(`${note}\n`))
  }

  /** Only a cache that makes the next start fast, so it is not synced; the line before serves a crash in between. */
  async #keepFrontier(tree: FrontierState): Promise<void> {
    const line = formatFrontier(tree)
    await replaceFile(this.#disk, this.#folder, frontierName, Buffer.from(this.#frontierLine + line), 'cached')
    this.#frontierLine = line
  }

  async #appendNote(bytes: Buffer): Promise<void> {
    const path = `${this.#folder}/${checkpointsName}`
    this.#notesBytes ??= await stat(path).then(
      ({ size }) => size,
      () => 0,
    )
    if (this.#notesBytes + bytes.length > notesBytesMax) {
      await this.#disk.rename(path, `${this.#folder}/${checkpointsBeforeName}`)
      this.#notesBytes = 0
    }
    const file = await this.#disk.append(path)
    try {
      await file.write(bytes)
      // So that a power cut can tear no more than the last note.
      await file.datasync()
      this.#notesBytes += bytes.length
    } finally {
      await file.close()
    }
  }
}

function formatFrontier({ size, last, peaks }: FrontierState): string {
  const hashes = { last: last?.toString('base64'), peaks: peaks.map((peak) => peak.toString('base64')) }
  return `${JSON.stringify({ size, ...hashes })}\n`
}

/** The kept frontiers of a folder, newest last; whatever cannot be read is left out: it can be computed again. */
export function parseFrontiers(text: string): FrontierState[] {
  return text.split('\n').flatMap((line) => {
    try {
      const { size, last, peaks } = JSON.parse(line) as { size: number; last: string; peaks: string[] }
      return [{ size, last: Buffer.from(last, 'base64'), peaks: peaks.map((peak) => Buffer.from(peak, 'base64')) }]
    } catch {
      return []
    }
  })
}
