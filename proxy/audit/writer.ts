// Owns the end of a log: turns drafts into chained lines, writes them into the current segment, and knows what of it is
// durable. After a failed write or sync it cuts back to that and goes on in a new segment. It knows no queue and no
// timing; its caller calls one method at a time.
import type { Disk, DiskFile } from './disk.ts'
import { segmentName } from './layout.ts'
import { type Draft, firstPrev, render } from './line.ts'
import { Frontier, leafHashAt, type FrontierState } from './tree.ts'

/** One record on its way, with whoever waits for it. */
export type Entry = { readonly draft: Draft; waiter?: Waiter | undefined }
export type Waiter = {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
  /** Monotonic, milliseconds. */
  readonly sinceMs: number
}

/** A segment as it was found, or as it was made. Lengths are bytes. */
export type SegmentState = { readonly name: string; readonly bytes: number; readonly startedMs: number }

export class Writer {
  readonly #disk: Disk
  readonly #folder: string
  #frontier: Frontier
  #durable: FrontierState
  #segment: SegmentState
  /** What of the segment is known to be on stable storage. */
  #durableBytes: number
  #file: DiskFile | undefined
  #unsynced: Entry[] = []
  #unsyncedBytes = 0

  private constructor(
    disk: Disk,
    folder: string,
    frontier: Frontier,
    segment: SegmentState,
    file: DiskFile | undefined,
  ) {
    this.#disk = disk
    this.#folder = folder
    this.#frontier = frontier
    this.#durable = frontier.state()
    this.#segment = segment
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
  static async reopen(disk: Disk, folder: string, frontier: Frontier, segment: SegmentState): Promise<Writer> {
    return new Writer(disk, folder, frontier, segment, await disk.append(`${folder}/${segment.name}`))
  }

  get size(): number {
    return this.#frontier.size
  }

  /** The tree of what is on stable storage. */
  get durable(): FrontierState {
    return this.#durable
  }

  get unsyncedBytes(): number {
    return this.#unsyncedBytes
  }

  get oldestUnsynced(): Draft | undefined {
    return this.#unsynced[0]?.draft
  }

  get segment(): SegmentState {
    return this.#segment
  }

  async write(entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return
    // Kept until they are durable: after a failure nobody knows which of them the disk has.
    for (const entry of entries) this.#unsynced.push(entry)
    const lines = this.#encode(entries.map(({ draft }) => draft))
    this.#unsyncedBytes += lines.length
    await this.#opened().write(lines)
    this.#segment = { ...this.#segment, bytes: this.#segment.bytes + lines.length }
  }

  async sync(): Promise<void> {
    if (this.#unsynced.length === 0) return
    await this.#opened().datasync()
    this.#settled()
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
    this.#frontier = new Frontier(this.#durable)
    if (this.#segment.name !== '')
      await this.#disk.truncate(`${this.#folder}/${this.#segment.name}`, this.#durableBytes)
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
    const name = segmentName(this.#frontier.size)
    const lines = this.#encode([header])
    const path = `${this.#folder}/${name}`
    const file = await this.#disk.create(`${path}.tmp`)
    try {
      await file.write(lines)
      await file.datasync()
      await this.#disk.rename(`${path}.tmp`, path)
      await this.#disk.syncFolder(this.#folder)
    } catch (error) {
      this.#frontier = new Frontier(this.#durable)
      await file.close().catch(() => undefined)
      throw error
    }
    this.#file = file
    this.#segment = { name, bytes: lines.length, startedMs: nowMs }
    this.#settled()
  }

  #settled(): void {
    this.#durable = this.#frontier.state()
    this.#durableBytes = this.#segment.bytes
    this.#unsynced = []
    this.#unsyncedBytes = 0
  }

  /** LF-terminated lines, each chained to the one before; one buffer for one write. */
  #encode(drafts: readonly Draft[]): Buffer {
    const bytes = Buffer.allocUnsafe(1 + drafts.reduce((sum, draft) => sum + draft.bytes + 1, 0))
    let prev = this.#frontier.last?.toString('base64') ?? firstPrev
    let at = 1
    for (const draft of drafts) {
      const end = at + bytes.write(render(draft, this.#frontier.size, prev), at)
      const leaf = leafHashAt(bytes, at, end)
      this.#frontier.append(leaf)
      prev = leaf.toString('base64')
      bytes[end] = 0x0a
      at = end + 1
    }
    return bytes.subarray(1, at)
  }

  #opened(): DiskFile {
    if (this.#file === undefined) throw new Error('the segment is not open')
    return this.#file
  }
}
