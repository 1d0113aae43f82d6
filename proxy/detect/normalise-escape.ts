// Owns escapes: percent-encoded bytes (RFC 3986 section 2.1), character references of HTML, and `\uXXXX`, `\xXX` of
// JavaScript, JSON and their relatives. It says what one of them stands for and where it ends.

/** Reused: what the last escape stands for, and where it ends. */
export type Escape = { codePoint: number; end: number }

export const isNone = 0
export const isRead = 1
/** The text ends before the escape does. */
export const isCut = 2

/** `start` is at a `%`, `&` or `\`. */
export function readEscape(text: string, start: number, final: boolean, into: Escape): number {
  const found = readAt(text, start, into)
  if (found !== isCut || !final) return found
  // What ends with the text is read as if a space followed, which no escape holds.
  const ended = readAt(text.slice(start) + ' '.repeat(lengthMax), 0, into)
  into.end += start
  return ended
}

/** The longest is a character of four percent-encoded bytes; a name has a few more. */
const lengthMax = 16

function readAt(text: string, start: number, into: Escape): number {
  const code = text.charCodeAt(start)
  if (code === 0x5c) return readBackslash(text, start, into)
  return code === 0x25 ? readPercent(text, start, into) : readReference(text, start, into)
}

/** The bytes of one character. */
function readPercent(text: string, start: number, into: Escape): number {
  const first = hexValue(text, start + 1, start + 3)
  if (first < 0) return cutOrNone(first)
  into.codePoint = first
  into.end = start + 3
  const more = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
  if (more === 0) return isRead
  let codePoint = first & (0x3f >> more)
  for (let n = 1; n <= more; n++) {
    const at = start + 3 * n
    if (at >= text.length) return isCut
    const byte = text.charCodeAt(at) === 0x25 ? hexValue(text, at + 1, at + 3) : -1
    if (byte === cutValue) return isCut
    // A byte by itself stands for a character of Latin-1.
    if (byte < 0x80 || byte > 0xbf) return isRead
    codePoint = (codePoint << 6) | (byte & 0x3f)
  }
  into.codePoint = Math.min(codePoint, 0x10ffff)
  into.end = start + 3 * (more + 1)
  return isRead
}

/** References of what values and what stands between them are made of, and of what is not seen. */
// prettier-ignore
const named: ReadonlyMap<string, number> = new Map(Object.entries({
  Tab: 9, NewLine: 10, nbsp: 32, ensp: 32, emsp: 32, thinsp: 32, excl: 33, quot: 34, QUOT: 34, num: 35, dollar: 36,
  percnt: 37, amp: 38, AMP: 38, apos: 39, lpar: 40, rpar: 41, ast: 42, plus: 43, comma: 44, dash: 45, hyphen: 45, minus: 45,
  ndash: 45, period: 46, sol: 47, colon: 58, semi: 59, lt: 60, LT: 60, equals: 61, gt: 62, GT: 62, quest: 63, commat: 64,
  lsqb: 91, lbrack: 91, bsol: 92, rsqb: 93, rbrack: 93, lowbar: 95, UnderBar: 95, lcub: 123, verbar: 124, vert: 124,
  rcub: 125, shy: 0xad, zwj: 0x200d, zwnj: 0x200c, lrm: 0x200e, rlm: 0x200f, NoBreak: 0x2060, ZeroWidthSpace: 0x200b,
}))
const nameLengthMax = 14
/** Behind as many zeros as nobody writes. */
const referenceDigitsMax = 8
const referenceZerosMax = 24

/** The semicolon may be missing after a number, as browsers have it. */
function readReference(text: string, start: number, into: Escape): number {
  const second = codeAt(text, start + 1)
  if (second < 0) return isCut
  if (second !== 0x23) return isNameUnit(second) ? readNamed(text, start, into) : isNone
  const isHex = (codeAt(text, start + 2) | 0x20) === 0x78
  const first = start + (isHex ? 3 : 2)
  let codePoint = 0
  let at = first
  while (at < first + referenceZerosMax && codeAt(text, at) === 48) at++
  for (const last = at + referenceDigitsMax; at < last; at++) {
    const value = digitValue(codeAt(text, at))
    if (value < 0 || (!isHex && value > 9)) break
    codePoint = codePoint * (isHex ? 16 : 10) + value
  }
  const next = codeAt(text, at)
  if (next < 0) return isCut
  if (at === first || codePoint > 0x10ffff) return isNone
  into.codePoint = codePoint
  into.end = next === 0x3b ? at + 1 : at
  return isRead
}

function readNamed(text: string, start: number, into: Escape): number {
  let at = start + 1
  while (at <= start + nameLengthMax && isNameUnit(codeAt(text, at))) at++
  const next = codeAt(text, at)
  if (next < 0) return isCut
  const codePoint = next === 0x3b ? named.get(text.slice(start + 1, at)) : undefined
  if (codePoint === undefined) return isNone
  into.codePoint = codePoint
  into.end = at + 1
  return isRead
}

function readBackslash(text: string, start: number, into: Escape): number {
  const kind = codeAt(text, start + 1)
  if (kind < 0) return isCut
  if (kind === 0x78) return readFixed(text, start, start + 4, into)
  if (kind !== 0x75) return isNone
  const next = codeAt(text, start + 2)
  if (next === 0x7b) return readBraced(text, start, into)
  return next < 0 ? isCut : readUnit(text, start, into)
}

/** `\uXXXX`; two of them when they are a pair. */
function readUnit(text: string, start: number, into: Escape): number {
  const found = readFixed(text, start, start + 6, into)
  if (found !== isRead || (into.codePoint & 0xfc00) !== 0xd800) return found
  const high = into.codePoint
  for (const [n, unit] of [0x5c, 0x75].entries()) {
    const code = codeAt(text, start + 6 + n)
    if (code < 0) return isCut
    if (code !== unit) return isRead
  }
  const low = hexValue(text, start + 8, start + 12)
  if (low === cutValue) return isCut
  if ((low & 0xfc00) !== 0xdc00) return isRead
  into.codePoint = 0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff)
  into.end = start + 12
  return isRead
}

function readFixed(text: string, start: number, end: number, into: Escape): number {
  const value = hexValue(text, start + 2, end)
  if (value < 0) return cutOrNone(value)
  into.codePoint = value
  into.end = end
  return isRead
}

/** `\u{1F600}` */
function readBraced(text: string, start: number, into: Escape): number {
  let codePoint = 0
  let at = start + 3
  for (; at < start + 9; at++) {
    const value = digitValue(codeAt(text, at))
    if (value < 0) break
    codePoint = codePoint * 16 + value
  }
  const next = codeAt(text, at)
  if (next < 0) return isCut
  if (next !== 0x7d || at === start + 3 || codePoint > 0x10ffff) return isNone
  into.codePoint = codePoint
  into.end = at + 1
  return isRead
}

const cutValue = -2

function cutOrNone(value: number): number {
  return value === cutValue ? isCut : isNone
}

/** -1: not hexadecimal; `cutValue`: hexadecimal up to the end of the text. */
function hexValue(text: string, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) {
    const code = codeAt(text, at)
    if (code < 0) return cutValue
    const digit = digitValue(code)
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

function codeAt(text: string, index: number): number {
  return index < text.length ? text.charCodeAt(index) : -1
}

function digitValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 && code < 128 ? lower - 87 : -1
}

function isNameUnit(code: number): boolean {
  const lower = code | 32
  return code >= 0 && code < 128 && lower >= 97 && lower <= 122
}
