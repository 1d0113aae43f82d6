// Owns when checkpoints are due: a second after the first record that none covers, after many records, or when asked;
// and that only one is being published at a time.
import type { Clock, Timer } from '../lib/clock.ts'
import type { Publisher } from './publisher.ts'
import type { FrontierState } from './tree.ts'

export type ScheduleOptions = {
  readonly publisher: Publisher
  readonly clock: Clock
  readonly checkpointMs: number
  readonly checkpointRecords: number
  /** A checkpoint has become due. */
  readonly onDue: () => void
  readonly onFault: (error: unknown) => void
}

export class Schedule {
  readonly #options: ScheduleOptions
  #wanted = false
  #publishing: Promise<void> | undefined
  #timer: Timer | undefined
  /** Monotonic times at which the oldest record came that is not covered, and that is being covered just now. */
  #waitingSinceMs: number | undefined
  #publishingSinceMs: number | undefined

  constructor(options: ScheduleOptions) {
    this.#options = options
  }

  get due(): boolean {
    return this.#wanted && this.#publishing === undefined
  }

  /** Of the oldest record that no published checkpoint covers; 0 when there is none. */
  ageMs(nowMs: number): number {
    return nowMs - (this.#publishingSinceMs ?? this.#waitingSinceMs ?? nowMs)
  }

  /** A record was accepted. The log's own records do not count, or an idle log would grow for ever. */
  accepted(): void {
    const { clock, checkpointMs } = this.#options
    this.#waitingSinceMs ??= clock.monotonic()
    this.#timer ??= clock.after(checkpointMs, () => {
      this.#timer = undefined
      this.request()
      this.#options.onDue()
    })
  }

  request(): void {
    this.#wanted = true
  }

  written(size: number): void {
    if (size - this.#options.publisher.size >= this.#options.checkpointRecords) this.request()
  }

  /** `more`: records wait that `tree` does not cover. */
  publish(tree: FrontierState, more: boolean): void {
    const { publisher, clock, onDue, onFault } = this.#options
    this.#wanted = false
    this.#publishingSinceMs = this.#waitingSinceMs
    this.#waitingSinceMs = more ? clock.monotonic() : undefined
    // Nothing is left that it could be for; after `close` it would put one more record behind the last one.
    if (!more) this.stop()
    this.#publishing = publisher
      .publish(tree)
      .catch((error: unknown) => {
        onFault(error)
        // Tried again with the next checkpoint.
        this.#waitingSinceMs = this.#publishingSinceMs ?? this.#waitingSinceMs
        this.accepted()
      })
      .finally(() => {
        this.#publishing = undefined
        this.#publishingSinceMs = undefined
        onDue()
      })
  }

  async idle(): Promise<void> {
    await this.#publishing
  }

  /** No checkpoint becomes due by time until the next record. */
  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
