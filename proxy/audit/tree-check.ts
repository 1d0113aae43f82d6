// Owns comparing a log's tree with signed roots while the log is read once: at sizes that are known beforehand, and at
// sizes that the log's own checkpoint records name later. It knows leaves and notes, not lines.
import type { Checkpoint } from './checkpoint.ts'
import { Frontier, type FrontierState } from './tree.ts'

/** The first record that may be bad, and the size whose signed root it does not lead to. */
export type RootMismatch = { readonly from: number; readonly size: number }

/** More leaves than any two checkpoints should stand apart; what is older cannot be compared any more. */
const pendingMax = 262_144

export class TreeCheck {
  /** Lags behind the log, so that the root at a slightly smaller size can still be had. */
  readonly #tree = new Frontier()
  #pending: Buffer[] = []
  /** Smallest last. */
  readonly #expected: Checkpoint[]
  readonly #roots = new Map<number, Buffer>()
  readonly #kept: readonly FrontierState[]
  #verified = 0
  #checkpoints = 0

  /** `kept`: frontiers from the folder, which help to narrow a mismatch down once a signed root proves them. */
  constructor(expected: readonly Checkpoint[], kept: readonly FrontierState[]) {
    this.#expected = [...expected].sort((a, b) => b.size - a.size)
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

  /** The smallest size that a checkpoint covers and the log has not reached. */
  get missing(): Checkpoint | undefined {
    return this.#expected.at(-1)
  }

  append(leaf: Buffer): RootMismatch | undefined {
    this.#pending.push(leaf)
    const size = this.#tree.size + this.#pending.length
    while (this.#expected.at(-1)?.size === size) {
      const mismatch = this.#compare(this.#expected.pop())
      if (mismatch !== undefined) return mismatch
    }
    if (this.#pending.length > pendingMax) this.#advance(size)
    return undefined
  }

  /** A checkpoint that a record holds; `unchecked` when the log has gone on too far since. */
  recorded(checkpoint: Checkpoint): RootMismatch | 'unchecked' | undefined {
    if (!this.#roots.has(checkpoint.size) && checkpoint.size < this.#tree.size) return 'unchecked'
    return this.#compare(checkpoint)
  }

  #compare(checkpoint: Checkpoint | undefined): RootMismatch | undefined {
    if (checkpoint === undefined) return undefined
    const { size, root } = checkpoint
    const known = this.#roots.get(size)
    if (known === undefined) {
      this.#advance(size)
      this.#roots.set(size, this.#tree.root())
    }
    if (!(known ?? this.#tree.root()).equals(root)) return { from: this.#narrow(checkpoint), size }
    if (known === undefined) this.#checkpoints += 1
    this.#verified = Math.max(this.#verified, size)
    return undefined
  }

  #advance(size: number): void {
    const leaves = this.#pending.splice(0, size - this.#tree.size)
    for (const leaf of leaves) this.#tree.append(leaf)
  }

  /** A kept frontier that folds to the signed root is what the log once was; the first peak that differs is the place. */
  #narrow({ size, root }: Checkpoint): number {
    const was = this.#kept.find((state) => state.size === size && new Frontier(state).root().equals(root))
    const is = this.#tree.state()
    if (was === undefined || is.size !== size) return this.#verified
    let start = 0
    let rest = size - 1
    for (const [position, peak] of was.peaks.entries()) {
      if (is.peaks[position]?.equals(peak) !== true) break
      const leaves = 2 ** Math.floor(Math.log2(rest))
      start += leaves
      rest -= leaves
    }
    return Math.max(start, this.#verified)
  }
}
