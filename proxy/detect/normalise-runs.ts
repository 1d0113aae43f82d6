// Owns where in a text encoded text may stand, as the pass over it saw in passing: searching for it again would take half
// as long as the pass. It does not decode anything.
import { alphanumerics, holds, isLetter } from './characters.ts'
import { isRunUnit, mayBeBase16, mayBeBase64, nibbles } from './normalise-digits.ts'
import { isBlank, isLineEnd, lineLengthMax, lineLengthMin } from './normalise-lines.ts'

/**
 * The shortest values that are looked for have seven bytes, `1.2.3.4`, and padding may be left out; shorter hex is a number.
 * In base64 a capital is among the digits, in base16 one that is no letter.
 */
export const base64LengthMin = 10
export const hexLengthMin = 16

/** The last units of runs, or of words in them, that may hold text. */
export class EncodedRuns {
  readonly #noted: number[] = []
  #next = 0
  /** Runs that end here or before have been seen. */
  #seenTo = 0
  #wordSeenTo = 0

  clear(): void {
    this.#noted.length = 0
    this.#next = 0
    this.#seenTo = 0
    this.#wordSeenTo = 0
  }

  /** Told of the first of capitals that stand together. */
  atCapital(text: string, at: number): void {
    if (at < this.#seenTo) return
    // Mostly a word begins here, and is shorter.
    const isFirst = at === 0 || !isRunUnit(text.charCodeAt(at - 1))
    if (isFirst && !isRunUnitAt(text, at + base64LengthMin - 1) && !followsLine(text, at)) return
    let end = at + 1
    while (end < text.length && isRunUnit(text.charCodeAt(end))) end++
    this.#seenTo = end
    let start = at
    while (start > 0 && isRunUnit(text.charCodeAt(start - 1))) start--
    if (end - start < base64LengthMin && !followsLine(text, start)) return
    if (mayBeBase64(text, start, end) || isLine(text, at, end)) this.#noted.push(end - 1)
  }

  /** Told of the first of digits that stand together, but in a word only of those of its first that follow letters. */
  atDigit(text: string, at: number): void {
    if (at < this.#wordSeenTo) return
    // Mostly the word is shorter.
    if (at > 0 && isLetter(text.charCodeAt(at - 1)) ? mayBeLong(text, at) : isHexadecimal(text, at))
      this.#seeWord(text, at)
    else if (mayFollowLine(text, at)) this.#seeWord(text, at)
  }

  #seeWord(text: string, at: number): void {
    let end = at + 1
    while (end < text.length && holds(alphanumerics, text.charCodeAt(end))) end++
    this.#wordSeenTo = end
    let start = at
    while (start > 0 && at - start < hexLengthMin && holds(alphanumerics, text.charCodeAt(start - 1))) start--
    if (end - start < hexLengthMin && !followsLine(text, start)) return
    if (mayBeBase16(text, start, end) || isLine(text, at, end)) this.#noted.push(end - 1)
  }

  /** The first run from `from` on, or what of one is left there; `to` when there is none before it. Asked in order. */
  after(text: string, from: number, to: number): number {
    while ((this.#noted[this.#next] ?? to) < from) this.#next++
    const at = this.#noted[this.#next] ?? to
    if (at >= to) return to
    let start = at
    while (start > from && isRunUnit(text.charCodeAt(start - 1))) start--
    return firstLine(text, start, from)
  }
}

function isRunUnitAt(text: string, index: number): boolean {
  return index < text.length && isRunUnit(text.charCodeAt(index))
}

/** Some of the units are looked at that must be in a word of which `at` is in the first half, or in the last. */
function mayBeLong(text: string, at: number): boolean {
  return (
    (isAlphanumericAt(text, at + 4) && isAlphanumericAt(text, at + 8)) ||
    (isAlphanumericAt(text, at - 4) && isAlphanumericAt(text, at - 8))
  )
}

function isAlphanumericAt(text: string, index: number): boolean {
  return index >= 0 && index < text.length && holds(alphanumerics, text.charCodeAt(index))
}

/** Whether the word of which no more than eight units stand before `at` is the first of its line. */
function mayFollowLine(text: string, at: number): boolean {
  let start = at
  while (start > 0 && start > at - 8 && isAlphanumericAt(text, start - 1)) start--
  return followsLine(text, start)
}

/** Whether `hexLengthMin` digits of base16 may stand from `at` on. */
function isHexadecimal(text: string, at: number): boolean {
  if (at + hexLengthMin > text.length) return false
  const second = nibbles[text.charCodeAt(at + 3)] as number
  const third = nibbles[text.charCodeAt(at + 7)] as number
  const fourth = nibbles[text.charCodeAt(at + 11)] as number
  const last = nibbles[text.charCodeAt(at + hexLengthMin - 1)] as number
  return (second | third | fourth | last) < 16
}

/** It may go on in the next line, or go on from the one before. `at` is in it, `end` its end. */
function isLine(text: string, at: number, end: number): boolean {
  if (end < text.length && isLineEnd(text, end)) return true
  let start = at
  while (start > 0 && end - start <= lineLengthMax && isRunUnit(text.charCodeAt(start - 1))) start--
  while (start > 0 && isBlank(text.charCodeAt(start - 1))) start--
  return start > 0 && isLineEnd(text, start - 1)
}

/** The last line of a run is as short as it likes. */
function followsLine(text: string, start: number): boolean {
  let end = start
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--
  if (end === 0 || !isLineEnd(text, end - 1)) return false
  end -= end > 1 && isLineEnd(text, end - 2) ? 2 : 1
  const from = end - lineLengthMin
  if (from < 0) return false
  for (let at = end - 1; at >= from; at--) if (!isRunUnit(text.charCodeAt(at))) return false
  return true
}

/** Lines before may belong to the run, whatever is in them. */
function firstLine(text: string, start: number, from: number): number {
  let first = start
  for (;;) {
    let end = first
    while (end > from && (isBlank(text.charCodeAt(end - 1)) || isLineEnd(text, end - 1))) end--
    if (end === first) return first
    let before = end
    while (before > from && isRunUnit(text.charCodeAt(before - 1))) before--
    if (end - before < lineLengthMin && before > from) return first
    first = before
  }
}
