// Owns the ordered, bounded queue in front of the writer: group commit, deadlines, and what happens when the disk fails.
// What a record says is its callers' business; when checkpoints are due is the schedule's, how long groups gather the pace's.
import { Fault } from '../errors.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { AuditHealth, AuditLog } from './audit-log.ts'
import { draft, isoTime } from './line.ts'
import { Pace } from './pace.ts'
import { Patience, type Since } from './patience.ts'
import type { Publisher } from './publisher.ts'
import type { RecordFields, RecordKind } from './record.ts'
import { Schedule } from './schedule.ts'
import type { Entry, Waiter, Writer } from './writer.ts'

export type QueueOptions = {
  readonly writer: Writer
  readonly publisher: Publisher
  /** What every `open` record says. */
  readonly facts: RecordFields
  readonly clock: Clock
  readonly durability: 'strict' | 'batch'
  readonly segmentBytesMax: number
  readonly segmentAgeMaxMs: number
  readonly checkpointMs: number
  readonly checkpointRecords: number
  readonly queueRecordsMax: number
  readonly queueBytesMax: number
  readonly commitTimeoutMs: number
  readonly retryMs: number
  /** Calls back after a few milliseconds; records that nobody waits for are left that long to join a commit. */
  readonly linger: (run: () => void) => void
  /** Calls back after so many milliseconds; under load a group gathers that long. */
  readonly pause: (run: () => void, ms: number) => void
  /** Told of every failure, for the operator's own log. */
  readonly onFault: (error: unknown) => void
  /** Told of each record that is taken. */
  readonly onRecord: (kind: RecordKind) => void
  /** Told of each record that the full queue has no room for, with how many these are since there was room. */
  readonly onLost: (count: number) => void
  readonly onClosed: () => Promise<void>
}

// One group is encoded in one go on the event loop: about a millisecond.
const groupRecordsMax = 256
const groupBytesMax = 1024 * 1024

/** Behind everything that the event loop has ready: requests that arrived together then share one write. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export class CommitQueue implements AuditLog {
  readonly #options: QueueOptions
  readonly #writer: Writer
  readonly #schedule: Schedule
  readonly #pace = new Pace()
  #state: 'open' | 'failed' | 'closed' = 'open'
  #closing = false
  #entries: Entry[] = []
  #bytes = 0
  /** What is being written just now. */
  #group: Entry[] = []
  /** Something in the queue should be written without waiting for more. */
  #urgent = false
  #lingering = false
  #groupsTaken = 0
  /** Records that the full queue had no room for since the last `gap` record. */
  #lost = 0
  #running: Promise<void> | undefined
  readonly #patience: Patience
  /** When the present step began; undefined between steps. */
  #stepSince: Since | undefined
  /** The present step takes too long: nobody joins those who wait for it. */
  #stalled = false
  #failuresInRow = 0
  #failure = ''
  #retryTimer: Timer | undefined

  constructor(options: QueueOptions) {
    this.#options = options
    this.#writer = options.writer
    this.#schedule = new Schedule({ ...options, onDue: () => this.#kick() })
    this.#patience = new Patience(options.clock, options.commitTimeoutMs, () => this.#giveUp())
  }

  append(kind: RecordKind, fields: RecordFields): void {
    if (this.#closing) throw unavailable('the log is closed')
    if (this.#enqueue(kind, fields)) return
    this.#lost += 1
    this.#options.onLost(this.#lost)
  }

  commit(kind: RecordKind, fields: RecordFields): Promise<void> {
    const reason = this.#unhealthy()
    if (reason !== undefined) return Promise.reject(unavailable(reason))
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject, since: this.#patience.start() }
      if (!this.#enqueue(kind, fields, waiter)) reject(unavailable('the queue is full'))
    })
  }

  health(): AuditHealth {
    const reason = this.#unhealthy()
    return {
      ok: reason === undefined,
      ...(reason === undefined ? undefined : { reason }),
      size: this.#writer.size,
      checkpointAgeMs: this.#schedule.ageMs(this.#options.clock.monotonic()),
      pending: this.#entries.length,
    }
  }

  /** Publishes a checkpoint that covers everything accepted so far. */
  async checkpoint(): Promise<void> {
    this.#schedule.request()
    await this.#drained()
  }

  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    await this.#drained()
    this.#retryTimer?.cancel()
    if (this.#state === 'failed' && (await this.#resume())) await this.#drained()
    // Everything before is written and published, so these two go out in one step: the close record is the last one.
    this.#enqueue('close', {})
    await this.checkpoint()
    const lost = this.#state === 'failed' ? this.#writer.unsynced + this.#entries.length + this.#lost : 0
    this.#state = 'closed'
    this.#schedule.stop()
    this.#patience.stop()
    this.#rejectWaiting(unavailable('the log is closed'))
    await this.#writer.close().catch(this.#options.onFault)
    await this.#options.onClosed()
    if (lost > 0) throw unavailable(`records were lost, ${lost} of them, because the disk failed: ${this.#failure}`)
  }

  #unhealthy(): string | undefined {
    if (this.#closing) return 'the log is closed'
    if (this.#state === 'failed') return `the disk failed: ${this.#failure}`
    return this.#stalled ? 'the disk does not answer' : undefined
  }

  #enqueue(kind: RecordKind, fields: RecordFields, waiter?: Entry['waiter']): boolean {
    const { queueRecordsMax, queueBytesMax, clock } = this.#options
    const entry: Entry = { draft: draft(kind, fields, isoTime(clock.now())), waiter }
    if (this.#entries.length >= queueRecordsMax || this.#bytes + entry.draft.bytes > queueBytesMax) return false
    this.#entries.push(entry)
    this.#options.onRecord(kind)
    this.#bytes += entry.draft.bytes
    this.#schedule.accepted()
    if (waiter !== undefined || this.#entries.length >= groupRecordsMax || this.#bytes >= groupBytesMax) this.#hurry()
    else this.#linger()
    return true
  }

  /** What is queued is written as soon as the writer is free. */
  #hurry(): void {
    this.#urgent = this.#entries.length > 0
    this.#kick()
  }

  /** Records that nobody waits for join the next commit; without one they go out after one or two of these waits. */
  #linger(): void {
    if (this.#urgent || this.#lingering) return
    this.#lingering = true
    const before = this.#groupsTaken
    this.#options.linger(() => {
      this.#lingering = false
      if (this.#entries.length === 0) return
      if (this.#groupsTaken === before) this.#hurry()
      else this.#linger()
    })
  }

  /** Starts the loop when it rests. While it runs, whatever comes forms the next group. */
  #kick(): void {
    if (this.#running === undefined && this.#hasWork()) this.#running = this.#run()
  }

  #hasWork(): boolean {
    return this.#state === 'open' && (this.#urgent || this.#schedule.due)
  }

  async #drained(): Promise<void> {
    do {
      this.#hurry()
      await this.#running
      await this.#schedule.idle()
    } while (this.#state === 'open' && (this.#entries.length > 0 || this.#schedule.due))
  }

  async #run(): Promise<void> {
    while (this.#hasWork()) {
      await this.#gather()
      this.#stepSince = this.#patience.start()
      try {
        if (this.#segmentIsFull()) await this.#rotate()
        await this.#writeGroup(this.#schedule.due)
        this.#failuresInRow = 0
      } catch (error) {
        await this.#failed(error)
        this.#endStep()
      }
    }
    this.#running = undefined
  }

  /** Requests that arrived together share one write; under load those of a few milliseconds do. */
  #gather(): Promise<void> {
    const isFull = this.#entries.length >= groupRecordsMax || this.#bytes >= groupBytesMax
    const mayWait = !isFull && !this.#closing && this.#entries.some(({ waiter }) => waiter !== undefined)
    const waitMs = mayWait ? this.#pace.waitMs(this.#options.clock.monotonic()) : 0
    return waitMs === 0 ? turn() : new Promise((resolve) => this.#options.pause(resolve, waitMs))
  }

  async #writeGroup(publish: boolean): Promise<void> {
    const group = this.#take(publish)
    this.#group = group
    const waiters = waitersOf(group)
    if (waiters > 0) this.#pace.begin(this.#options.clock.monotonic(), waiters)
    if (this.#options.durability === 'strict' && (publish || waiters > 0)) {
      await this.#writer.writeThrough(group)
    } else {
      await this.#writer.write(group)
      if (this.#options.durability === 'batch') this.#settle(group)
      if (publish || this.#writer.crowded) await this.#writer.sync()
    }
    if (publish) {
      await this.#writer.assertInPlace()
      this.#schedule.publish(this.#writer.durable, this.#entries.length > 0)
    } else this.#schedule.written(this.#writer.size)
    this.#group = []
    this.#endStep()
    this.#settle(group)
  }

  #take(publish: boolean): Entry[] {
    const next = this.#entries[0]
    let group = this.#entries
    if (group.length <= groupRecordsMax && this.#bytes <= groupBytesMax) {
      this.#entries = []
      this.#bytes = 0
      this.#urgent = false
    } else group = this.#takeSome()
    this.#groupsTaken += 1
    const own = this.#ownRecords(publish, next)
    return own.length === 0 ? group : [...own, ...group]
  }

  #takeSome(): Entry[] {
    let [count, bytes] = [0, 0]
    while (count < this.#entries.length && count < groupRecordsMax && bytes < groupBytesMax) {
      bytes += this.#entries[count]?.draft.bytes ?? 0
      count += 1
    }
    this.#bytes -= bytes
    return this.#entries.splice(0, count)
  }

  #segmentIsFull(): boolean {
    const { segmentBytes, segmentStartedMs } = this.#writer
    const { segmentBytesMax, segmentAgeMaxMs, clock } = this.#options
    return segmentBytes >= segmentBytesMax || clock.now() - segmentStartedMs >= segmentAgeMaxMs
  }

  async #rotate(): Promise<void> {
    const nowMs = this.#options.clock.now()
    const time = this.#entries[0]?.draft.time ?? isoTime(nowMs)
    await this.#writer.sync()
    await this.#writer.rotate(draft('open', { ...this.#options.facts, why: 'rotation' }, time), nowMs)
    this.#options.onRecord('open')
    this.#schedule.request()
  }

  /** Records of the log's own take the time of the record that they precede, so that times stay in order. */
  #ownRecords(publish: boolean, next: Entry | undefined): Entry[] {
    const time = next?.draft.time ?? isoTime(this.#options.clock.now())
    const own: Entry[] = []
    const add = (kind: RecordKind, fields: RecordFields): void => {
      own.push({ draft: draft(kind, fields, time) })
      this.#options.onRecord(kind)
    }
    if (this.#lost > 0) add('gap', { why: 'queue-full', lost: this.#lost })
    this.#lost = 0
    // The note before goes into the log itself, so that a loss of the files beside it can be seen.
    const { note } = this.#options.publisher
    if (publish && note !== undefined) add('checkpoint', { note })
    return own
  }

  #settle(group: readonly Entry[]): void {
    for (const entry of group) {
      if (entry.waiter === undefined) continue
      entry.waiter.resolve()
      entry.waiter = undefined
    }
  }

  /** The first failure is got over in a new segment; a second one before anything succeeded closes the log to commits. */
  async #failed(error: unknown): Promise<void> {
    this.#options.onFault(error)
    this.#failure = codeOf(error)
    this.#failuresInRow += 1
    if (this.#failuresInRow === 1 && (await this.#resume())) return
    this.#state = 'failed'
    this.#rejectWaiting(unavailable(`the disk failed: ${this.#failure}`, error))
    this.#retryLater()
  }

  #retryLater(): void {
    if (this.#closing) return
    this.#retryTimer = this.#options.clock.after(this.#options.retryMs, () => {
      this.#running = this.#retry()
    })
  }

  async #retry(): Promise<void> {
    if (!(await this.#resume())) this.#retryLater()
    this.#running = undefined
    this.#kick()
  }

  /** What is not durable goes to the front of the queue again, behind the header of a new segment. */
  async #resume(): Promise<boolean> {
    const { clock, facts, onFault, onRecord } = this.#options
    const time = this.#writer.oldestUnsynced?.time ?? this.#entries[0]?.draft.time ?? isoTime(clock.now())
    try {
      const again = await this.#writer.resume(draft('open', { ...facts, why: 'fault' }, time), clock.now())
      this.#group = []
      this.#entries = [...again, ...this.#entries]
      this.#bytes = this.#entries.reduce((sum, entry) => sum + entry.draft.bytes, 0)
    } catch (error) {
      onFault(error)
      this.#failure = codeOf(error)
      return false
    }
    this.#state = 'open'
    const gap = { why: 'fault', error: this.#failure, lost: this.#lost }
    this.#lost = 0
    this.#entries.push({ draft: draft('gap', gap, isoTime(clock.now())) })
    onRecord('open')
    onRecord('gap')
    this.#urgent = true
    return true
  }

  #endStep(): void {
    this.#stepSince = undefined
    this.#stalled = false
  }

  /** Rejects those who wait too long, the oldest first. Says whether anything is still waited for. */
  #giveUp(): boolean {
    const waiting = this.#waiting()
    let overdue = 0
    while (overdue < waiting.length && this.#patience.isOver((waiting[overdue] as Awaited).waiter.since)) overdue += 1
    for (const entry of waiting.slice(0, overdue)) reject(entry, unavailable('the disk does not answer in time'))
    this.#stalled = this.#stepSince !== undefined && this.#patience.isOver(this.#stepSince)
    return this.#stepSince !== undefined || waiting.length > overdue
  }

  #rejectWaiting(error: Fault): void {
    for (const entry of this.#waiting()) reject(entry, error)
  }

  #waiting(): Awaited[] {
    return [...this.#group, ...this.#entries].filter((entry) => entry.waiter !== undefined) as Awaited[]
  }
}

type Awaited = Entry & { readonly waiter: Waiter }

function waitersOf(entries: readonly Entry[]): number {
  let count = 0
  for (const { waiter } of entries) if (waiter !== undefined) count += 1
  return count
}

/** The record stays on its way: what the log says of a refused request is true all the same. */
function reject(entry: Entry, error: Fault): void {
  entry.waiter?.reject(error)
  entry.waiter = undefined
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}

function unavailable(why: string, cause: unknown = new Error(why)): Fault {
  return new Fault('audit-unavailable', undefined, { cause })
}
