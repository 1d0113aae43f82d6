// Owns base64 (RFC 4648 sections 4 and 5) and base16 (section 8) in a text: which stretches of it are encoded text, and
// what that says. Data that is no text is not decoded. One level: what was decoded is not looked at again.
import { alphanumerics, holds, isCapital, isDigit } from './characters.ts'
import {
  base16From,
  base64From,
  isRunUnit as isRunUnitOf,
  nibbles,
  none,
  nowhere,
  pad,
  sextets,
} from './normalise-digits.ts'
import { isLineEnd, lineLengthMin, Lines } from './normalise-lines.ts'
import { putBase64, putHex, putLines } from './normalise-decoded.ts'
import { base64LengthMin, hexLengthMin, type EncodedRuns } from './normalise-runs.ts'
import type { Respelling } from './respelling.ts'

/** What is read as one, at most: a longer run is read in parts, so that a stream need not wait for its end. */
const partLength = 48
/** Unless so little more is left that by itself it would not be taken for encoded. */
const lengthMax = partLength + 32
const paddingMax = 2
/** What other files own would be looked up again for every digit. */
const sextetOf = sextets
const nibbleOf = nibbles
const notDigit = none
const padding = pad
const isDigitOfRun = isRunUnitOf
const stride = base64LengthMin
/** For so many places at once it is asked whether text may begin there. */
const windowLength = 64
/** Twelve digits of base64, sixteen of base16 and the mark before them show whether text may begin at the first. */
const decisiveLength = 18

/** Nothing starts there; the text ends before it is known whether something does. */
const nothing = 0
const undecided = -1

/**
 * Puts what is encoded between `from` and `to` where it is read as its text. Neither end cuts a run, but for the end of a
 * text that is not final. Returns from where on the text is not decided yet, or `to`.
 */
export function readEncoded(
  text: string,
  units: Uint16Array,
  from: number,
  to: number,
  final: boolean,
  into: Respelling,
  runs?: EncodedRuns,
): number {
  const isOpen = !final && to === text.length
  let start = from
  /** Before this index every unit from `start` on belongs to a run. */
  let known = from
  const rest = restOfLine(text, from, to)
  if (rest !== from) {
    const lines = Lines.join(text, from, rest, to, isOpen, isRunUnit)
    if (lines !== undefined) {
      const end = readLines(lines, into)
      if (end < lines.end) return end
      start = known = lines.end
    }
  }
  while (start + stride <= to) {
    if (runs !== undefined) {
      start = runs.after(text, start, to)
      if (start + stride > to) return to
      known = Math.max(known, start)
    }
    let at = start + stride - 1
    while (at >= known && isDigitOfRun(units[at] as number)) at--
    if (at >= known) {
      known = start + stride
      start = at + 1
      continue
    }
    let runEnd = start + stride
    while (runEnd < to && isDigitOfRun(units[runEnd] as number)) runEnd++
    const mayBeLine = runEnd - start >= lineLengthMin || start === from
    const lines =
      mayBeLine && isLineEnd(text, runEnd) ? Lines.join(text, start, runEnd, to, isOpen, isRunUnit) : undefined
    if (lines !== undefined) runEnd = lines.end
    const end =
      lines === undefined ? readRun(text, start, runEnd, isOpen && runEnd === to, into) : readLines(lines, into)
    if (end < runEnd) return end
    start = runEnd
    known = runEnd
  }
  if (!isOpen) return to
  let tail = to
  while (tail > start && isDigitOfRun(units[tail - 1] as number)) tail--
  return readRun(text, tail, to, true, into)
}

function isRunUnit(text: string, index: number): boolean {
  return isDigitOfRun(text.charCodeAt(index))
}

/** Where the run ends that began before `from`, if that is the end of a line and too near to be found by strides. */
function restOfLine(text: string, from: number, to: number): number {
  if (!isRunUnit(text, from - 1)) return from
  let end = from
  while (end < to && end < from + stride && isRunUnit(text, end)) end++
  return end < from + stride && isLineEnd(text, end) ? end : from
}

/** Returns `to`, or where what is undecided starts. `isOpen`: the run may go on. */
function readRun(text: string, from: number, to: number, isOpen: boolean, into: Respelling): number {
  const last = isOpen ? to - 1 : to - stride
  unread.fill(from)
  isReadInVain = false
  const hasDigits = isOpen || hasCapital(text, from, to)
  /** Before this index it is known from where on it is worth while to look closer. */
  let promising = from
  let hexFrom = from
  let sextetsFrom = from
  for (let start = from; start <= last;) {
    if (start >= promising) {
      promising = start + windowLength
      const windowEnd = Math.min(promising + decisiveLength, to)
      const isWhole = !isOpen || windowEnd < to
      if (isWhole) openWindow(text, start, windowEnd)
      hexFrom = isWhole ? start + base16From(window, 0, windowEnd - start) : start
      sextetsFrom = !hasDigits ? nowhere : isWhole ? start + base64From(window, 0, windowEnd - start) : start
    }
    if (start < hexFrom && start < sextetsFrom) {
      start = Math.min(hexFrom, sextetsFrom, promising)
      continue
    }
    const digits = hasHexMark(text, start) ? start + 2 : start
    let end = start < hexFrom ? nothing : hexEnd(text, digits, to, isOpen)
    const isHex = end > nothing
    if (end === nothing && start >= sextetsFrom) end = base64End(text, start, to, isOpen)
    if (end === undecided) return start
    if (end === nothing) {
      start++
      continue
    }
    if (lines !== undefined && lines.lineEnd(start) < end) putLines(lines, start, digits, end, isHex, into)
    else {
      into.begin(lines === undefined ? start : lines.writtenAt(start))
      const form = isHex ? putHex(text, digits, end, into) : putBase64(text, start, end, into)
      if (digits === start) into.readAs(form)
      into.close(lines === undefined ? end : lines.writtenAt(end - 1) + 1)
    }
    start = end
  }
  return to
}

const window = new Uint16Array(windowLength + decisiveLength)

function openWindow(text: string, from: number, to: number): void {
  for (let at = from; at < to; at++) window[at - from] = text.charCodeAt(at)
}

/** Those of the run that is read, where it has more than one. */
let lines: Lines | undefined

/** Returns the end of the last line, or where what is undecided starts. */
function readLines(of: Lines, into: Respelling): number {
  const to = of.text.length
  lines = of
  const end = readRun(of.text, 1, to, of.isOpen, into)
  lines = undefined
  return end === to ? of.end : of.writtenAt(end)
}

/** `0x`, and no word that ends so. */
function hasHexMark(text: string, start: number): boolean {
  return text.charCodeAt(start) === 48 && (text.charCodeAt(start + 1) | 32) === 120 && !isAfterWord(text, start)
}

/** The digits of text in base64 have a capital before long: all that stands for a digit, a space or one of `@.-` begins with one. */
function hasCapital(text: string, from: number, to: number): boolean {
  let at = Math.max(from, unread[noCapitalTo] as number)
  while (at < to && !isCapital(text.charCodeAt(at))) at++
  unread[noCapitalTo] = at
  return at < to
}

/** Hex without any digit has nothing but bytes beyond ASCII. */
function hasDigit(text: string, from: number, to: number): boolean {
  let at = Math.max(from, unread[noDigitTo] as number)
  while (at < to && !isDigit(text.charCodeAt(at))) at++
  unread[noDigitTo] = at
  return at < to
}

/**
 * What is known of the run that is read, by its places: before which index there is no capital, and no digit; and before
 * which one nothing is text that begins a multiple of four, or of two, digits behind where it was tried. What is no text
 * for want of a capital would else be read again from every digit on.
 */
const unread = new Int32Array(8)
const noCapitalTo = 0
const noDigitTo = 1
const noBase16 = 2
const noBase64 = 4
/** As much of the run as is read at once was text but for that; so it may be the next time. */
let isReadInVain = false

/** No more than `lengthMax` digits are read from `start` on; where the run may go on behind them, it is open. */
function endsIn(start: number, to: number, isOpen: boolean): boolean {
  return !isOpen || start + lengthMax + paddingMax <= to
}

/** Where the text ends that is encoded from `start` on; it ends where its bytes are no longer text. */
function base64End(text: string, start: number, to: number, isOpen: boolean): number {
  const limit = Math.min(to, start + lengthMax)
  const place = noBase64 + (start & 3)
  if (start < (unread[place] as number)) return nothing
  if (isReadInVain && endsIn(start, to, isOpen) && !hasCapital(text, start, limit)) return nothing
  let bits = 0
  let state = 0
  let good = start
  let part = start
  let at = start
  for (; at < limit; at++) {
    const value = sextetOf[text.charCodeAt(at)] as number
    if (value >= padding) break
    bits = (bits << 6) | value
    const phase = (at - start) & 3
    if (phase === 0) continue
    state = nextState(state, (bits >> (6 - 2 * phase)) & 255)
    if (state === notText) return acceptedBase64(text, start, good, place)
    if (phase === 3 && state === 0) {
      good = at + 1
      if (good <= start + partLength && lines?.begins(good) !== true) part = good
    }
  }
  if (at === to && isOpen && at < start + lengthMax) return undecided
  if (at === start + lengthMax) return acceptedBase64(text, start, part)
  const phase = (at - start) & 3
  const isRestZero = (bits & (phase === 2 ? 15 : 3)) === 0
  if (phase >= 2 && state === 0 && isRestZero) {
    good = at
    while (good < to && good < at + 4 - phase && sextetOf[text.charCodeAt(good)] === padding) good++
    if (good === to && isOpen && good < at + 4 - phase) return undecided
  }
  return acceptedBase64(text, start, good, place)
}

function acceptedBase64(text: string, start: number, end: number, place?: number): number {
  return accepted(text, start, end, base64LengthMin, hasCapital, place)
}

/** `tells`: whether what shows that it is text stands there. With `place`: it ends there, wherever before it begins. */
function accepted(
  text: string,
  start: number,
  end: number,
  lengthMin: number,
  tells: typeof hasCapital,
  place: number | undefined,
): number {
  if (!isPlausible(text, start, end, lengthMin)) return nothing
  if (tells(text, start, end)) return end
  if (place === undefined) isReadInVain = true
  else unread[place] = end
  return nothing
}

function hexEnd(text: string, start: number, to: number, isOpen: boolean): number {
  if (!isOpen && (start + hexLengthMin > to || nibbleOf[text.charCodeAt(start + hexLengthMin - 1)] === notDigit))
    return nothing
  const limit = Math.min(to, start + lengthMax)
  const place = noBase16 + (start & 1)
  if (start < (unread[place] as number)) return nothing
  if (isReadInVain && endsIn(start, to, isOpen) && !hasDigit(text, start, limit)) return nothing
  let state = 0
  let good = start
  let part = start
  let at = start
  for (; at + 1 < limit; at += 2) {
    const high = nibbleOf[text.charCodeAt(at)] as number
    const low = nibbleOf[text.charCodeAt(at + 1)] as number
    if (high === notDigit || low === notDigit) return acceptedHex(text, start, good, place)
    state = nextState(state, (high << 4) | low)
    if (state === notText) return acceptedHex(text, start, good, place)
    if (state === 0) {
      good = at + 2
      if (good <= start + partLength && lines?.begins(good) !== true) part = good
    }
  }
  if (isOpen && limit === to && limit < start + lengthMax && (at === to || nibbleOf[text.charCodeAt(at)] !== notDigit))
    return undecided
  if (at === start + lengthMax) return acceptedHex(text, start, part)
  return acceptedHex(text, start, good, place)
}

function acceptedHex(text: string, start: number, end: number, place?: number): number {
  return accepted(text, start, end, hexLengthMin, hasDigit, place)
}

/** A few bytes from the middle of a hash are text often enough; not so many, nor those that a word begins or ends with. */
function isPlausible(text: string, start: number, end: number, lengthMin: number): boolean {
  if (end - start < lengthMin) return false
  return end - start >= 2 * lengthMin || !isAfterWord(text, start) || !isAlphanumericAt(text, end)
}

/** A line begins no word that the one before ends: streams may have decided on that one before. */
function isAfterWord(text: string, start: number): boolean {
  return isAlphanumericAt(text, start - 1) && lines?.begins(start) !== true
}

function isAlphanumericAt(text: string, index: number): boolean {
  return index >= 0 && index < text.length && holds(alphanumerics, text.charCodeAt(index))
}

const notText = -1

/**
 * Reads one byte further: how many bytes of a character of UTF-8 are missing, or that this is no text. A zero byte is
 * text, because every other byte of UTF-16 is one.
 */
function nextState(state: number, byte: number): number {
  if (state > 0) return (byte & 0xc0) === 0x80 ? state - 1 : notText
  if (byte >= 0x20 ? byte < 0x7f : byte === 0 || byte === 9 || byte === 10 || byte === 13) return 0
  if (byte < 0xc2 || byte > 0xf4) return notText
  return byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3
}
