// Owns counting the kinds of characters in a stretch of text that moves on: where triggers follow one another within one
// run, each asks about the next few hundred units, and nearly all of those have been counted before.
import { digit, isChange, kinds, sign, upper } from './character-kinds.ts'
import type { Probe } from './probe.ts'

/** What is counted of a value of ASCII. */
export type Counts = {
  readonly digits: number
  readonly letters: number
  readonly capitals: number
  /** How many neighbours are of different kinds. */
  readonly changes: number
  /** How many different characters there are. */
  readonly different: number
}

export class Tally implements Counts {
  digits = 0
  letters = 0
  capitals = 0
  changes = 0
  different = 0
  #foreign = 0
  #text = 0
  #from = 0
  #to = 0
  readonly #counts = new Uint16Array(128)

  /** Of the units between both, fewer than 65,536; undefined where some are beyond ASCII. */
  over(probe: Probe, from: number, to: number): Counts | undefined {
    if (probe.textNumber !== this.#text || from < this.#from || from >= this.#to) this.#restart(probe.textNumber, from)
    const { units } = probe
    while (this.#to < to) this.#add(units)
    while (this.#from < from) this.#dropFirst(units)
    while (this.#to > to) this.#dropLast(units)
    return this.#foreign === 0 ? this : undefined
  }

  #restart(text: number, from: number): void {
    this.#text = text
    this.#from = from
    this.#to = from
    this.#foreign = this.digits = this.letters = this.capitals = this.changes = this.different = 0
    this.#counts.fill(0)
  }

  #add(units: Uint16Array): void {
    const at = this.#to++
    if (at > this.#from) this.changes += changesAt(units, at)
    this.#count(units[at] as number, 1)
  }

  #dropFirst(units: Uint16Array): void {
    const at = this.#from++
    if (at + 1 < this.#to) this.changes -= changesAt(units, at + 1)
    this.#count(units[at] as number, -1)
  }

  #dropLast(units: Uint16Array): void {
    const at = --this.#to
    if (at > this.#from) this.changes -= changesAt(units, at)
    this.#count(units[at] as number, -1)
  }

  #count(code: number, by: 1 | -1): void {
    if (code >= 128) {
      this.#foreign += by
      return
    }
    const kind = kinds[code] as number
    if (kind === digit) this.digits += by
    else if (kind !== sign) this.letters += by
    if (kind === upper) this.capitals += by
    const before = this.#counts[code] as number
    this.#counts[code] = before + by
    if (before === 0 || (before === 1 && by === -1)) this.different += by
  }
}

function kindOf(code: number): number {
  return code < 128 ? (kinds[code] as number) : sign
}

function changesAt(units: Uint16Array, at: number): number {
  return isChange(kindOf(units[at - 1] as number), kindOf(units[at] as number)) ? 1 : 0
}

const nowhere = Number.POSITIVE_INFINITY

/** Where a pattern matches next, likewise: what was searched once is not searched again. It looks at nothing around a match. */
export class Sought {
  readonly #pattern: RegExp
  readonly #lengthMax: number
  #text = 0
  #searchedFrom = 0
  #searchedTo = 0
  /** Of the first match. */
  #at = nowhere
  #end = nowhere

  /** No match is longer than `lengthMax`, nor has another one in it. */
  constructor(pattern: RegExp, lengthMax: number) {
    this.#pattern = pattern
    this.#lengthMax = lengthMax
  }

  isWithin(probe: Probe, from: number, to: number): boolean {
    const isSame = probe.textNumber === this.#text
    const isKnown = isSame && from >= this.#searchedFrom && from <= Math.min(this.#at, this.#searchedTo)
    if (isKnown && this.#at !== nowhere) return this.#end <= to
    if (isKnown && to <= this.#searchedTo) return false
    const start = isKnown ? Math.max(from, this.#searchedTo - this.#lengthMax + 1) : from
    const match = this.#pattern.exec(probe.text.slice(start, to))
    // Else what begins before and ends behind would be missed by whoever asks from further back.
    if (start === from) this.#searchedFrom = from
    this.#text = probe.textNumber
    this.#searchedTo = to
    this.#at = match === null ? nowhere : start + match.index
    this.#end = match === null ? nowhere : this.#at + match[0].length
    return match !== null
  }
}
