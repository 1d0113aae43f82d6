// Owns what a probe had before a detector was asked, to take back what that one did. It does not know when.
import type { Block } from './block.ts'
import type { Candidate } from './candidate.ts'
import type { Probe } from './probe.ts'

export class Marks {
  #candidates = 0
  #foreseen = 0
  #whole = 0
  #numberEnd = 0
  #block: Block | undefined
  #longEnd = 0
  #listEnd = 0

  set({ candidates, foreseen, whole, numberEnd, block, longEnd, listEnd }: Probe): void {
    this.#candidates = candidates.length
    this.#foreseen = foreseen.length
    this.#whole = whole.length
    this.#numberEnd = numberEnd
    this.#block = block
    this.#longEnd = longEnd
    this.#listEnd = listEnd
  }

  /** What ends before `from` stays. Returns the last end of what does not, 0 where there is none. */
  takeBack(probe: Probe, from: number): number {
    const { candidates } = probe
    let kept = this.#candidates
    while (kept < candidates.length && (candidates[kept] as Candidate).end <= from) kept++
    let end = 0
    for (let at = kept; at < candidates.length; at++) end = Math.max(end, (candidates[at] as Candidate).end)
    candidates.length = kept
    probe.anchors.length = kept
    probe.foreseen.length = this.#foreseen
    probe.whole.length = this.#whole
    probe.numberEnd = this.#numberEnd
    probe.block = this.#block
    probe.longEnd = this.#longEnd
    probe.listEnd = Math.max(this.#listEnd, Math.min(probe.listEnd, from))
    return end
  }
}
