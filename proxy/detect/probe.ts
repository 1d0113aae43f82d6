// Owns how a detector reads text and reports what it found. Reading past the end of a text that is still growing is
// noticed here, so that no detector can decide too early. It does not know what any detector looks for.
import type { Block } from './block.ts'
import { contextBefore, foreseenLength, type Candidate, type Foreseen, type Foresight } from './candidate.ts'
import { isDigit, runStartIn, type CharacterClass, type KnownRun } from './characters.ts'
import { contextsMax, type ContextWords } from './context-words.ts'
import type { EntityGroup } from './finding.ts'
import { Marks } from './marks.ts'
import { NumberRun } from './number-run.ts'
import type { Respelling } from './respelling.ts'
import { Sight } from './sight.ts'
import { unitsOf } from './units.ts'

/** Whose a value is. */
type Named = { readonly entity: string; readonly group: EntityGroup }

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
  /** The same for long runs, which may hold what gives a value away again and again. */
  longEnd = 0
  /** The same for lists of secrets: one that begins inside of another is no list of its own. */
  listEnd = 0
  /** The last one that was found; what begins inside of it ends where it does. */
  block: Block | undefined
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
  /** The same, be it too far from the trigger, or not. */
  #anchor = 0
  /** Where the last unit of the trigger is. */
  #trigger = 0
  #touchedEnd = false
  /** What begins before this is nothing, and so is whatever goes on to the end of the text then. */
  #decidedFrom = 0
  #isNothing = false
  /** Of the value that the detector which was asked last foresees. */
  #foreseenStart = -1
  /** Before this the detector which was asked last finds nothing. */
  #findsFrom = -1
  /** Where the value would begin that is known later than one that is first. */
  #laterStart = -1
  /** Looking before this index is of no account. */
  #near = 0
  /** Where the detector which was asked last looked too far; -1 where it did not. */
  #lateFrom = -1
  /** And how far it looked then. */
  #lateTo = 0
  readonly #sight = new Sight()
  readonly #marks = new Marks()

  open(text: string, final: boolean, written?: Respelling, decidedFrom = 0): void {
    this.#decidedFrom = decidedFrom
    this.text = text
    this.units = unitsOf(text)
    this.final = final
    this.#sight.open(written)
    this.#near = text.length
    this.#lateFrom = -1
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
    this.block = undefined
    this.longEnd = 0
    this.listEnd = 0
    this.#digitlessFrom = 0
    this.#digitlessTo = 0
    this.number.forget()
    this.assignment.labelEnd = -1
  }

  /** Nothing was found so far, and nothing was read as one. */
  get isEmpty(): boolean {
    return this.candidates.length === 0 && this.whole.length === 0 && this.foreseen.length === 0
  }

  /** Called by the scanner before each `find`: `start` is where the trigger starts. */
  arm(start: number, hasTouchedEnd = false, trigger = start): void {
    this.#anchor = start
    this.#start = start
    this.#trigger = trigger
    this.#touchedEnd = hasTouchedEnd
    this.#foreseenStart = -1
    this.#isNothing = false
    this.#findsFrom = -1
    this.#laterStart = -1
    if (this.#sight.isShort) this.#remember()
  }

  #remember(): void {
    this.#marks.set(this)
    this.#start = this.nearest(this.#anchor, this.#trigger)
    this.#near = this.#sight.knownFrom(this.#start)
    this.#lateFrom = -1
  }

  /** Called by the scanner after each `find`. False: the end was touched, so what `find` did does not count yet. */
  settle(of?: Named): boolean {
    if (this.isLate && of !== undefined) this.#acceptLate(of)
    if (this.#touchedEnd && !this.#isNothing) {
      if (this.#anchor < this.undecidedFrom) this.undecidedFrom = this.#anchor
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

  /** Or looked too far, which is the same to whoever would remember what was read. */
  get hasTouchedEnd(): boolean {
    return this.#touchedEnd || this.isLate
  }

  /** The detector which was asked last looked too far. */
  get isLate(): boolean {
    return this.#lateFrom >= 0
  }

  /** Says that the value would start here, left of the trigger. Called before any reading forward. */
  startsAt(start: number): void {
    if (start < this.#anchor) this.#anchor = start
    if (start >= this.#start) return
    const { isShort } = this.#sight
    this.#start = isShort ? this.nearest(start, this.#trigger) : start
    if (isShort && !this.isLate) this.#near = 0
  }

  /** The first index from `start` on from which `to` is not too far to be waited for. */
  nearest(start: number, to: number): number {
    return this.#sight.nearest(start, to)
  }

  /** Whether a stream does not wait so long. */
  isFar(from: number, to: number): boolean {
    return this.#sight.isFar(from, to)
  }

  /** Whether `index` may be looked at without the probe: in a stream nobody would have said before that it is far. */
  sees(index: number): boolean {
    return !this.#sight.isFar(this.#openStart, Math.min(index, this.text.length))
  }

  /** Where what is not decided yet begins, of what the detector which was asked last finds. */
  get #openStart(): number {
    return Math.max(this.#start, this.#findsFrom)
  }

  /** Whoever looks at `index` looks too far, or else it is known up to where nobody does. */
  #look(index: number): void {
    if (!this.#sight.isShort) return
    if (this.isLate) {
      if (index > this.#lateTo) this.#lateTo = index
      return
    }
    const { length } = this.text
    const last = Math.min(index, length)
    const start = this.#openStart
    let at = this.#sight.endFrom(start)
    this.#near = Math.min(at, length)
    while (at <= last && !this.#sight.isFar(start, at)) at++
    if (at <= last) {
      this.#lateFrom = at
      this.#lateTo = index
      this.#near = 0
    } else if (last >= this.#near) this.#near = Math.min(last + 1, length)
  }

  /** Says that whatever is found begins there or behind. */
  findsFrom(start: number): void {
    if (!this.#sight.isShort) {
      this.#findsFrom = start
      return
    }
    // Else it would depend on how much has come whether this is said before or after somebody looked too far.
    if (this.hasTouchedEnd) return
    this.#findsFrom = start
    this.#near = this.#sight.knownFrom(start)
  }

  /** The same, and that of a value that is first nothing has to be known here. */
  isLaterAt(start: number): void {
    this.#laterStart = start
    this.findsFrom(start)
  }

  /** The unit at `index`, or -1 where the text ends. The only way to look right of the trigger. */
  code(index: number): number {
    return index < this.#near ? (this.units[index] as number) : this.#codeFrom(index)
  }

  #codeFrom(index: number): number {
    this.#look(index)
    if (index < this.text.length) return this.units[index] as number
    this.touchEnd()
    return -1
  }

  /** Says that what follows the text decides. */
  touchEnd(): void {
    if (!this.final) this.#touchedEnd = true
  }

  /** The unit left of `index`, or -1 at the start of the text. */
  before(index: number): number {
    return index > 0 ? (this.units[index - 1] as number) : -1
  }

  /** The index after the run of `characters` that starts at `from`, at most `lengthMax` long. */
  runEnd(from: number, characters: CharacterClass, lengthMax: number): number {
    const limit = from + lengthMax
    const end = this.runEndWithin(from, characters, limit)
    if (end >= this.#near) this.#look(end < limit ? end : end - 1)
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

  accept(of: Named, start: number, end: number, validated: boolean): void {
    this.startsAt(start)
    this.anchors.push(this.#anchor)
    const { entity, group } = of
    this.candidates.push({ entity, group, start: Math.max(start, this.#start), end, validated })
  }

  /** Whoever looks too far has found all that he looked at, but for what he saw last, which mostly ends it. */
  #acceptLate({ entity, group }: Named): void {
    const start = this.#openStart
    const isEndless = this.candidates.at(-1)?.openEnded === true
    const seenTo = Math.min(this.#lateTo, this.text.length)
    const end = Math.max(seenTo, this.#marks.takeBack(this, start))
    const late = {
      entity,
      group,
      start,
      end,
      validated: false,
      foreseen: this.#lateFrom - start,
      isLate: true,
    } as const
    this.anchors.push(this.#anchor)
    this.candidates.push(isEndless ? { ...late, end: this.text.length, openEnded: true } : late)
    this.#foreseenStart = start
    this.#laterStart = -1
  }

  /** `accept` of a value that is one from its beginning on; so far up to `end`. Its trigger starts at `start` or before. */
  acceptForeseen(of: Named, start: number, end: number, foresight: Foresight): void {
    const { after = foreseenLength, validated = true, mayEnd, isFirst } = foresight
    if (end - start < after) {
      this.accept(of, start, end, validated)
      return
    }
    const known = this.#byBeginning(of, start, end, validated, after)
    this.candidates.push(known)
    if (this.final) return
    this.#foreseenStart = known.start
    this.#isNothing = known.start < this.#decidedFrom && end === this.text.length
    this.foreseen.push({ entity: of.entity, start: known.start, to: end, after: known.foreseen, mayEnd, isFirst })
  }

  /** A value that is longer than anything real: whatever follows is taken for a part of it. */
  acceptToEnd(of: Named, start: number, after = foreseenLength): void {
    this.startsAt(start)
    this.candidates.push({ ...this.#byBeginning(of, start, this.text.length, true, after), openEnded: true })
  }

  /** What is known once so much has come of it was known before anybody looked too far. */
  #byBeginning({ entity, group }: Named, start: number, end: number, validated: boolean, after: number) {
    if (this.isLate && !this.isFar(this.#openStart, start + after)) this.#lateFrom = -1
    this.anchors.push(this.#anchor)
    const from = Math.max(start, this.#start)
    return { entity, group, start: from, end, validated, foreseen: after + start - from }
  }
}

/** Of all probes: how many they have opened. */
let texts = 0

/** Shorter runs are read again as quickly as they are remembered. */
const knownLengthMin = 24
