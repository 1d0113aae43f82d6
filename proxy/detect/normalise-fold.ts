// Owns which characters outside ASCII are read as which ones inside: compatibility forms (Unicode UAX #15, NFKC), digits
// of all scripts (UnicodeData, general category Nd), look-alikes of Latin letters (after UTS #39), dashes and spaces, and
// those that nobody sees. It does not know where in a text they stand but for their neighbours.
import { isDigit, isLetter } from './characters.ts'

/** `read`, `unseen` and `unit` when it is always read so; the others depend on what stands beside. */
export const foldKinds = {
  none: 0,
  read: 1,
  surrogate: 2,
  dash: 3,
  space: 4,
  lookAlike: 5,
  stop: 6,
  unseen: 7,
  /** And the unit of ASCII that is read there. */
  unit: 128,
} as const

/** By UTF-16 unit: one of `foldKinds`. */
export const folds = new Uint8Array(0x10000)
/** By code point: what is read there; empty for what is not seen. */
const readings = new Map<number, string>()
/** By unit: the Latin letter, and the digit where there is one. */
const lookAlikes = new Map<number, { readonly letter: number; readonly digit: number | undefined }>()

/** The reading of the code point that always has one. */
export function readingOf(codePoint: number): string | undefined {
  return readings.get(codePoint)
}

/** How far letters that only look Latin may be from one that is, in the same word. */
export const lookAlikeReach = 8

/**
 * The ASCII unit that the look-alike at `index` stands for: a word of Latin letters or digits goes on left or right of it.
 * 0: no such word; -1: the text ends before that is known.
 */
export function lookAlikeAt(text: string, index: number, final: boolean): number {
  const of = lookAlikes.get(text.charCodeAt(index))
  if (of === undefined) return 0
  let beside = unitBefore(text, index)
  if (beside === -1) beside = unitAfter(text, index)
  if (beside === -1) return final || index + lookAlikeReach < text.length ? 0 : tailOrNone(text, index)
  return isDigit(beside) ? (of.digit ?? of.letter) : of.letter
}

/** The look-alike that was asked about last, and where those begin that stand before it, as far as they are near. */
let lastAlike = -2
let lastAlikeStart = 0
/** Units up to here are look-alikes, from the one on that was asked about last. */
let alikeTo = 0

/** The last unit before that is no look-alike, if it is a letter or a digit of ASCII, and near; otherwise -1. */
function unitBefore(text: string, index: number): number {
  let start = index
  if (lastAlike === index - 1) start = lastAlikeStart
  else while (start > 0 && start > index - lookAlikeReach && isLookAlike(text, start - 1)) start--
  lastAlike = index
  lastAlikeStart = start
  return start > 0 && start > index - lookAlikeReach ? wordUnitAt(text, start - 1) : -1
}

/** The same of the first one after. */
function unitAfter(text: string, index: number): number {
  const limit = Math.min(text.length, index + lookAlikeReach + 1)
  let at = Math.max(index + 1, alikeTo)
  while (at < limit && isLookAlike(text, at)) at++
  alikeTo = at
  return at < limit ? wordUnitAt(text, at) : -1
}

function isLookAlike(text: string, index: number): boolean {
  return folds[text.charCodeAt(index)] === foldKinds.lookAlike
}

function wordUnitAt(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return isDigit(code) || isLetter(code) ? code : -1
}

/** Of an address's domain so much is looked at. */
const domainReach = 90

/**
 * Whether the full stop of another script at `index` parts labels of an address's domain, as RFC 3490 section 3.1 has it:
 * between it and the sign there are only labels and such stops. After `.` it is the end of a sentence.
 */
export function isDomainStop(text: string, index: number): boolean {
  if (!isLabelUnit(text, index - 1)) return false
  const sign = signBefore(text, index)
  lastStop = index
  lastSign = sign
  return sign > index - domainReach
}

/** Of the stop that was asked about last: where it is, and the sign before it; `-domainReach` where there is none. */
let lastStop = -1
let lastSign = -domainReach

/** Called before another text is asked about; of one text in order. */
export function forgetNeighbours(): void {
  lastStop = -1
  lastAlike = -2
  alikeTo = 0
}

function signBefore(text: string, index: number): number {
  for (let at = index - 1; at > 0 && at > index - domainReach; at--) {
    if (at === lastStop) return lastSign
    const code = text.charCodeAt(at)
    if (code === 0x40 || code === 0xff20) return isLabelUnit(text, at - 1) ? at : -domainReach
    if (!isLabelUnit(text, at) && folds[code] !== foldKinds.stop) return -domainReach
  }
  return -domainReach
}

/** Whether a letter, a digit or a hyphen of ASCII is there, as it stands or in full width. */
export function isLabelUnit(text: string, index: number): boolean {
  const unit = index >= 0 && index < text.length ? text.charCodeAt(index) : 0
  const code = unit >= 0xff01 && unit <= 0xff5e ? unit - 0xfee0 : unit
  return isLetter(code) || isDigit(code) || code === 45
}

/** -1 while only look-alikes follow up to the end. */
function tailOrNone(text: string, index: number): number {
  for (let at = index + 1; at < text.length; at++) if (folds[text.charCodeAt(at)] !== foldKinds.lookAlike) return 0
  return -1
}

/** Code points of zeros; nine digits follow each. */
// prettier-ignore
const zeros = [
  0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040,
  0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0,
  0xa9f0, 0xaa50, 0xabf0, 0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
  0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50, 0x11da0, 0x11de0, 0x11f50,
  0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950,
]

/** Blocks with compatibility forms of ASCII: first and last code point. */
// prettier-ignore
const compatible: readonly (readonly [number, number])[] = [
  [0xaa, 0xaa], [0xb2, 0xb3], [0xb9, 0xba], [0x2b0, 0x2b8], [0x2e0, 0x2e3], [0x1d2c, 0x1d6a], [0x2024, 0x2024],
  [0x2070, 0x209f], [0x2100, 0x2149], [0x2160, 0x217f], [0x2460, 0x24ff], [0x2c7c, 0x2c7d], [0x3250, 0x325f],
  [0xfb00, 0xfb06], [0xfe10, 0xfe6f], [0xff01, 0xff5e], [0x1d400, 0x1d7ff], [0x1f100, 0x1f16f], [0x1fbf0, 0x1fbf9],
]

/** Soft hyphen, joiners and marks of direction, variation selectors, fillers, keycaps, tags. */
// prettier-ignore
const unseen: readonly (readonly [number, number])[] = [
  [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160], [0x17b4, 0x17b5], [0x180b, 0x180f], [0x200b, 0x200f],
  [0x202a, 0x202e], [0x2060, 0x206f], [0x20e3, 0x20e3], [0x3164, 0x3164], [0xfe00, 0xfe0f], [0xfeff, 0xfeff],
  [0xffa0, 0xffa0], [0xfff9, 0xfffb], [0x1d173, 0x1d17a], [0xe0001, 0xe007f], [0xe0100, 0xe01ef],
]

/** Letters of other scripts, each with the one it looks like; after a slash the digit. */
// prettier-ignore
const alike =
  'аa вB еe зZ/3 кk мM нH оo/0 рp сc тT уy хx іi/1 јj ѕs ԁd ԛq ԝw һh ӏl/1 АA ВB ЕE ЗZ/3 КK МM НH ОO/0 РP СC ТT УY ХX ' +
  'ІI/1 ЈJ ЅS ԌG ӀI/1 ԚQ ԜW бb/6 Ьb ' +
  'αa βB γy εe ιi/1 κk νv οo/0 ρp τT υu χx ΑA ΒB ΕE ΖZ ΗH ΙI/1 ΚK ΜM ΝN ΟO/0 ΡP ΤT ΥY ΧX ϲc ϳj ' +
  'օo/0 ѵv ցg ոn սu հh'

const maxLength = 3

function setReading(codePoint: number, reading: string): void {
  readings.set(codePoint, reading)
  if (codePoint < 0x10000) folds[codePoint] = kindOfReading(reading)
  else folds[String.fromCodePoint(codePoint).charCodeAt(0)] = foldKinds.surrogate
}

function kindOfReading(reading: string): number {
  if (reading.length === 1) return foldKinds.unit | reading.charCodeAt(0)
  return reading === '' ? foldKinds.unseen : foldKinds.read
}

for (const [first, last] of compatible) {
  for (let codePoint = first; codePoint <= last; codePoint++) {
    const reading = String.fromCodePoint(codePoint).normalize('NFKC')
    if (/^[!-~]+$/.test(reading) && reading.length <= maxLength) setReading(codePoint, reading)
  }
}
for (const zero of zeros) for (let value = 0; value < 10; value++) setReading(zero + value, String(value))
for (const [first, last] of unseen) for (let c = first; c <= last; c++) setReading(c, '')
for (const dash of [0x2010, 0x2011, 0x2012, 0x2013, 0x2043, 0x2212]) folds[dash] = foldKinds.dash
for (const space of [0xa0, 0x1680, 0x202f, 0x205f, 0x3000]) folds[space] = foldKinds.space
folds.fill(foldKinds.space, 0x2000, 0x200b)
for (const stop of [0x3002, 0xff61]) folds[stop] = foldKinds.stop
for (const [foreign = '', letter = '', , digit] of alike.split(' ')) {
  const code = foreign.charCodeAt(0)
  lookAlikes.set(code, { letter: letter.charCodeAt(0), digit: digit?.charCodeAt(0) })
  folds[code] = foldKinds.lookAlike
}
