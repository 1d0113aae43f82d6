// Owns which of several overlapping candidates is the finding: one that counts, then foreseen, then validated, then longer,
// then earlier; of foreseen ones the earlier, then the one that was foreseen sooner, then by name.
import type { Candidate } from './candidate.ts'
import type { Finding } from './finding.ts'

/** Whether something is done about it; what is only observed, or let be, must not stand in the way of what is not. */
export type Counting = (one: Finding) => boolean

/** The same, of an entity and a value. */
export type Mattering = (entity: string, value: string) => boolean

export function countingIn(text: string, matters: Mattering | undefined): Counting | undefined {
  return matters && (({ entity, start, end }) => matters(entity, text.slice(start, end)))
}

/** Sorted by start, without overlaps. */
export function resolveOverlaps(candidates: Candidate[], counts?: Counting): Candidate[] {
  if (candidates.length < 2) return candidates
  sortByPlace(candidates)
  const findings: Candidate[] = []
  for (let i = 0; i < candidates.length;) {
    const clusterEnd = endOfCluster(candidates, i)
    if (clusterEnd === i + 1) findings.push(candidates[i] as Candidate)
    // A name's value that is a vendor's key, too; of two that overlap there is never another.
    else if (clusterEnd === i + 2) findings.push(bestOf(candidates, i, clusterEnd, counts))
    else pushWinners(candidates.slice(i, clusterEnd), counts, findings)
    i = clusterEnd
  }
  return findings
}

export function sortByPlace(candidates: Candidate[]): void {
  if (!isInOrder(candidates)) candidates.sort(byPlace)
}

function byPlace(a: Candidate, b: Candidate): number {
  return a.start - b.start || b.end - a.end
}

/** As they mostly are: texts are gone over from their beginning on. */
function isInOrder(candidates: readonly Candidate[]): boolean {
  for (let i = 1; i < candidates.length; i++) {
    if (byPlace(candidates[i - 1] as Candidate, candidates[i] as Candidate) > 0) return false
  }
  return true
}

/** What two of them found in one text; of what overlaps, the same wins as within one. */
export function mergeFindings(
  some: readonly Finding[],
  others: readonly Finding[],
  counts?: Counting,
): readonly Finding[] {
  return resolveOverlaps(
    [...some, ...others].map((finding) => ({ validated: false, ...finding })),
    counts,
  )
}

/** The index after the candidates that overlap one another, directly or through others, beginning with `first`. */
export function endOfCluster(candidates: readonly Candidate[], first: number): number {
  let reach = candidates[first]?.end ?? 0
  let index = first + 1
  for (let next = candidates[index]; next !== undefined && next.start < reach; next = candidates[++index]) {
    if (next.end > reach) reach = next.end
  }
  return index
}

function pushWinners(cluster: readonly Candidate[], counts: Counting | undefined, into: Candidate[]): void {
  const best = bestOf(cluster, 0, cluster.length, counts)
  if (best.end - best.start === reachOf(cluster)) {
    into.push(best)
    return
  }
  // Not all at once: what is spread stands on the stack, and a text can hold more than fits there.
  for (const one of winners(cluster, counts)) into.push(one)
}

function bestOf(candidates: readonly Candidate[], from: number, to: number, counts: Counting | undefined): Candidate {
  let best = candidates[from] as Candidate
  let rank = rankOf(best, counts)
  for (let i = from + 1; i < to; i++) {
    const one = candidates[i] as Candidate
    const other = rankOf(one, counts)
    if ((other - rank || inRank(best, one)) <= 0) continue
    best = one
    rank = other
  }
  return best
}

/** The length of all of it. */
function reachOf(cluster: readonly Candidate[]): number {
  const start = (cluster[0] as Candidate).start
  let length = 0
  for (const { end } of cluster) if (end - start > length) length = end - start
  return length
}

function rankOf(one: Candidate, counts: Counting | undefined): number {
  return (counts?.(one) === false ? 0 : 4) + (one.foreseen === undefined ? Number(one.validated) : 2)
}

function inRank(a: Candidate, b: Candidate): number {
  return foreseenFirst(a, b) || lengthOf(b) - lengthOf(a) || a.start - b.start
}

function winners(cluster: readonly Candidate[], counts: Counting | undefined): Candidate[] {
  const byRank = cluster
    .map((one) => ({ one, rank: rankOf(one, counts) }))
    .sort((a, b) => b.rank - a.rank || inRank(a.one, b.one))
  const first = cluster[0]?.start ?? 0
  const covered = new Uint8Array(reachOf(cluster))
  const kept: Candidate[] = []
  let outranking: readonly Candidate[] = []
  let current = byRank[0]?.rank
  for (const { one, rank } of byRank) {
    // Of its rank those kept before are longer, or as long, or foreseen and began before, so what overlaps one has its
    // first or its last unit in it.
    if (covered[one.start - first] === 1 || covered[one.end - 1 - first] === 1) continue
    if (rank !== current) outranking = kept.toSorted((a, b) => a.start - b.start)
    current = rank
    if (holdsOneWithin(outranking, one)) continue
    covered.fill(1, one.start - first, one.end - first)
    kept.push(one)
  }
  return kept.sort((a, b) => a.start - b.start)
}

/** Of what was foreseen together: how long it is, a stream did not know when it replaced it. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** Of two foreseen ones, which have one rank, what may have been replaced is the one that began before. */
export function foreseenFirst(a: Candidate, b: Candidate): number {
  if (a.foreseen === undefined || b.foreseen === undefined) return 0
  const byTime = a.start - b.start || a.foreseen - b.foreseen
  return byTime || Number(a.isLate ?? false) - Number(b.isLate ?? false) || byName(a.entity, b.entity)
}

function lengthOf({ start, end }: Candidate): number {
  return end - start
}

/** Whether one of `sorted`, which do not overlap, begins inside of `outer`. */
function holdsOneWithin(sorted: readonly Candidate[], outer: Candidate): boolean {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle]?.start ?? 0) < outer.start) low = middle + 1
    else high = middle
  }
  return (sorted[low]?.start ?? outer.end) < outer.end
}

/**
 * Those that stand, whatever else does: what begins in a foreseen value loses to it, and so does what begins with it and is
 * known later, or not foreseen. Late values stand, since they are one with what they begin in.
 */
export function withoutLost(sorted: readonly Candidate[]): Candidate[] {
  const standing: Candidate[] = []
  let taken = 0
  for (let from = 0; from < sorted.length;) {
    const { start } = sorted[from] as Candidate
    let to = from
    let winner: Candidate | undefined
    for (let one = sorted[to]; one?.start === start; one = sorted[++to]) {
      if (one.foreseen === undefined || one.isLate || start < taken) continue
      if (winner === undefined || foreseenFirst(one, winner) < 0) winner = one
    }
    for (let at = from; at < to; at++) {
      const one = sorted[at] as Candidate
      if (one.isLate || one === winner || (winner === undefined && start >= taken)) standing.push(one)
    }
    if (winner !== undefined) taken = winner.end
    from = to
  }
  return standing
}
