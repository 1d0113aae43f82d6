// Owns how close one write of the log follows another, so that under load several exchanges share one. It knows neither
// records nor disks.

/** A write of its own costs a thread of the pool and two wakes: as much CPU as a seventh of a whole exchange. */
const spacingMs = 4
/** Where waiting did not pay, so many groups go at once before one tries again. */
const hastyMax = 32

export class Pace {
  #begunMs = Number.NEGATIVE_INFINITY
  /** The last group that waited was joined, or several came together without. */
  #pays = false
  #waited = false
  #hasty = 0

  /**
   * For how many milliseconds the next group waits for others to join it: 0 where the last one began long ago, or where
   * nobody joins, because whoever asks does so one after the other. Called once for each group.
   */
  waitMs(nowMs: number): number {
    const leftMs = this.#begunMs + spacingMs - nowMs
    this.#waited = leftMs > 0 && (this.#pays || (this.#hasty += 1) > hastyMax)
    return this.#waited ? leftMs : 0
  }

  /** A group begins that so many wait for, one at least. */
  begin(nowMs: number, waiters: number): void {
    this.#begunMs = nowMs
    if (this.#waited || waiters > 1) this.#pays = waiters > 1
    if (this.#waited) this.#hasty = 0
  }
}
