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
    if (clusterEnd === i + 1) findings.push(...candidates.slice(i, clusterEnd))
    else findings.push(...winners(candidates.slice(i, clusterEnd)))
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
  const kept: Candidate[] = []
  for (const one of byRank) {
    if (kept.every((other) => one.end <= other.start || other.end <= one.start)) kept.push(one)
  }
  return kept.sort((a, b) => a.start - b.start)
}
