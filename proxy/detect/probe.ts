// Owns how a detector reads text and reports what it found. Reading past the end of a text that is still growing is
// noticed here, so that no detector can decide too early. It does not know what any detector looks for.
import type { EntityGroup } from './finding.ts'
import { isDigit, type CharacterClass, type KnownRun } from './characters.ts'
import { contextsMax, type ContextWords } from './context-words.ts'
import { NumberRun } from './number-run.ts'
import { unitsOf } from './units.ts'

/**
 * How far left of its value's start a detector may look, in UTF-16 units. A window keeps this much of what it has
 * released, so a longer look would see less in a stream than in the whole text.
 */
export const contextBefore = 96

/**
 * A value that is as long as this is replaced in a stream before its end is known, where its detector says that it is one
 * whatever follows. So what stands in its place depends on no more of it.
 */
export const foreseenLength = 256

export type Candidate = {
  readonly entity: string
  readonly group: EntityGroup
  readonly start: number
  readonly end: number
  /** A checksum or an equally strong structure speaks for it. */
  readonly validated: boolean
  readonly openEnded?: true
  /**
   * It may have been replaced before its end was known, when it was so long, so nothing that begins in it may win, and of
   * two that begin together the one that was known first does.
   */
  readonly foreseen?: number
}

/** `to`: so far the text belongs to the value for certain. `mayEnd`: whether it may have ended in what came from `from` on. */
export type Foreseen = {
  readonly entity: string
  readonly start: number
  readonly to: number
  readonly after: number
  readonly mayEnd: MayEnd
  readonly isFirst?: true | undefined
}

export type MayEnd = (text: string, from: number) => boolean

/**
 * How a value is foreseen: once it is so long, and what else is said of it. `isFirst`: it is known before whatever else is
 * known only by such a beginning, and found whatever is found around it.
 */
export type Foresight = {
  readonly after?: number
  readonly validated?: boolean
  readonly mayEnd: MayEnd
  readonly isFirst?: true
}

export class Probe {
  text = ''
  /** Those of the text, and zeros after it. */
  units = unitsOf('')
  /** False: more text may follow, so whoever reads past the end has decided nothing. */
  final = true
  candidates: Candidate[] = []
  /** By candidate: from where on it would have to be looked for again. */
  anchors: number[] = []
  /** Nothing that starts at or after this index is decided yet. */
  undecidedFrom = 0
  /** The same, but for what gives a foreseen value away: that stays as it is. */
  unclearFrom = 0
  /** Whatever is found from here on may still change, begin or go; before it nothing does, whoever would be asked again. */
  openFrom = 0
  /** And for one that is first: of what is known later, what gives that away stays, too. */
  unclearBeforeFirst = 0
  /** For detectors of numbers: the number they are asked about. */
  readonly number = new NumberRun()
  /** Numbers are given to the first detector that takes them: none starts before this index again. */
  numberEnd = 0
  /** The same for blocks of many lines, which may quote their own beginning. */
  blockEnd = 0
  /** The same for long runs, which may hold what gives a value away again and again. */
  longEnd = 0
  /** The same for lists of secrets: one that begins inside of another is no list of its own. */
  listEnd = 0
  /** Of `readAssignment`: what it read last. */
  readonly assignment = { labelStart: -1, labelEnd: -1, start: -1 }
  /** By list of words: where the last of them ended. */
  readonly heardTo = new Int32Array(contextsMax)
  /** Stretches that were read as one and are no value: the next scan must not begin inside of one. */
  whole: { readonly start: number; readonly end: number }[] = []
  /** Values that are there whatever follows, in order. */
  foreseen: Foreseen[] = []
  /** Between both there is no digit. */
  #digitlessFrom = 0
  #digitlessTo = 0
  /** Of the text. */
  #number = 0
  #start = 0
  #touchedEnd = false
  /** Of the value that the detector which was asked last foresees. */
  #foreseenStart = -1
  /** Before this the detector which was asked last finds nothing. */
  #findsFrom = -1
  /** Where the value would begin that is known later than one that is first. */
  #laterStart = -1

  open(text: string, final: boolean): void {
    this.text = text
    this.units = unitsOf(text)
    this.final = final
    this.#number = ++texts
    this.candidates = []
    this.anchors = []
    this.whole = []
    this.foreseen = []
    this.undecidedFrom = text.length
    this.unclearFrom = text.length
    this.openFrom = text.length
    this.unclearBeforeFirst = text.length
    this.numberEnd = 0
    this.blockEnd = 0
    this.longEnd = 0
    this.listEnd = 0
    this.#digitlessFrom = 0
    this.#digitlessTo = 0
    this.number.forget()
    this.assignment.labelEnd = -1
  }

  /** Called by the scanner before each `find`: `start` is where the trigger starts. */
  arm(start: number, hasTouchedEnd = false): void {
    this.#start = start
    this.#touchedEnd = hasTouchedEnd
    this.#foreseenStart = -1
    this.#findsFrom = -1
    this.#laterStart = -1
  }

  /** Called by the scanner after each `find`. False: the end was touched, so what `find` did does not count yet. */
  settle(): boolean {
    if (this.#touchedEnd) {
      if (this.#start < this.undecidedFrom) this.undecidedFrom = this.#start
      const clearTo = this.#foreseenStart < 0 ? this.#start : this.#foreseenStart
      this.unclearFrom = Math.min(this.unclearFrom, clearTo)
      // What is foreseen stands for itself, among the candidates; near its end others are asked or not.
      const isForeseen = this.#foreseenStart >= 0
      const open = isForeseen ? Math.max(this.#foreseenStart, this.text.length - contextBefore) : this.#findsFrom
      this.openFrom = Math.min(this.openFrom, Math.max(this.#start, open))
      const later = this.#laterStart < 0 ? clearTo : this.#laterStart
      this.unclearBeforeFirst = Math.min(this.unclearBeforeFirst, later)
    }
    return !this.#touchedEnd
  }

  /** No two texts have the same. */
  get textNumber(): number {
    return this.#number
  }

  get hasTouchedEnd(): boolean {
    return this.#touchedEnd
  }

  /** Says that the value would start here, left of the trigger. Called before any reading forward. */
  startsAt(start: number): void {
    if (start < this.#start) this.#start = start
  }

  /** Says that whatever is found begins there or behind. */
  findsFrom(start: number): void {
    this.#findsFrom = start
  }

  /** The same, and that of a value that is first nothing has to be known here. */
  isLaterAt(start: number): void {
    this.#laterStart = start
    this.#findsFrom = start
  }

  /** The unit at `index`, or -1 where the text ends. The only way to look right of the trigger. */
  code(index: number): number {
    if (index < this.text.length) return this.units[index] as number
    if (!this.final) this.#touchedEnd = true
    return -1
  }

  /** The unit left of `index`, or -1 at the start of the text. */
  before(index: number): number {
    return index > 0 ? (this.units[index - 1] as number) : -1
  }

  /** The index after the run of `characters` that starts at `from`, at most `lengthMax` long. */
  runEnd(from: number, characters: CharacterClass, lengthMax: number): number {
    const limit = from + lengthMax
    const end = this.runEndWithin(from, characters, limit)
    if (!this.final && end >= this.text.length && end < limit) this.#touchedEnd = true
    return end
  }

  /** The same before `limit` in the text as it is: for whoever decides nothing by where the run ends. */
  runEndWithin(from: number, characters: CharacterClass, limit: number): number {
    const { text, units } = this
    const { ascii, beyond, known } = characters
    const to = Math.min(limit, text.length)
    let index = from
    if (known.text === this.#number && from >= known.from && from < known.to) index = Math.min(known.to, to)
    for (;;) {
      // This loop is on every path of every detector, and without a call in it the arrays are looked up once.
      while (index < to && (units[index] as number) < 128 && ascii[units[index] as number] === 1) index++
      if (index === to || (units[index] as number) < 128 || !beyond(units[index] as number)) break
      index++
    }
    if (index - from >= knownLengthMin) this.#know(known, from, index)
    return index
  }

  /** The start of the run of `characters` that ends at `end`, of its last `lengthMax` units. */
  runStart(end: number, characters: CharacterClass, lengthMax: number): number {
    const { known } = characters
    const least = Math.max(0, end - lengthMax)
    let index = end
    if (known.text === this.#number && end > known.from) {
      const to = Math.min(known.to, end)
      index = runStartIn(this.units, end, Math.max(to, least), characters)
      if (index > to) return index
      index = Math.max(known.from, least)
    }
    index = runStartIn(this.units, index, least, characters)
    if (end - index >= knownLengthMin) this.#know(known, index, end)
    return index
  }

  /** Among units that have been read. Stretches that overlap are gone over once as long as there is none. */
  hasDigit(from: number, to: number): boolean {
    if (from < this.#digitlessFrom || from > this.#digitlessTo) this.#digitlessFrom = this.#digitlessTo = from
    let at = this.#digitlessTo
    while (at < to && !isDigit(this.units[at] as number)) at++
    this.#digitlessTo = at
    return at < to
  }

  #know(known: KnownRun, from: number, to: number): void {
    if (known.text === this.#number && from <= known.to && to >= known.from) {
      if (from < known.from) known.from = from
      if (to > known.to) known.to = to
      return
    }
    known.text = this.#number
    known.from = from
    known.to = to
  }

  /** False: none of the words ends in the `length` units before `start`. */
  hasHeard(words: ContextWords, start: number, length: number): boolean {
    return (this.heardTo[words.id] as number) > start - length
  }

  /** For whoever goes over the text by itself: it has decided nothing from here on. */
  leaveFrom(index: number): void {
    if (index < this.undecidedFrom) this.undecidedFrom = index
    if (index < this.unclearFrom) this.unclearFrom = index
    if (index < this.openFrom) this.openFrom = index
    if (index < this.unclearBeforeFirst) this.unclearBeforeFirst = index
  }

  keepWhole(start: number, end: number): void {
    if (!this.final) this.whole.push({ start, end })
  }

  accept(
    of: { readonly entity: string; readonly group: EntityGroup },
    start: number,
    end: number,
    validated: boolean,
  ): void {
    this.startsAt(start)
    this.anchors.push(this.#start)
    this.candidates.push({ entity: of.entity, group: of.group, start, end, validated })
  }

  /** `accept` of a value that is one from its beginning on; so far up to `end`. Its trigger starts at `start` or before. */
  acceptForeseen(
    of: { readonly entity: string; readonly group: EntityGroup },
    start: number,
    end: number,
    { after = foreseenLength, validated = true, mayEnd, isFirst }: Foresight,
  ): void {
    const { entity, group } = of
    if (end - start < after) {
      this.accept(of, start, end, validated)
      return
    }
    this.anchors.push(this.#start)
    this.candidates.push({ entity, group, start, end, validated, foreseen: after })
    if (this.final) return
    this.#foreseenStart = start
    this.foreseen.push({ entity, start, to: end, after, mayEnd, isFirst })
  }

  /** A value that is longer than anything real: whatever follows is taken for a part of it. */
  acceptToEnd(
    of: { readonly entity: string; readonly group: EntityGroup },
    start: number,
    after = foreseenLength,
  ): void {
    this.startsAt(start)
    const { entity, group } = of
    this.anchors.push(this.#start)
    const end = this.text.length
    this.candidates.push({ entity, group, start, end, validated: true, foreseen: after, openEnded: true })
  }
}

/** Of all probes: how many they have opened. */
let texts = 0

/** Shorter runs are read again as quickly as they are remembered. */
const knownLengthMin = 24

function runStartIn(units: Uint16Array, end: number, least: number, { ascii, beyond }: CharacterClass): number {
  let index = end
  for (;;) {
    while (index > least && (units[index - 1] as number) < 128 && ascii[units[index - 1] as number] === 1) index--
    if (index === least || (units[index - 1] as number) < 128 || !beyond(units[index - 1] as number)) return index
    index--
  }
}
