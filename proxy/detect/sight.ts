// Owns how far detectors look in a text that is read otherwise than it is written, where few characters can be many units:
// a stream must not hold back what a detector looks at for longer than this. In plain text they look as far as they need.
import type { Respelling } from './respelling.ts'

/** So many units as they are written; not less than `foreseenLength`. */
export const sightLength = 256
/** Where hardly anything is read otherwise, it is as in plain text. */
const excessMin = 48

export class Sight {
  #written: Respelling | undefined
  /** What was asked last: from the first index on nothing before the second is far. */
  #from = 0
  #to = 0

  /** Without `written` nothing is far. */
  open(written: Respelling | undefined): void {
    this.#written = written
    this.#from = Number.POSITIVE_INFINITY
    this.#to = 0
  }

  /** Whether something can be far. */
  get isShort(): boolean {
    return this.#written !== undefined
  }

  /** Nothing before this index is far from `from`, as is known without a look at how it is written; may be 0. */
  knownFrom(from: number): number {
    return from >= this.#from ? this.#to : 0
  }

  /** The same, as far as may be; the length of the text where nothing of it is far. */
  endFrom(from: number): number {
    const written = this.#written
    if (written === undefined) return Number.POSITIVE_INFINITY
    this.#to = written.readFrom(written.startOf(from) + sightLength)
    this.#from = from
    return this.#to
  }

  /** Whether so much is written from the one to the other that a stream does not wait for it. */
  isFar(from: number, to: number): boolean {
    const written = this.#written
    if (written === undefined || to < this.knownFrom(from) || to < this.endFrom(from)) return false
    const length = written.startOf(to) - written.startOf(from)
    return length >= sightLength && length - (to - from) >= excessMin
  }

  /** The first index from `start` on from which `to` is not far. */
  nearest(start: number, to: number): number {
    let from = start
    while (from < to && this.isFar(from, to)) from++
    return from
  }
}
