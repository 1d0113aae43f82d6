// Owns how numbers follow one another in text under one name: `030 123456, 030 654321 and 030 999999`, or as items of a
// list. It knows neither names nor numbers, but that those of one list look alike.
import { characterClass, holds, isDigit, isLetter } from './characters.ts'
import type { Detector } from './detector.ts'
import { slash } from './number-run.ts'
import type { Probe } from './probe.ts'

/** From what wakes the detector on; later numbers are not looked at. A stream holds back as much, and what is read of the next. */
const listLengthMax = 384
const blank = characterClass(' \t')
const white = characterClass(' \t\r\n')
const letters = characterClass('A-Za-z', (code) => code >= 0xc0 && code < 0x250)
const bullets = characterClass('*-', (code) => code === 0x2022)
const quotes = characterClass('"\'`')
const conjunctions = new Set(
  'and or und oder sowie et ou y o e oraz i lub en of och eller og ja tai ve veya bzw resp plus'.split(' '),
)
const conjunctionLengthMax = 6
const indentMax = 12
const ampersand = 38
const comma = 44
const dash = 45
const semicolon = 59

/** `endOf` gives the end of the number that begins there, or -1. `isBare`: spaces may part them, or a dash between spaces. */
export type ListedNumber = {
  readonly of: Pick<Detector, 'entity' | 'group'>
  readonly endOf: (probe: Probe, start: number) => number
  readonly isBare?: true
}

/** Accepts the numbers that follow the first one, which has been accepted. */
export function acceptFollowing(
  probe: Probe,
  anchor: number,
  firstStart: number,
  firstEnd: number,
  { of, endOf, isBare }: ListedNumber,
): void {
  // One that stands in a list is no list of its own.
  if (firstStart < probe.listEnd) return
  const limit = anchor + listLengthMax
  let form: Form | undefined
  let listEnd = firstEnd
  for (;;) {
    const start = afterSeparator(probe, listEnd, isBare === true)
    const end = start === -1 || start >= limit || !beginsNumber(probe, start) ? -1 : endOf(probe, start)
    if (end === -1 || end > limit || isPartOfMore(probe, end, hasSlash(probe, listEnd, start))) break
    form ??= formOf(probe, firstStart, firstEnd)
    if (!isAlike(form, formOf(probe, start, end))) break
    probe.accept(of, start, end, false)
    listEnd = end
  }
  if (listEnd === firstEnd) return
  probe.listEnd = listEnd
  probe.keepWhole(anchor, listEnd)
}

/** -1 where none stands. */
function afterSeparator(probe: Probe, from: number, isBare: boolean): number {
  const end = holds(quotes, probe.code(from)) ? from + 1 : from
  let index = probe.runEnd(end, blank, 2)
  let isSeparated = false
  const sign = probe.code(index)
  if (sign === comma || sign === semicolon || sign === slash) {
    isSeparated = true
    index = probe.runEnd(index + 1, white, indentMax)
  } else if (isBare && index > end) {
    isSeparated = true
    if ((sign === dash || sign === 0x2013) && holds(blank, probe.code(index + 1)))
      index = probe.runEnd(index + 1, blank, 2)
  }
  if (sign === 10 || sign === 13 || isSeparated) {
    const item = afterBullet(probe, index)
    isSeparated ||= item > index
    index = item
  }
  if (isSeparated || index > end) {
    const next = afterConjunction(probe, index)
    isSeparated ||= next > index
    index = next
  }
  if (!isSeparated) return -1
  return holds(quotes, probe.code(index)) ? index + 1 : index
}

/** `from` where there is none. */
function afterBullet(probe: Probe, from: number): number {
  const index = probe.runEnd(from, white, indentMax)
  return holds(bullets, probe.code(index)) && probe.code(index + 1) === 32 ? index + 2 : from
}

/** `from` where there is none. */
function afterConjunction(probe: Probe, from: number): number {
  const end = probe.code(from) === ampersand ? from + 1 : probe.runEnd(from, letters, conjunctionLengthMax)
  if (end === from || !holds(white, probe.code(end))) return from
  const isConjunction = end === from + 1 && probe.code(from) === ampersand
  if (!isConjunction && !conjunctions.has(probe.text.slice(from, end).toLowerCase())) return from
  return probe.runEnd(end, white, 2)
}

/** A few letters, a sign or two, and a digit: so a stream does not wait for what prose goes on with. */
function beginsNumber(probe: Probe, start: number): boolean {
  let index = probe.runEnd(start, letters, lettersMax)
  for (let sign = 0; sign < 2 && holds(signs, probe.code(index)); sign++) index++
  return isDigit(probe.code(index))
}

const lettersMax = 5
const signs = characterClass(' .+(-')

/** Where a slash stands between two, it may stand behind the second. */
function hasSlash(probe: Probe, from: number, to: number): boolean {
  return probe.text.slice(from, to).includes('/')
}

/** A price, a time, a date: `1234567.89`. */
function isPartOfMore(probe: Probe, end: number, isAfterSlash: boolean): boolean {
  const next = probe.code(end)
  if (next === 37) return true
  if (next === slash && isAfterSlash) return false
  return (next === comma || (next >= 45 && next <= 47) || next === 58) && isDigit(probe.code(end + 1))
}

type Form = {
  readonly digits: number
  readonly letters: number
  readonly hasGroups: boolean
  readonly isDate: boolean
}

const date = /^\d{1,4}([-./])\d{1,2}\1\d{1,4}$/

/** `letters`: those that it begins with. */
function formOf({ text }: Probe, start: number, end: number): Form {
  let digits = 0
  let hasGroups = false
  let first = start
  while (first < end && isLetter(text.charCodeAt(first))) first++
  for (let at = first; at < end; at++) {
    const code = text.charCodeAt(at)
    if (isDigit(code)) digits++
    else if (digits > 0 && !isLetter(code)) hasGroups = true
  }
  return { digits, letters: first - start, hasGroups, isDate: hasGroups && date.test(text.slice(start, end)) }
}

const digitsApart = 2

function isAlike(first: Form, next: Form): boolean {
  if (first.letters !== next.letters || first.hasGroups !== next.hasGroups || first.isDate !== next.isDate) return false
  return Math.abs(first.digits - next.digits) <= digitsApart
}
