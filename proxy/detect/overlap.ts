// Owns which of several overlapping candidates is the finding: validated, then longer, then earlier.
import type { Finding } from './finding.ts'
import type { Candidate } from './probe.ts'

/** Sorted by start, without overlaps. */
export function resolveOverlaps(candidates: Candidate[]): Candidate[] {
  if (candidates.length < 2) return candidates
  candidates.sort((a, b) => a.start - b.start || b.end - a.end)
  const findings: Candidate[] = []
  for (let i = 0; i < candidates.length;) {
    const clusterEnd = endOfCluster(candidates, i)
    const cluster = candidates.slice(i, clusterEnd)
    // Not all at once: what is spread stands on the stack, and a text can hold more than fits there.
    for (const winner of cluster.length === 1 ? cluster : winners(cluster)) findings.push(winner)
    i = clusterEnd
  }
  return findings
}

/** What two of them found in one text; of what overlaps, the same wins as within one. */
export function mergeFindings(some: readonly Finding[], others: readonly Finding[]): readonly Finding[] {
  return resolveOverlaps([...some, ...others].map((finding) => ({ validated: false, ...finding })))
}

/** The index after the candidates that overlap one another, directly or through others, beginning with `first`. */
function endOfCluster(candidates: readonly Candidate[], first: number): number {
  let reach = candidates[first]?.end ?? 0
  let index = first + 1
  for (let next = candidates[index]; next !== undefined && next.start < reach; next = candidates[++index]) {
    if (next.end > reach) reach = next.end
  }
  return index
}

function winners(cluster: readonly Candidate[]): Candidate[] {
  const byRank = cluster.toSorted(
    (a, b) => Number(b.validated) - Number(a.validated) || b.end - b.start - (a.end - a.start) || a.start - b.start,
  )
  const first = cluster[0]?.start ?? 0
  const covered = new Uint8Array(cluster.reduce((reach, { end }) => Math.max(reach, end), first) - first)
  const kept: Candidate[] = []
  let validated: readonly Candidate[] | undefined
  for (const one of byRank) {
    // Those kept before are longer, or as long, so what overlaps one has its first or its last unit in it: but for
    // validated ones, which beat longer ones that are not.
    if (covered[one.start - first] === 1 || covered[one.end - 1 - first] === 1) continue
    if (!one.validated) {
      validated ??= kept.toSorted((a, b) => a.start - b.start)
      if (holdsOneWithin(validated, one)) continue
    }
    covered.fill(1, one.start - first, one.end - first)
    kept.push(one)
  }
  return kept.sort((a, b) => a.start - b.start)
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
