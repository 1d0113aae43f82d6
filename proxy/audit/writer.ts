// Owns the end of a log: turns drafts into chained lines, writes them into the current segment, and knows what of it is
// durable. After a failed write or sync it cuts back to that and goes on in a new segment. It knows no queue and no
// timing; its caller calls one method at a time.
import type { Disk, DiskFile } from './disk.ts'
import { segmentName } from './layout.ts'
import { type Draft, firstPrev, render } from './line.ts'
import type { Since } from './patience.ts'
import { Frontier, leafTextAt, type FrontierState } from './tree.ts'

/** One record on its way, with whoever waits for it. */
export type Entry = { readonly draft: Draft; waiter?: Waiter | undefined }
export type Waiter = {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  readonly since: Since
}

/** A segment as it was found, or as it was made. Lengths are bytes. */
export type SegmentState = { readonly name: string; readonly bytes: number; readonly startedMs: number }

// What is written but not durable is kept in memory, so it is made durable in time.
const unsyncedBytesMax = 4 * 1024 * 1024
const unsyncedRecordsMax = 2048
// Folding a leaf into the tree costs about a microsecond, and much less among others than alone.
const leavesMax = 1024
/** Room for a few records: the lines of a quiet log are always made in the same place. */
const linesBytes = 16 * 1024

export class Writer {
  readonly #disk: Disk
  readonly #folder: string
  /** Holds durable records only, up to the first of `#leaves`. */
  readonly #tree: Frontier
  /** Leaf hashes in base64 of the records behind `#tree`, and how many of them are durable. */
  readonly #leaves: string[] = []
  #durableLeaves = 0
  #segmentName: string
  #segmentStartedMs: number
  #segmentBytes: number
  /** What of the segment is known to be on stable storage. */
  #durableBytes: number
  #file: DiskFile | undefined
  #unsynced: Entry[] = []
  readonly #lines = Buffer.allocUnsafeSlow(linesBytes)

  private constructor(disk: Disk, folder: string, tree: Frontier, segment: SegmentState, file: DiskFile | undefined) {
    this.#disk = disk
    this.#folder = folder
    this.#tree = tree
    this.#segmentName = segment.name
    this.#segmentStartedMs = segment.startedMs
    this.#segmentBytes = segment.bytes
    this.#durableBytes = segment.bytes
    this.#file = file
  }

  /** A log without records: `header` becomes the first. */
  static async create(disk: Disk, folder: string, header: Draft, nowMs: number): Promise<Writer> {
    const writer = new Writer(disk, folder, new Frontier(), { name: '', bytes: 0, startedMs: nowMs }, undefined)
    await writer.#startSegment(header, nowMs)
    return writer
  }

  /** Goes on at the end of what is there. */
  static async reopen(disk: Disk, folder: string, tree: Frontier, segment: SegmentState): Promise<Writer> {
    return new Writer(disk, folder, tree, segment, await disk.append(`${folder}/${segment.name}`, 'through'))
  }

  get size(): number {
    return this.#tree.size + this.#leaves.length
  }

  /** The tree of what is on stable storage. */
  get durable(): FrontierState {
    this.#fold()
    return this.#tree.state()
  }

  /** So much is written and not durable that it should be synced. */
  get crowded(): boolean {
    return this.#segmentBytes - this.#durableBytes > unsyncedBytesMax || this.#unsynced.length > unsyncedRecordsMax
  }

  /** Records that are not known to be durable. */
  get unsynced(): number {
    return this.#unsynced.length
  }

  get oldestUnsynced(): Draft | undefined {
    return this.#unsynced[0]?.draft
  }

  get segmentBytes(): number {
    return this.#segmentBytes
  }

  get segmentStartedMs(): number {
    return this.#segmentStartedMs
  }

  async write(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return
    // Kept until they are durable: after a failure nobody knows which of them the disk has.
    for (const entry of entries) this.#unsynced.push(entry)
    const lines = this.#encode(entries)
    await this.#opened().write(lines)
    this.#segmentBytes += lines.length
  }

  /** The same, and all that was written is durable afterwards: one write where nothing else waits to be synced. */
  async writeThrough(entries: Entry[]): Promise<void> {
    if (entries.length === 0 || this.#unsynced.length > 0) {
      await this.write(entries)
      return this.sync()
    }
    this.#unsynced = entries
    const lines = this.#encode(entries)
    await this.#opened().writeThrough(lines)
    this.#segmentBytes += lines.length
    this.#settled()
  }

  async sync(): Promise<void> {
    if (this.#unsynced.length === 0) return
    await this.#opened().datasync()
    this.#settled()
  }

  /**
   * Throws when the segment is not where readers look for it, or is shorter than what is durable. A descriptor goes on
   * taking records into a file that was moved away or removed; only its name shows that.
   */
  async assertInPlace(): Promise<void> {
    const bytes = await this.#disk.sizeOf(`${this.#folder}/${this.#segmentName}`)
    if (bytes >= this.#durableBytes) return
    const how = bytes === 0 ? 'is not there' : `has ${bytes} bytes of ${this.#durableBytes}`
    throw Object.assign(new Error(`${this.#segmentName} ${how}: it was moved, removed or cut by somebody else`), {
      code: 'segment-gone',
    })
  }

  /** Everything written must be durable (`sync`) before. */
  async rotate(header: Draft, nowMs: number): Promise<void> {
    const before = this.#file
    await this.#startSegment(header, nowMs)
    await before?.close()
  }

  /**
   * After any method has thrown: cuts the segment back to what is durable and starts a new one. Returns the records
   * that are in neither, to be written again. May throw, and may then be called again.
   *
   * A descriptor whose sync has failed is never synced again: the kernel has marked the lost pages clean, so a second
   * sync would succeed without them being on the disk.
   */
  async resume(header: Draft, nowMs: number): Promise<readonly Entry[]> {
    const failed = this.#file
    this.#file = undefined
    await failed?.close().catch(() => undefined)
    this.#leaves.length = this.#durableLeaves
    if (this.#segmentName !== '') {
      // Whatever else stands under that name is not ours to cut.
      await this.assertInPlace()
      await this.#disk.truncate(`${this.#folder}/${this.#segmentName}`, this.#durableBytes)
    }
    const again = this.#unsynced
    await this.#startSegment(header, nowMs)
    return again
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  /** The segment appears under its name with its header durable, or not at all. */
  async #startSegment(header: Draft, nowMs: number): Promise<void> {
    const name = segmentName(this.size)
    const lines = this.#encode([{ draft: header }])
    const path = `${this.#folder}/${name}`
    const file = await this.#disk.create(`${path}.tmp`, 'through')
    try {
      await file.writeThrough(lines)
      await this.#disk.rename(`${path}.tmp`, path)
      await this.#disk.syncFolder(this.#folder)
    } catch (error) {
      this.#leaves.length = this.#durableLeaves
      await file.close().catch(() => undefined)
      throw error
    }
    this.#file = file
    this.#segmentName = name
    this.#segmentStartedMs = nowMs
    this.#segmentBytes = lines.length
    this.#settled()
  }

  #settled(): void {
    this.#durableLeaves = this.#leaves.length
    this.#durableBytes = this.#segmentBytes
    this.#unsynced = []
    if (this.#durableLeaves >= leavesMax) this.#fold()
  }

  #fold(): void {
    for (const leaf of this.#leaves.splice(0, this.#durableLeaves)) this.#tree.append(Buffer.from(leaf, 'base64'))
    this.#durableLeaves = 0
  }

  /** LF-terminated lines, each chained to the one before; one buffer for one write, which must end before the next. */
  #encode(entries: readonly Entry[]): Buffer {
    let bytesMax = 1
    for (const { draft } of entries) bytesMax += draft.bytes + 1
    const bytes = bytesMax <= linesBytes ? this.#lines : Buffer.allocUnsafe(bytesMax)
    let prev = this.#leaves.at(-1) ?? this.#tree.last?.toString('base64') ?? firstPrev
    let at = 1
    for (const { draft } of entries) {
      const end = at + bytes.write(render(draft, this.size, prev), at)
      prev = leafTextAt(bytes, at, end)
      // Hashing needs the byte before the line, where the LF of the line before belongs.
      bytes[at - 1] = 0x0a
      this.#leaves.push(prev)
      at = end + 1
    }
    bytes[at - 1] = 0x0a
    return bytes.subarray(1, at)
  }

  #opened(): DiskFile {
    if (this.#file === undefined) throw new Error('the segment is not open')
    return this.#file
  }
}
