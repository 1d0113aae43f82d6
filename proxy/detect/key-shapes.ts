// Owns the three shapes that keys have: a fixed beginning with a body, a fixed middle, and a body that only a label
// before it tells from other random text. It knows no vendor.
import { readAssignment } from './assignment.ts'
import { foreseenLength } from './candidate.ts'
import { alphanumerics, characterClass, holds, isDigit, isLetter, runStart, type CharacterClass } from './characters.ts'
import { emphasisBefore, emphasisMax, endsWord, startOfRun, startsValue, startsWord } from './boundary.ts'
import type { Detector } from './detector.ts'
import { isFiller, isFillerWithin } from './filler.ts'
import { acceptLong, isInLongRun, longRun, type LongRun } from './long-run.ts'
import type { Probe } from './probe.ts'
import type { Counts } from './tally.ts'

/**
 * A pattern, or what says the same more quickly of bodies that are long. `isMetBy` says the same of what is counted of
 * one of ASCII; without a digit it is never met.
 */
export type Form = Pick<RegExp, 'source' | 'test'> & { readonly isMetBy?: (counts: Counts) => boolean }

export type BodyShape = {
  readonly body: string
  /** Least and most characters of the body. */
  readonly lengths: readonly [number, number]
  /** Tried on the body once it has been read, so it may not be longer than the body. */
  readonly form?: Form | undefined
}

/** Of bodies that may be longer than this, so much is looked at as a stream may hold back; what comes behind is hidden. */
const heldLengthMax = 400

function longRunOf({ lengths }: BodyShape, body: CharacterClass): LongRun | undefined {
  return lengths[1] > heldLengthMax ? longRun(body, foreseenLength, true) : undefined
}

/** The prefixes are matched with their case. */
export function prefixedKey(entity: string, prefixes: readonly string[], shape: BodyShape): Detector {
  const body = characterClass(shape.body)
  const [lengthMin, lengthMax] = shape.lengths
  const long = longRunOf(shape, body)
  const begins = mayBeIdentifier(prefixes, body)
    ? ({ isAtWordStart: true } as const)
    : ({ isAtValueStart: true } as const)
  /** The prefix that was met last: mostly the one that another is joined to. */
  const met = { text: 0, start: 0, end: 0 }
  const isLater = (probe: Probe, start: number, end: number): boolean => {
    const least = met.text === probe.textNumber && met.end <= start ? met.start : start
    const isLaterPart = isJoined(probe, { start, end }, body, prefixes, least)
    met.text = probe.textNumber
    met.start = start
    met.end = end
    return isLaterPart
  }
  const detector: Detector = {
    entity,
    group: 'secrets',
    triggers: prefixes,
    isCaseSensitive: true,
    ...begins,
    next: body,
    find(probe, start, bodyStart) {
      if (isLater(probe, start, bodyStart)) return
      if (long !== undefined && acceptsLong(probe, detector, start, bodyStart, shape, long)) return
      const readTo = probe.runEnd(bodyStart, body, lengthMax + 1)
      const runEnd = beforeEmphasis(probe, start, readTo, bodyStart + lengthMax)
      const end = isComplete(shape, probe.text.slice(bodyStart, runEnd))
        ? runEnd
        : trimPunctuation(probe.text, bodyStart + lengthMin, runEnd)
      if (end - bodyStart < lengthMin || end - bodyStart > lengthMax) return
      if (end === runEnd && goesOn(probe, runEnd, readTo)) return
      const value = probe.text.slice(bodyStart, end)
      if (shape.form !== undefined && !shape.form.test(value)) return
      if (isFiller(value) || probe.text.startsWith('EXAMPLE', end - 7)) return
      probe.accept(detector, start, end, true)
    },
  }
  return detector
}

/** So few letters, and a body with underscores: all of it may be an identifier, or a part of one. */
function mayBeIdentifier(prefixes: readonly string[], body: CharacterClass): boolean {
  return holds(body, 95) && prefixes.some((prefix) => /^\w{1,3}$/.test(prefix))
}

/**
 * Where the body ends whose run ends at `end`: before the underscores that end emphasis, which are as many as stand before the
 * key, and before those with which it would be longer than `limit`.
 */
function beforeEmphasis(probe: Probe, start: number, end: number, limit: number): number {
  const least = end - emphasisMax
  const emphasisFrom = end - emphasisBefore(probe, start)
  let at = end
  while (at > least && (at > limit || at > emphasisFrom) && probe.before(at) === 95) at--
  return at
}

function goesOn(probe: Probe, end: number, readTo: number): boolean {
  return end < readTo ? !endsWord(probe, end) : holds(alphanumerics, probe.code(end))
}

/** Whether it is so long that its beginning decides; nothing that begins in a long run is asked again. */
function acceptsLong(
  probe: Probe,
  of: Pick<Detector, 'entity' | 'group'>,
  start: number,
  bodyStart: number,
  { form = anyForm }: BodyShape,
  run: LongRun,
): boolean {
  if (isInLongRun(probe, start)) return true
  const beginningEnd = probe.runEnd(bodyStart, run.characters, run.after)
  if (beginningEnd - bodyStart < run.after) return false
  const { isMetBy } = form
  if (isMetBy !== undefined && !probe.hasDigit(bodyStart, beginningEnd)) return true
  const counts = run.tally.over(probe, bodyStart, beginningEnd)
  if (isMetBy !== undefined && counts !== undefined && !isMetBy(counts)) return true
  if (isFillerWithin(probe, bodyStart, beginningEnd, counts)) return true
  if (form.test(probe.text.slice(bodyStart, beginningEnd))) acceptLong(probe, of, start, bodyStart, run, trimmed)
  return true
}

const anyForm: Form = /^/

function trimmed({ text }: Probe, from: number, end: number): number {
  return trimPunctuation(text, from, end)
}

/** Case of labels does not matter. The finding is the value alone. */
export function labelledKey(entity: string, labels: readonly string[], shape: BodyShape): Detector {
  const body = characterClass(shape.body)
  const [lengthMin, lengthMax] = shape.lengths
  const long = longRunOf(shape, body)
  const detector: Detector = {
    entity,
    group: 'secrets',
    triggers: labels,
    find(probe, labelStart, labelEnd) {
      if (labelEnd - labelStart < wholeWordLengthMax && isInsideWord(probe, labelStart, labelEnd)) return
      const start = readAssignment(probe, labelStart, labelEnd)
      if (start < 0) return
      if (long !== undefined && acceptsLong(probe, detector, start, start, shape, long)) return
      const end = probe.runEnd(start, body, lengthMax + 1)
      if (end - start < lengthMin || end - start > lengthMax) return
      if (isWordUnit(probe.code(end)) || probe.code(end) === 61) return
      if (isDigest(probe.text.slice(labelEnd, start))) return
      const value = probe.text.slice(start, end)
      if (!(shape.form ?? varied).test(value)) return
      if (isFiller(value) || value.endsWith('EXAMPLEKEY')) return
      probe.accept(detector, start, end, true)
    },
  }
  return detector
}

export type AnchoredShape = {
  /** The anchor stands after so many characters of the body. */
  readonly before: { readonly body: string; readonly lengths: readonly [number, number] }
  readonly after: BodyShape
}

/** A key that is known by what stands in its middle, with its case. What is before it is shorter than `contextBefore`. */
export function anchoredKey(entity: string, anchor: string, shape: AnchoredShape): Detector {
  const before = characterClass(shape.before.body)
  const [beforeMin, beforeMax] = shape.before.lengths
  const after = characterClass(shape.after.body)
  const [afterMin, afterMax] = shape.after.lengths
  const first = anchor.charCodeAt(0)
  const goesOnIn = (units: Uint16Array, from: number, to: number): boolean => {
    for (let at = from + 1; at < to; at++) if (units[at] !== anchor.charCodeAt(at - from)) return false
    return true
  }
  const detector: Detector = {
    entity,
    group: 'secrets',
    triggers: [anchor],
    isCaseSensitive: true,
    find(probe, anchorStart, anchorEnd) {
      const start = probe.runStart(anchorStart, before, beforeMax)
      if (anchorStart - start < beforeMin || !startsValue(probe, start)) return
      probe.startsAt(start)
      const end = probe.runEnd(anchorEnd, after, afterMax + 1)
      if (end - anchorEnd < afterMin || end - anchorEnd > afterMax || !endsWord(probe, end)) return
      const value = probe.text.slice(start, end)
      if (shape.after.form !== undefined && !shape.after.form.test(value)) return
      if (isFiller(value)) return
      probe.accept(detector, start, end, true)
    },
    // The anchor may have come in part.
    tailStart(units, end) {
      let from = runStart(units, end, beforeMax, before)
      for (let at = end - 1; at >= 0 && at > end - anchor.length; at--)
        if (units[at] === first && goesOnIn(units, at, end))
          from = Math.min(from, runStart(units, at, beforeMax, before))
      return from
    },
  }
  return detector
}

/** Random text has digits, or capitals within words: the least that bodies without a form of their own must have. */
export const varied = /\d|[a-z][A-Z].*[a-z][A-Z]/

/** Shorter labels than this are parts of other words: `lob` of `global`. */
const wholeWordLengthMax = 6

/** `globalKey` has no `lob` and `sumOf` no `sumo`, but `myLobKey`, `MY_LOB` and `lob-key` have. */
function isInsideWord(probe: Probe, start: number, end: number): boolean {
  // Several detectors ask about the same label.
  if (label.text === probe.textNumber && label.start === start && label.end === end) return label.isInside
  label.text = probe.textNumber
  label.start = start
  label.end = end
  label.isInside = isInside(probe, start, end)
  return label.isInside
}

/** The one that was asked about last. */
const label = { text: 0, start: 0, end: 0, isInside: false }

function isInside(probe: Probe, start: number, end: number): boolean {
  if (isHumped(probe.text, start, end)) return true
  const previous = probe.before(start)
  if (previous < 0 || !isLetter(previous) || startsWord(probe, start)) return false
  const isJavaProperty = previous === 68 && probe.before(start - 1) === 45
  if (isJavaProperty) return false
  const isLower = previous >= 97
  const first = probe.text.charCodeAt(start)
  return !isLower || first >= 97
}

/** `loB`: only the last letter is a capital. */
function isHumped(text: string, start: number, end: number): boolean {
  const last = text.charCodeAt(end - 1)
  if (last < 65 || last > 90) return false
  return /^[a-z]+$/.test(text.slice(start, end - 1))
}

/** Names of what is as random as a key, and is none. */
function isDigest(name: string): boolean {
  return /sha\d|_sha|hash|digest|checksum|commit|revision|etag|trace|request/i.test(name)
}

/**
 * A dash, dot, plus or slash joins it to what stands before, so it is a later part of something else. A plus or slash does
 * not where the prefix has a sign that base64 has not: that is a path, or a query. After an underscore, and after more
 * punctuation, it still is if the same run has such a prefix, from which it has been read: a run of prefixes is not read
 * at every one. `least`: where one begins that is known, or `start`.
 */
function isJoined(
  probe: Probe,
  { start, end }: { readonly start: number; readonly end: number },
  body: CharacterClass,
  prefixes: readonly string[],
  least: number,
): boolean {
  const previous = probe.before(start)
  if (!holds(joints, previous) || !holds(body, previous)) return false
  const mayBeInBody = previous !== 95 && !(isOfBase64(previous) && hasSign(probe, start, end))
  if (mayBeInBody && isWordUnit(probe.before(start - 1))) return true
  const runStart = startOfRun(probe, start, body)
  if (least < start && least >= runStart) return true
  const run = probe.text.slice(runStart, start)
  return prefixes.some((prefix) => run.includes(prefix))
}

const joints = characterClass('+./_-')

function isOfBase64(sign: number): boolean {
  return sign === 43 || sign === 47
}

function hasSign(probe: Probe, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (probe.units[at] === 95 || probe.units[at] === 45) return true
  return false
}

export function isWordUnit(code: number): boolean {
  return isDigit(code) || (code >= 0 && isLetter(code)) || code === 95
}

/** The form says how the body ends, be it with a full stop. */
function isComplete({ form, lengths }: BodyShape, run: string): boolean {
  return form !== undefined && form.source.endsWith('$') && run.length <= lengths[1] && form.test(run)
}

/** Where a body may go on, a full stop or a dash at its end belongs to the sentence. */
function trimPunctuation(text: string, least: number, runEnd: number): number {
  let end = runEnd
  while (end > least && (text[end - 1] === '.' || text[end - 1] === '-' || text[end - 1] === '/')) end--
  return end
}
