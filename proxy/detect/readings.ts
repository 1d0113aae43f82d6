// Owns the scan of a text as it is written and, where that is something else, as it is read; and what of both is decided
// while the text still grows. It does not know what detectors look for, nor what is read how.
import { contextBefore, foreseenLength, type Candidate, type Foreseen } from './candidate.ts'
import { joinChains } from './chain.ts'
import type { Detector } from './detector.ts'
import type { Finding } from './finding.ts'
import { joinLate } from './late.ts'
import { normalise } from './normalise.ts'
import { EncodedRuns } from './normalise-runs.ts'
import { byName, countingIn, foreseenFirst, resolveOverlaps, type Counting, type Mattering } from './overlap.ts'
import { Pass } from './pass.ts'
import { Respelling } from './respelling.ts'
import { unitsOf } from './units.ts'

/**
 * `decidedTo`: whatever text follows, the findings before this index stay as they are. The next scan begins at `scannedTo`
 * (absent: there, too), so that what was known of the text before is known again. `carried`: how the text before `scannedTo`
 * is read; absent where it is as it is written.
 */
export type PartialScan = {
  readonly findings: readonly Finding[]
  readonly decidedTo: number
  readonly scannedTo?: number | undefined
  readonly carried?: string | undefined
  /**
   * A value that begins at `decidedTo` or behind what gives it away, whatever follows, and is `foreseenLength` long at
   * least; and the findings that stand before it.
   */
  readonly foreseen?: (Foreseen & { readonly before: readonly Finding[] }) | undefined
}

/** What must not be torn: a candidate, from where on it would be looked for again, or what was read as one. */
type Block = {
  readonly anchor: number
  readonly start: number
  readonly end: number
  readonly openEnded: true | undefined
  readonly isLate?: true | undefined
  /** The next scan may begin inside of it once it is decided. */
  readonly isLink?: boolean | undefined
}

type Range = { readonly from: number; to: number }

/**
 * The second pass goes over what is read differently and so much before and after: most values are shorter, and those
 * that are longer are found as far as they are written plainly.
 */
const reachBefore = 1024
const reachAfter = 512

/** So much of a chain is gone over again: of values each of which holds what gives the next one away. */
const chainLengthMax = 1024

/** Shared by all scanners, because scans do not overlap. */
const respelling = new Respelling()

export class Readings {
  readonly #chosen: readonly Detector[]
  readonly #matters: Mattering | undefined
  readonly #written: Pass
  readonly #runs = new EncodedRuns()
  #read: Pass | undefined

  constructor(chosen: readonly Detector[], matters?: Mattering) {
    this.#chosen = chosen
    this.#matters = matters
    this.#written = new Pass(chosen, this.#runs)
  }

  toldBy(name: string): number {
    return this.#written.toldBy(name)
  }

  /** A text that is whole. */
  scan(text: string): readonly Finding[] {
    const written = this.#written
    written.run(text, true, [{ from: 0, to: text.length }])
    respelling.open(text, 0, '')
    normalise(text, written.probe.units, 0, true, written.isAscii, respelling, this.#runs)
    const counts = countingIn(text, this.#matters)
    if (!respelling.isChanged) return resolveOverlaps(joinChains(written.probe.candidates, counts), counts)
    this.#runRead(respelling.finish(text.length), true)
    return resolveOverlaps(joinChains(joinLate(this.#candidates(text), text.length, counts), counts), counts)
  }

  /**
   * Where it is not known yet how a text is read, it is as if it had not come yet. What begins before `decidedFrom` is
   * decided; from there on nothing that is found begins before it, or what does is nothing.
   */
  scanPart(text: string, from: number, final: boolean, carried: string | undefined, decidedFrom: number): PartialScan {
    respelling.open(text, from, carried ?? text.slice(Math.max(0, from - contextBefore), from))
    const known = normalise(text, unitsOf(text), from, final, false, respelling)
    const written = this.#written
    const came = known === text.length ? text : text.slice(0, known)
    written.run(came, final, [{ from, to: known }], undefined, decidedFrom)
    const isRead = respelling.isChanged || carried !== undefined
    if (!isRead && !final && written.probe.isEmpty) {
      const scannedTo = respelling.wholeBefore(written.undecidedFrom)
      const decidedTo = Math.max(scannedTo, written.openFrom)
      if (decidedTo - scannedTo <= chainLengthMax) return { findings: none, decidedTo, scannedTo, foreseen: undefined }
    }
    const reading = isRead ? respelling.finish(known) : ''
    if (isRead) this.#runRead(reading, final, decidedFrom)
    const counts = countingIn(text, this.#matters)
    const open = undecided(isRead ? this.#candidates(text) : written.probe.candidates, decidedFrom)
    const openFrom = final ? text.length : this.#openFrom(known, isRead, openIn)
    const candidates = joinChains(isRead ? joinLate(open, text.length, counts) : open, counts, openFrom)
    if (final) return { findings: resolveOverlaps(candidates, counts), decidedTo: text.length }
    const settled = this.#scannedTo(text, known, isRead)
    const decidedTo =
      openFrom <= settled ? settled : Math.max(settled, settledTo(candidates, openFrom, text.length, counts))
    const isChain = decidedTo - settled > chainLengthMax && decidedTo < text.length
    const scannedTo = isChain ? this.#scannedTo(text, known, isRead, { decidedFrom, decidedTo }) : settled
    const decided = candidates.filter((one) => one.end <= decidedTo || (one.openEnded && one.start < decidedTo))
    const findings = resolveOverlaps(decided, counts).map((one) => (one.openEnded ? { ...one, end: text.length } : one))
    const next = this.#nextForeseen(decidedTo, isRead, candidates)
    const isClear = next !== undefined && this.#isClear(next, candidates, known, isRead, counts)
    const before = isClear ? candidates.filter((one) => one.start >= decidedTo && one.end <= next.start) : nothing
    const foreseen = isClear ? { ...next, before: resolveOverlaps([...before], counts) } : undefined
    if (!isRead || scannedTo > known) return { findings, decidedTo, scannedTo, foreseen }
    return { findings, decidedTo, scannedTo, foreseen, carried: contextOf(text, reading, scannedTo) }
  }

  /** Of what both passes foresee from there on: what begins first, then what was foreseen sooner, then by name, then what goes further. */
  #nextForeseen(from: number, isRead: boolean, candidates: readonly Candidate[]): Foreseen | undefined {
    let next: Foreseen | undefined
    const consider = (one: Foreseen): void => {
      if (one.start < from) return
      const isNext =
        next === undefined ||
        (one.start - next.start || one.after - next.after || byName(one.entity, next.entity) || next.to - one.to) < 0
      if (isNext) next = one
    }
    for (const one of this.#written.probe.foreseen) consider(one)
    if (isRead) for (const one of this.#read?.probe.foreseen ?? []) consider(foreseenAsWritten(one))
    // What else begins there is a part of it.
    for (const { entity, start, end, foreseen = 0, isLate, joinedFrom = start } of candidates)
      if (isLate && start >= from && start <= (next?.start ?? start))
        next = { entity, start, to: end, after: foreseen, mayEnd: always, joinedFrom }
    return next !== undefined && next.to - next.start >= foreseenLength ? next : undefined
  }

  /** Whether a foreseen value may go without what gives it away: what overlaps it from before loses to it. */
  #isClear(
    next: Foreseen,
    candidates: readonly Candidate[],
    known: number,
    isRead: boolean,
    counts?: Counting,
  ): boolean {
    const { entity, start, to, isFirst, joinedFrom = start } = next
    const unclearFrom = (pass: Pass): number => (isFirst ? pass.unclearBeforeFirst : pass.unclearFrom)
    if (this.#openFrom(known, isRead, unclearFrom) < joinedFrom) return false
    const wins = counts?.({ entity, group: 'secrets', start, end: to }) !== false
    return !candidates.some((one) => one.start < start && one.end > start && (!wins || one.foreseen !== undefined))
  }

  #runRead(reading: string, final: boolean, decidedFrom = 0): void {
    this.#read ??= new Pass(this.#chosen)
    const ranges = this.#apart(respelling.changes(reachBefore, reachAfter))
    this.#read.run(reading, final, ranges, respelling, respelling.readFrom(decidedFrom))
  }

  /**
   * Where nothing is read differently, both passes find the same, so the second must not begin inside of a candidate. One
   * walk over both: a text can be full of either.
   */
  #apart(ranges: readonly Range[]): Range[] {
    const apart: Range[] = []
    const blocks = blocksOf(this.#written).sort((a, b) => a.anchor - b.anchor)
    let next = 0
    // The last blocks that overlap one another, directly or through others.
    let first = 0
    let reach = 0
    for (const { from, to } of ranges) {
      const start = from === respelling.contextLength ? -1 : respelling.startOf(from)
      for (let block = blocks[next]; block !== undefined && block.anchor < start; block = blocks[++next]) {
        if (block.anchor >= reach) first = block.anchor
        reach = Math.max(reach, block.end)
      }
      const outside = start >= 0 && start < reach ? respelling.readBefore(first) : from
      const last = apart.at(-1)
      if (last !== undefined && outside <= last.to) last.to = to
      else apart.push({ from: outside, to })
    }
    return apart
  }

  /** Of both passes, as they are written. */
  #candidates(text: string): Candidate[] {
    const read = this.#read?.probe.candidates ?? []
    return [
      ...this.#written.probe.candidates,
      ...read.map((one) => (one.isLate ? lateAsWritten(one, text) : asWritten(one, text))),
    ]
  }

  /** With `chain` what is decided, or nothing because of what is, may be torn where it is a link. */
  #scannedTo(
    text: string,
    known: number,
    isRead: boolean,
    chain?: { readonly decidedFrom: number; readonly decidedTo: number },
  ): number {
    const openFrom = this.#openFrom(known, isRead, undecidedIn)
    const blocks = blocksOf(this.#written)
    if (isRead && this.#read !== undefined) for (const one of blocksOf(this.#read)) blocks.push(blockAsWritten(one))
    if (chain === undefined) return settle(blocks, openFrom, text.length)
    const { decidedFrom, decidedTo } = chain
    const whole = blocks.filter(
      ({ start, end, isLink }) => isLink !== true || (end > decidedTo && start >= decidedFrom),
    )
    return settle(whole, Math.min(openFrom, decidedTo), text.length)
  }

  /** Of both passes, as it is written. */
  #openFrom(known: number, isRead: boolean, openFrom: (pass: Pass) => number): number {
    const written = openFrom(this.#written)
    if (!isRead || this.#read === undefined) return written
    const read = openFrom(this.#read)
    return Math.min(written, read === this.#read.probe.text.length ? known : respelling.startOf(read))
  }
}

const nothing: readonly Candidate[] = []
const none: readonly Finding[] = []

/** Not the list itself, beside which the anchors are. */
function undecided(candidates: readonly Candidate[], from: number): Candidate[] {
  return candidates.filter(({ start }) => start >= from)
}

function undecidedIn(pass: Pass): number {
  return pass.undecidedFrom
}

function openIn(pass: Pass): number {
  return pass.openFrom
}

function foreseenAsWritten({ entity, start, to, after, isFirst }: Foreseen): Foreseen {
  const known = respelling.startOf(start)
  return {
    entity,
    start: known,
    to: respelling.endOf(to),
    after: respelling.endOf(start + after) - known,
    mayEnd: always,
    isFirst,
  }
}

/** How it goes on as it is read cannot be seen in what is written. */
function always(): boolean {
  return true
}

/** How the text before `decidedTo` is read, where that is not as it is written. */
function contextOf(text: string, reading: string, decidedTo: number): string | undefined {
  const readBefore = respelling.readBefore(decidedTo)
  const context = reading.slice(Math.max(0, readBefore - contextBefore), readBefore)
  return text.slice(Math.max(0, decidedTo - contextBefore), decidedTo) === context ? undefined : context
}

function asWritten(candidate: Candidate, text: string): Candidate {
  const start = respelling.startOf(candidate.start)
  const end = candidate.openEnded ? text.length : respelling.endOf(candidate.end)
  const { entity, group, validated, foreseen } = candidate
  // Texts of thousands of findings are mostly of such.
  if (foreseen === undefined) return { entity, group, start, end, validated }
  return { ...candidate, start, end, foreseen: respelling.endOf(candidate.start + foreseen) - start }
}

/** What is not read behind its last unit is a part of it, as is what would be, had it come. */
function lateAsWritten(late: Candidate, text: string): Candidate {
  const { start, end, foreseen = 0, openEnded } = late
  const begin = respelling.startOf(start)
  const after = respelling.startOf(start + foreseen) - begin
  return { ...late, start: begin, end: openEnded ? text.length : respelling.startOf(end), foreseen: after }
}

function blockAsWritten({ anchor, start, end, openEnded, isLate, isLink }: Block): Block {
  const last = isLate ? respelling.startOf(end) : respelling.endOf(end)
  return { openEnded, anchor: respelling.startOf(anchor), start: respelling.startOf(start), end: last, isLink }
}

function blocksOf({ probe }: Pass): Block[] {
  const blocks: Block[] = probe.whole.map(({ start, end }) => ({ anchor: start, start, end, openEnded: undefined }))
  probe.candidates.forEach(({ group, start, end, openEnded, isLate }, index) => {
    const isLink = group === 'secrets' && openEnded !== true
    blocks.push({ anchor: Math.min(probe.anchors[index] ?? start, start), start, end, openEnded, isLate, isLink })
  })
  return blocks
}

/** The same where the next scan begins before: what a foreseen value wins over for certain is not waited for. */
function settledTo(
  candidates: readonly Candidate[],
  openFrom: number,
  length: number,
  counts: Counting | undefined,
): number {
  if (candidates.length === 0) return openFrom
  const first: Candidate[] = []
  for (const one of candidates.filter(({ foreseen }) => foreseen !== undefined).sort(foreseenFirst)) {
    if (one.start < openFrom && counts?.(one) !== false && !first.some((other) => overlap(one, other))) first.push(one)
  }
  const loses = (one: Candidate): boolean =>
    first.some((other) => overlap(one, other) && (one.foreseen === undefined || foreseenFirst(other, one) < 0))
  const waiting = first.length === 0 ? candidates : candidates.filter((one) => first.includes(one) || !loses(one))
  const blocks = waiting.map(({ start, end, openEnded }) => ({ anchor: start, start, end, openEnded }))
  return settle(blocks, openFrom, length, false)
}

function overlap(a: Candidate, b: Candidate): boolean {
  return a.start < b.end && b.start < a.end
}

/**
 * Findings count up to where nothing can still begin or change, and never half of what belongs together; with `isWhole` nor
 * of what is read as one, so that a scan may begin there.
 */
function settle(blocks: readonly Block[], undecidedFrom: number, length: number, isWhole = true): number {
  let decidedTo = isWhole ? respelling.wholeBefore(undecidedFrom) : undecidedFrom
  for (let moved = true; moved;) {
    moved = false
    // From the last on: those of a chain lie one before the other, and there can be thousands.
    for (let at = blocks.length - 1; at >= 0; at--) {
      const { anchor, start, end, openEnded } = blocks[at] as Block
      if (anchor >= decidedTo || end <= decidedTo || (openEnded && start < decidedTo)) continue
      decidedTo = isWhole ? respelling.wholeBefore(anchor) : anchor
      moved = true
    }
  }
  if (blocks.some(({ openEnded, start }) => openEnded && start < decidedTo)) return length
  return decidedTo
}
