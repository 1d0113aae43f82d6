// Owns how far the scan of a text that arrives in pieces has come, and how much of the text the next scan needs. It does not
// know what becomes of the text.
import { contextBefore } from './candidate.ts'
import type { PartialScan } from './readings.ts'
import type { Scanner } from './scanner.ts'

/** Decided text is dropped when it is this much longer than the context that scans look back on. */
const slackLength = 256

export class Course {
  /** Decided text that scans may look back on, then what is not decided. */
  text = ''
  /** What begins before this index of the text stays as it is. */
  decidedTo = 0
  /** So much has been dropped from the beginning. */
  dropped = 0
  readonly #scanner: Scanner
  #scannedTo = 0
  /** How the text before that is read, where that is not as it is written. */
  #carried: string | undefined

  constructor(scanner: Scanner) {
    this.#scanner = scanner
  }

  /** So much is gone over by the next scan. */
  get length(): number {
    return this.text.length - this.#scannedTo
  }

  /** Decides nothing by itself. */
  scan(final: boolean): PartialScan {
    return this.#scanner.scanPart(this.text, this.#scannedTo, final, this.#carried, this.decidedTo)
  }

  /** What that scan says is decided. */
  advance({ decidedTo, scannedTo, carried }: PartialScan): void {
    this.#carried = carried
    this.decidedTo = Math.max(this.decidedTo, decidedTo)
    this.#scannedTo = scannedTo ?? decidedTo
  }

  /** Returns so many units were dropped. Nobody keeps an index that is smaller. */
  drop(): number {
    const dropped = this.#scannedTo > contextBefore + slackLength ? this.#scannedTo - contextBefore : 0
    if (dropped === 0) return 0
    this.text = this.text.slice(dropped)
    this.#scannedTo -= dropped
    this.decidedTo -= dropped
    this.dropped += dropped
    return dropped
  }
}
