// Owns comparing a log's tree with signed roots while the log is read once: at sizes that are known beforehand, and at
// sizes that the log's own checkpoint records name later. It knows leaves and notes, not lines.
import type { Checkpoint } from './checkpoint.ts'
import { Frontier, type FrontierState } from './tree.ts'

/** The first record that may be bad, and the size whose signed root it does not lead to. */
export type RootMismatch = { readonly from: number; readonly size: number }

/** Where a checkpoint was found: its position among those that were published, in a record, or kept elsewhere. */
type Place = number | 'record' | 'elsewhere'
type Expected = { readonly checkpoint: Checkpoint; readonly place: Place }

/** More leaves than any two checkpoints should stand apart; what is older cannot be compared any more. */
const pendingMax = 262_144

export class TreeCheck {
  /** Lags behind the log, so that the root at a slightly smaller size can still be had. */
  readonly #tree = new Frontier()
  #pending: Buffer[] = []
  readonly #published: readonly Checkpoint[]
  /** Smallest last. */
  readonly #expected: Expected[]
  readonly #roots = new Map<number, Buffer>()
  readonly #kept: readonly FrontierState[]
  #verified = 0
  #checkpoints = 0

  /**
   * `published`: in the order in which it was; `since`: one of which that is not known. `kept`: frontiers from the
   * folder, which help to narrow a mismatch down once a signed root proves them.
   */
  constructor(published: readonly Checkpoint[], since: Checkpoint | undefined, kept: readonly FrontierState[]) {
    this.#published = published
    const expected = published.map((checkpoint, place): Expected => ({ checkpoint, place }))
    if (since !== undefined) expected.unshift({ checkpoint: since, place: 'elsewhere' })
    this.#expected = expected.sort((a, b) => b.checkpoint.size - a.checkpoint.size)
    this.#kept = kept
  }

  /** How many records the largest matching checkpoint covers. */
  get verified(): number {
    return this.#verified
  }

  /** How many different checkpoints matched. */
  get checkpoints(): number {
    return this.#checkpoints
  }

  /** The largest size that a checkpoint covers and the log has not reached; 0 when it has reached all. */
  get missing(): number {
    return this.#expected[0]?.checkpoint.size ?? 0
  }

  /**
   * Of the checkpoints that the log has not reached, the smallest after which one of fewer records was published: only
   * a log that was cut, and then written again, gets one.
   */
  get abandoned(): RootMismatch | undefined {
    const reached = this.#tree.size + this.#pending.length
    let found: number | undefined
    let laterSize = Number.MAX_SAFE_INTEGER
    for (let place = this.#published.length - 1; place >= 0; place -= 1) {
      const size = this.#sizeAt(place)
      if (size > reached && size > laterSize && (found === undefined || size < this.#sizeAt(found))) found = place
      laterSize = Math.min(laterSize, size)
    }
    if (found === undefined) return undefined
    const size = this.#sizeAt(found)
    return { from: this.#common(size, found), size }
  }

  append(leaf: Buffer): RootMismatch | undefined {
    this.#pending.push(leaf)
    const size = this.#tree.size + this.#pending.length
    while (this.#expected.at(-1)?.checkpoint.size === size) {
      const next = this.#expected.pop()
      const mismatch = next === undefined ? undefined : this.#compare(next)
      if (mismatch !== undefined) return mismatch
    }
    if (this.#pending.length > pendingMax) this.#advance(size)
    return undefined
  }

  /** A checkpoint that a record holds; `unchecked` when the log has gone on too far since. */
  recorded(checkpoint: Checkpoint): RootMismatch | 'unchecked' | undefined {
    if (!this.#roots.has(checkpoint.size) && checkpoint.size < this.#tree.size) return 'unchecked'
    return this.#compare({ checkpoint, place: 'record' })
  }

  #compare(expected: Expected): RootMismatch | undefined {
    const { size, root } = expected.checkpoint
    const known = this.#roots.get(size)
    if (known === undefined) {
      this.#advance(size)
      this.#roots.set(size, this.#tree.root())
    }
    if (!(known ?? this.#tree.root()).equals(root)) return { from: this.#narrow(expected), size }
    if (known === undefined) this.#checkpoints += 1
    this.#verified = Math.max(this.#verified, size)
    return undefined
  }

  #advance(size: number): void {
    const leaves = this.#pending.splice(0, size - this.#tree.size)
    for (const leaf of leaves) this.#tree.append(leaf)
  }

  /** A kept frontier that folds to the signed root is what the log once was; the first peak that differs is the place. */
  #narrow({ checkpoint: { size, root }, place }: Expected): number {
    const common = this.#common(size, place)
    const was = this.#kept.find((state) => state.size === size && new Frontier(state).root().equals(root))
    const is = this.#tree.state()
    if (was === undefined || is.size !== size) return common
    let start = 0
    let rest = size - 1
    for (const [position, peak] of was.peaks.entries()) {
      if (is.peaks[position]?.equals(peak) !== true) break
      const leaves = 2 ** Math.floor(Math.log2(rest))
      start += leaves
      rest -= leaves
    }
    return Math.max(start, common)
  }

  /**
   * How many records at least are those that the checkpoint of `size` was signed for, as the matching ones before it
   * show: those after it may be of a log that was cut and continued in another way.
   */
  #common(size: number, place: Place): number {
    if (place === 'elsewhere') return 0
    // What only records tell of is older than all that was kept beside them.
    const oldest = place === 'record' ? size : Math.min(size, this.#sizeAt(0))
    let common = 0
    for (const known of this.#roots.keys()) if (known < oldest) common = Math.max(common, known)
    const before = place === 'record' ? [] : this.#published.slice(0, place)
    for (const { size: own, root } of before) {
      if (own < size && this.#roots.get(own)?.equals(root) === true) common = Math.max(common, own)
    }
    return common
  }

  #sizeAt(position: number): number {
    return this.#published[position]?.size ?? 0
  }
}
