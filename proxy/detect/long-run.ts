// Owns values that are runs of characters, of any length, and are known by their beginning: a stream hides what is yet to
// come of one without holding it back. It does not know what makes a beginning one of a secret.
import type { Foresight, MayEnd } from './candidate.ts'
import { holds, type CharacterClass } from './characters.ts'
import type { EntityGroup } from './finding.ts'
import type { Probe } from './probe.ts'
import { Tally } from './tally.ts'

/** Nothing real is longer; so much of one value a stream keeps in memory. */
export const longLengthMax = 65_536
/** What stands so near the end of a run may give away what follows it. */
const tailLength = 64

/** What a run is made of, and that it goes on as long as there is nothing else. */
export type LongRun = Required<Omit<Foresight, 'isFirst'>> &
  Pick<Foresight, 'isFirst'> & { readonly characters: CharacterClass; readonly tally: Tally }

export function longRun(characters: CharacterClass, after: number, validated: boolean): LongRun {
  const mayEnd: MayEnd = (text, from) => !areAll(text, from, characters)
  return { characters, after, validated, mayEnd, tally: new Tally() }
}

export function areAll(text: string, from: number, characters: CharacterClass): boolean {
  for (let at = from; at < text.length; at++) if (!holds(characters, text.charCodeAt(at))) return false
  return true
}

/** Padding ends base64, so before `to` it leaves nothing that is worth decoding. */
export function isPadded(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (text.charCodeAt(at) === 61) return true
  return false
}

/** Whether what begins at `start` belongs to a long value that has been found: runs of triggers are read once. */
export function isInLongRun(probe: Probe, start: number): boolean {
  return start < probe.longEnd - tailLength
}

/** Of the run from `runStart` on the first `run.after` units have been read, and are those of a secret, as is what is before. */
export function acceptLong(
  probe: Probe,
  of: { readonly entity: string; readonly group: EntityGroup },
  start: number,
  runStart: number,
  run: LongRun,
  trimmed: (probe: Probe, from: number, end: number) => number = untrimmed,
): void {
  const limit = start + longLengthMax
  const from = runStart + run.after
  const end = probe.runEnd(from, run.characters, limit - from)
  acceptLongTo(probe, of, start, end === limit ? end : trimmed(probe, from, end), run)
}

/** The same where the run ends at `end`, or, at `longLengthMax`, is taken to have no end. */
export function acceptLongTo(
  probe: Probe,
  of: { readonly entity: string; readonly group: EntityGroup },
  start: number,
  end: number,
  foresight: Foresight,
): void {
  probe.longEnd = end
  if (end < start + longLengthMax) {
    probe.acceptForeseen(of, start, end, foresight)
    return
  }
  probe.acceptToEnd(of, start, foresight.after)
  probe.longEnd = probe.text.length
}

function untrimmed(_probe: Probe, _from: number, end: number): number {
  return end
}
