// Owns where in a text encoded text may stand, as the pass over it saw in passing: searching for it again would take half
// as long as the pass. It does not decode anything.
import { isAlphanumeric as sharedIsAlphanumeric, wordEnd as sharedWordEnd } from './characters.ts'
import { isRunUnit as sharedIsRunUnit, mayBeBase16, mayBeBase64 } from './normalise-digits.ts'
import type { Probe } from './probe.ts'
import { isBlank, isLineEnd, lineLengthMax, lineLengthMin } from './normalise-lines.ts'

/** Asked of nearly every unit that is looked at: what other files own would be looked up each time. */
const isAlphanumeric = sharedIsAlphanumeric
const wordEnd = sharedWordEnd
const isRunUnit = sharedIsRunUnit

/**
 * The shortest values that are looked for have seven bytes, `1.2.3.4`, and padding may be left out; shorter hex is a number.
 * In base64 a capital is among the digits, in base16 one that is no letter.
 */
export const base64LengthMin = 10
export const hexLengthMin = 16

/** Runs, or words in them, that may hold text. */
export class EncodedRuns {
  readonly #starts: number[] = []
  readonly #lasts: number[] = []
  #next = 0
  /** Where the run begins that was given out last, with the lines before it, and which one that is. */
  #begun = 0
  #begunNext = -1
  /** Runs that end here or before have been seen. */
  #seenTo = 0
  /** The same, but all of them that may hold text are noted, whatever words are in them. */
  #notedTo = 0
  #wordSeenTo = 0
  /** Of the line that was looked at last: its first unit, its line feed, and whether the one before may be encoded text. */
  #lineStart = 0
  #lineEnd = -1
  #isAfterFull = false

  clear(): void {
    // Mostly there are none, and even then it costs something to say so.
    if (this.#starts.length > 0) this.#starts.length = this.#lasts.length = 0
    this.#next = 0
    this.#begunNext = -1
    this.#seenTo = 0
    this.#notedTo = 0
    this.#wordSeenTo = 0
    this.#lineStart = 0
    this.#lineEnd = -1
    this.#isAfterFull = false
  }

  /** Where the word ends that was looked at last. */
  get wordSeenTo(): number {
    return this.#wordSeenTo
  }

  /** Told of the first of capitals that stand together. */
  atCapital({ text, units }: Probe, at: number): void {
    if (at < this.#seenTo) return
    // Mostly a word begins here, and is shorter.
    const isFirst = at === 0 || !isRunUnit(units[at - 1] as number)
    if (isFirst && !isRunUnitAt(units, at + base64LengthMin - 1) && !this.#isInNextLine(text, units, at)) return
    let end = at + 1
    while (isRunUnit(units[end] as number)) end++
    this.#seenTo = end
    let start = at
    while (start > 0 && isRunUnit(units[start - 1] as number)) start--
    const isNextLine = this.#isInNextLine(text, units, at) && this.#beginsLine(units, start)
    if (end - start < base64LengthMin && !isNextLine) return
    if (!isNextLine && !isLineEndAt(units, end) && !mayBeBase64(units, start, end)) return
    this.#note(start, end)
    this.#notedTo = end
  }

  /** Told of the first of digits that stand together, but in a word only of those of its first that follow letters. */
  atDigit({ text, units }: Probe, at: number): void {
    if (at < this.#wordSeenTo || at < this.#notedTo) return
    const end = wordEnd(units, at + 1)
    this.#wordSeenTo = end
    // Mostly a word begins here, and is shorter.
    const isFirst = at === 0 || !isAlphanumeric(units[at - 1] as number)
    if (isFirst && end - at < hexLengthMin && !this.#isInNextLine(text, units, at)) return
    let start = at
    while (start > 0 && at - start < hexLengthMin && isAlphanumeric(units[start - 1] as number)) start--
    const isNextLine = this.#isInNextLine(text, units, at) && this.#beginsLine(units, start)
    if (end - start < hexLengthMin && !isNextLine) return
    if (isNextLine || isLineEndAt(units, end) || mayBeBase16(units, start, end)) this.#note(start, end)
  }

  #note(start: number, end: number): void {
    this.#starts.push(start)
    this.#lasts.push(end - 1)
  }

  /** Whether the line in which `at` is follows one that may be encoded text. Lines are looked at once, in order. */
  #isInNextLine(text: string, units: Uint16Array, at: number): boolean {
    if (at > this.#lineEnd) {
      let end = this.#lineEnd
      while (end < at) {
        this.#lineStart = end + 1
        const next = text.indexOf('\n', end + 1)
        end = next === -1 ? text.length : next
      }
      this.#lineEnd = end
      this.#isAfterFull = endsFullLine(units, this.#lineStart - 1)
    }
    return this.#isAfterFull
  }

  /** Whether nothing but blanks stands before `start` in the line that was looked at last. */
  #beginsLine(units: Uint16Array, start: number): boolean {
    let at = start
    while (at > this.#lineStart && isBlank(units[at - 1] as number)) at--
    return at === this.#lineStart
  }

  /** The first run from `from` on, or what of one is left there; `to` when there is none before it. Asked in order. */
  after(text: string, from: number, to: number): number {
    while ((this.#lasts[this.#next] ?? to) < from) this.#next++
    const last = this.#lasts[this.#next] ?? to
    if (last >= to) return to
    if (this.#next !== this.#begunNext) {
      let start = Math.max(from, this.#starts[this.#next] as number)
      while (start > from && isRunUnit(text.charCodeAt(start - 1))) start--
      this.#begunNext = this.#next
      this.#begun = firstLine(text, start, from)
    }
    return Math.max(from, this.#begun)
  }
}

function isRunUnitAt(units: Uint16Array, index: number): boolean {
  return isRunUnit(units[index] as number)
}

/** It may go on in the next line. */
function isLineEndAt(units: Uint16Array, end: number): boolean {
  const code = units[end]
  return code === 10 || code === 13
}

/** Whether the line feed at `index` ends a line that may be encoded text; the last line of that is as short as it likes. */
function endsFullLine(units: Uint16Array, index: number): boolean {
  const end = index > 0 && (units[index - 1] as number) === 13 ? index - 1 : index
  const from = end - lineLengthMin
  if (from < 0) return false
  for (let at = end - 1; at >= from; at--) if (!isRunUnit(units[at] as number)) return false
  return true
}

/** Lines before may belong to the run, whatever is in them. */
function firstLine(text: string, start: number, from: number): number {
  let first = start
  for (;;) {
    let end = first
    while (end > from && isBlank(text.charCodeAt(end - 1))) end--
    if (end === from || !isLineEnd(text, end - 1)) return first
    while (end > from && isLineEnd(text, end - 1)) end--
    let before = end
    while (before > from && isRunUnit(text.charCodeAt(before - 1))) before--
    if ((end - before < lineLengthMin && before > from) || end - before > lineLengthMax) return first
    first = before
  }
}
