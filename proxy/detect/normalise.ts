// Owns reading a text as a person or a program behind it would: escapes, encodings, compatibility forms, look-alikes and
// what nobody sees are read as what they stand for. One level only. Whether something is read differently depends on a
// bounded neighbourhood, so that pieces of a text are read as the whole is.
import { isDigit, isLetter } from './characters.ts'
import { readEncoded } from './normalise-encoded.ts'
import { isCut, isNone, readEscape, type Escape } from './normalise-escape.ts'
import {
  foldKinds,
  folds,
  forgetNeighbours,
  isDomainStop,
  isLabelUnit,
  lookAlikeAt,
  readingOf,
} from './normalise-fold.ts'
import type { EncodedRuns } from './normalise-runs.ts'
import type { Respelling } from './respelling.ts'

const escapes = '%&\\'
const isSpot = new Uint8Array(128)
for (const one of escapes) isSpot[one.charCodeAt(0)] = 1
const escape: Escape = { codePoint: 0, end: 0 }

/** Nothing is read differently at a spot; the text ends before that is known. */
const plain = 0
const undecided = -1

/**
 * Puts into `into`, which is open, everything from `from` on that is read otherwise than it is written. Returns the index
 * up to which that is decided. `units` are those of `text`. `isAscii` may be false for a text that is; without `runs` they are
 * searched for.
 */
export function normalise(
  text: string,
  units: Uint16Array,
  from: number,
  final: boolean,
  isAscii: boolean,
  into: Respelling,
  runs?: EncodedRuns,
): number {
  nextOf.fill(-1)
  forgetNeighbours()
  let index = from
  for (;;) {
    const spot = isAscii ? nextEscape(text, index) : nextSpot(units, index, text.length)
    const known = readEncoded(text, units, index, spot, final, into, runs)
    if (known < spot || spot === text.length) return known
    const end = readSpot(text, spot, final, into)
    if (end === undecided) return spot
    index = end === plain ? spot + 1 : end
  }
}

/** By kind of escape: where the next is, as it was last looked for. */
const nextOf = new Int32Array(escapes.length)

const nearLength = 4

/** Searching is much quicker than going over the units, but for the first few. */
function nextEscape(text: string, from: number): number {
  const near = Math.min(from + nearLength, text.length)
  for (let at = from; at < near; at++) {
    const code = text.charCodeAt(at)
    if (code < 128 && isSpot[code] === 1) return at
  }
  if (near === text.length) return near
  let next = text.length
  for (let kind = 0; kind < escapes.length; kind++) {
    let at = nextOf[kind] as number
    if (at < from) {
      at = text.indexOf(escapes.charAt(kind), near)
      if (at === -1) at = text.length
      nextOf[kind] = at
    }
    if (at < next) next = at
  }
  return next
}

function nextSpot(units: Uint16Array, from: number, to: number): number {
  for (let index = from; index < to; index++) {
    const code = units[index] as number
    if (code < 128 ? isSpot[code] === 1 : folds[code] !== foldKinds.none) return index
  }
  return to
}

/** Returns where what is read differently ends. */
function readSpot(text: string, start: number, final: boolean, into: Respelling): number {
  const code = text.charCodeAt(start)
  if (code >= 128) return readForeign(text, start, final, into)
  const found = readEscape(text, start, final, escape)
  if (found === isNone) return plain
  if (found === isCut) return undecided
  into.begin(start)
  putCodePoint(escape.codePoint, into)
  into.close(escape.end)
  return escape.end
}

function readForeign(text: string, start: number, final: boolean, into: Respelling): number {
  const code = text.charCodeAt(start)
  const kind = folds[code] as number
  if (kind >= foldKinds.unseen) {
    into.begin(start)
    if (kind !== foldKinds.unseen) into.put(kind & 127)
    into.close(start + 1)
    return start + 1
  }
  if (kind === foldKinds.surrogate || kind === foldKinds.read) return readCharacter(text, start, final, into)
  let unit: number
  if (kind === foldKinds.lookAlike) unit = lookAlikeAt(text, start, final)
  else if (kind === foldKinds.stop) {
    if (!isDomainStop(text, start)) return plain
    if (start + 1 === text.length && !final) return undecided
    unit = isLabelUnit(text, start + 1) ? 46 : 0
  } else {
    if (start + 1 === text.length && !final) return undecided
    unit = isInNumber(text, start) ? (kind === foldKinds.dash ? 45 : 32) : 0
  }
  if (unit <= 0) return unit
  into.begin(start)
  into.put(unit)
  into.close(start + 1)
  return start + 1
}

function readCharacter(text: string, start: number, final: boolean, into: Respelling): number {
  const codePoint = text.codePointAt(start) ?? 0
  if ((codePoint & 0xfc00) === 0xd800 && start + 1 === text.length && !final) return undecided
  const reading = readingOf(codePoint)
  if (reading === undefined) return plain
  const end = start + (codePoint > 0xffff ? 2 : 1)
  into.begin(start)
  for (let i = 0; i < reading.length; i++) into.put(reading.charCodeAt(i))
  into.close(end)
  return end
}

/** Letters or digits on both sides, a digit on one at least; or as in `(202) 555`. */
function isInNumber(text: string, index: number): boolean {
  if (index === 0 || index + 1 === text.length) return false
  const before = text.charCodeAt(index - 1)
  const after = text.charCodeAt(index + 1)
  if (before === 41) return isDigit(after)
  return isDigit(before) ? isDigit(after) || isLetter(after) : isLetter(before) && isDigit(after)
}

function putCodePoint(codePoint: number, into: Respelling): void {
  const reading = codePoint < 128 ? undefined : readingOf(codePoint)
  if (reading !== undefined) {
    for (let i = 0; i < reading.length; i++) into.put(reading.charCodeAt(i))
  } else if (codePoint > 0xffff) {
    const rest = codePoint - 0x10000
    into.put(0xd800 + (rest >> 10))
    into.put(0xdc00 + (rest & 0x3ff))
  } else {
    into.put(codePoint)
  }
}
