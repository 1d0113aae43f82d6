// Owns the scan of a text as it is written and, where that is something else, as it is read; and what of both is decided
// while the text still grows. It does not know what detectors look for, nor what is read how.
import type { Detector } from './detector.ts'
import type { Finding } from './finding.ts'
import { normalise } from './normalise.ts'
import { resolveOverlaps } from './overlap.ts'
import { Pass } from './pass.ts'
import { contextBefore, type Candidate } from './probe.ts'
import { Respelling } from './respelling.ts'

/**
 * `decidedTo`: whatever text follows, the findings before this index stay as they are. `carried`: for the scan that goes
 * on there, how the text before is read; absent where it is as it is written.
 */
export type PartialScan = {
  readonly findings: readonly Finding[]
  readonly decidedTo: number
  readonly carried?: string | undefined
}

/** What must not be torn: a candidate, from where on it would be looked for again, or what was read as one. */
type Block = { readonly anchor: number; readonly start: number; readonly end: number; readonly openEnded?: true }

/** Shared by all scanners, because scans do not overlap. */
const respelling = new Respelling()

export class Readings {
  readonly #chosen: readonly Detector[]
  readonly #written: Pass
  #read: Pass | undefined

  constructor(chosen: readonly Detector[]) {
    this.#chosen = chosen
    this.#written = new Pass(chosen)
  }

  scan(text: string, from: number, final: boolean, carried?: string): PartialScan {
    const written = this.#written
    written.run(text, from, final)
    respelling.open(text, from, carried ?? text.slice(Math.max(0, from - contextBefore), from))
    const known = normalise(text, from, final, written.isAscii, respelling)
    if (!respelling.isChanged && carried === undefined) {
      if (final) return { findings: resolveOverlaps(written.probe.candidates), decidedTo: text.length }
      const { candidates } = written.probe
      const decidedTo = settle(blocksOf(written), Math.min(written.undecidedFrom, known), text.length)
      return { findings: decided(candidates, decidedTo, text.length), decidedTo }
    }
    const reading = respelling.finish(known)
    const contextLength = respelling.contextLength
    this.#read ??= new Pass(this.#chosen)
    const read = this.#read
    read.run(reading, contextLength, final)
    const candidates = [...written.probe.candidates, ...read.probe.candidates.map((one) => asWritten(one, text))]
    if (final) return { findings: resolveOverlaps(candidates), decidedTo: text.length }
    return { ...this.#decide(text, reading, known, candidates, read) }
  }

  #decide(text: string, reading: string, known: number, candidates: Candidate[], read: Pass): PartialScan {
    const { undecidedFrom } = read
    const readTo = undecidedFrom === reading.length ? known : respelling.startOf(undecidedFrom)
    const blocks = [...blocksOf(this.#written), ...blocksOf(read).map(blockAsWritten)]
    const decidedTo = settle(blocks, Math.min(this.#written.undecidedFrom, readTo), text.length)
    const findings = decided(candidates, decidedTo, text.length)
    if (decidedTo > known) return { findings, decidedTo }
    const readBefore = respelling.readBefore(decidedTo)
    const context = reading.slice(Math.max(0, readBefore - contextBefore), readBefore)
    const isAsWritten = text.slice(Math.max(0, decidedTo - contextBefore), decidedTo) === context
    return { findings, decidedTo, carried: isAsWritten ? undefined : context }
  }
}

function asWritten(candidate: Candidate, text: string): Candidate {
  const end = candidate.openEnded ? text.length : respelling.endOf(candidate.end)
  return { ...candidate, start: respelling.startOf(candidate.start), end }
}

function blockAsWritten({ anchor, start, end, ...rest }: Block): Block {
  return { ...rest, anchor: respelling.startOf(anchor), start: respelling.startOf(start), end: respelling.endOf(end) }
}

function blocksOf({ probe }: Pass): Block[] {
  const blocks: Block[] = probe.whole.map(({ start, end }) => ({ anchor: start, start, end }))
  probe.candidates.forEach((candidate, index) => {
    blocks.push({ ...candidate, anchor: Math.min(probe.anchors[index] ?? candidate.start, candidate.start) })
  })
  return blocks
}

/** Findings count up to where nothing can still begin or change, and never half of what belongs together. */
function settle(blocks: readonly Block[], undecidedFrom: number, length: number): number {
  let decidedTo = respelling.wholeBefore(undecidedFrom)
  for (let moved = true; moved;) {
    moved = false
    for (const { anchor, start, end, openEnded } of blocks) {
      if (openEnded && start < decidedTo) return length
      if (anchor >= decidedTo || end <= decidedTo) continue
      decidedTo = respelling.wholeBefore(anchor)
      moved = true
    }
  }
  return decidedTo
}

function decided(candidates: readonly Candidate[], decidedTo: number, length: number): Candidate[] {
  return resolveOverlaps(decidedTo === length ? [...candidates] : candidates.filter((one) => one.end <= decidedTo))
}
