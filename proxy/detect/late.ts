// Owns what becomes of late values: what somebody looked for too far, so that a stream could not wait whether it is there,
// and a whole text does not. It does not know how far that is.
import type { Candidate } from './candidate.ts'
import { longLengthMax } from './long-run.ts'
import { endOfCluster, foreseenFirst, resolveOverlaps, sortByPlace, withoutLost, type Counting } from './overlap.ts'

/**
 * A late value takes in all that it overlaps, directly or through others: which of it would be found, a stream learns too
 * late. What nothing is done about stays as it is.
 */
export function joinLate(candidates: Candidate[], length: number, counts: Counting | undefined): Candidate[] {
  if (!candidates.some(({ isLate }) => isLate)) return candidates
  const counting = counts === undefined ? candidates : candidates.filter(counts)
  const joined = counts === undefined ? [] : candidates.filter((one) => !counts(one))
  sortByPlace(counting)
  const standing = withoutLost(counting)
  for (let from = 0; from < standing.length;) {
    const to = endOfCluster(standing, from)
    const some = standing.slice(from, to)
    if (some.some(({ isLate }) => isLate)) joined.push(joinedOf(some, length))
    else for (const one of some) joined.push(one)
    from = to
  }
  return joined
}

/** It is called by what begins first, and of that by what is known first. */
function joinedOf(some: readonly Candidate[], length: number): Candidate {
  const { start } = some[0] as Candidate
  const firsts = some.filter((one) => one.start === start)
  const known = firsts.filter(({ foreseen }) => foreseen !== undefined).sort(foreseenFirst)
  const [first = firsts[0] as Candidate] = known.length > 0 ? known : resolveOverlaps(firsts)
  const end = some.reduce((last, one) => Math.max(last, one.end), 0)
  const joinedFrom = known.length > 0 ? start : (some.find(({ isLate }) => isLate)?.start ?? start)
  const joined = { ...first, end, foreseen: first.foreseen ?? end - start, isLate: true, joinedFrom } as const
  const isEndless = end - start >= longLengthMax || some.some(({ openEnded }) => openEnded)
  return isEndless ? { ...joined, end: length, openEnded: true } : joined
}
