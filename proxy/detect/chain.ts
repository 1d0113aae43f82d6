// Owns chains: values each of which begins inside of the one before and goes on behind it, so that which of them counts may
// depend on what comes much later, when a stream cannot wait for it any more. It does not know what a value is.
import { foreseenLength, type Candidate } from './candidate.ts'
import { longLengthMax } from './long-run.ts'
import { resolveOverlaps, sortByPlace, withoutLost, type Counting } from './overlap.ts'

/**
 * A chain that is `foreseenLength` long is one value from its beginning on, whatever else begins in it; longer than
 * `longLengthMax` is none, and what goes on behind that is lost to it. Only what begins before `openFrom` is sure. What is
 * foreseen before a chain is so long wins over what it overlaps, as ever. What nothing is done about stays as it is.
 */
export function joinChains(
  candidates: Candidate[],
  counts?: Counting,
  openFrom = Number.POSITIVE_INFINITY,
): Candidate[] {
  if (candidates.length < 2) return candidates
  sortByPlace(candidates)
  if (!mayHoldChain(candidates)) return candidates
  const isPart = (one: Candidate): boolean => one.start < openFrom && counts?.(one) !== false
  const joined = candidates.filter((one) => !isPart(one))
  const parts = withoutLost(candidates.filter(isPart))
  let taken = 0
  for (let from = 0; from < parts.length;) {
    const first = parts[from] as Candidate
    const to = first.start < taken || first.foreseen !== undefined ? from : endOfChain(parts, from)
    if (to === from) joined.push(first)
    else {
      const chain = joinedOf(parts.slice(from, to))
      joined.push(chain)
      taken = chain.end
    }
    from = Math.max(to, from + 1)
  }
  return joined
}

/** Two that overlap, so that together they are long. */
function mayHoldChain(sorted: readonly Candidate[]): boolean {
  let start = 0
  let reach = 0
  for (const one of sorted) {
    if (one.start >= reach) start = one.start
    else if (one.end > reach && one.end - start >= foreseenLength) return true
    reach = Math.max(reach, one.end)
  }
  return false
}

/** The index after what is one chain with what stands at `from`; `from` where there is none. */
function endOfChain(sorted: readonly Candidate[], from: number): number {
  const { start, end } = sorted[from] as Candidate
  let reach = end
  let isChain = false
  let at = from + 1
  for (
    let next = sorted[at];
    next !== undefined && next.start < Math.min(reach, start + longLengthMax);
    next = sorted[++at]
  ) {
    if (!isChain && next.foreseen !== undefined) return from
    if (next.end <= reach) continue
    reach = next.end
    isChain ||= reach - start >= foreseenLength
  }
  return isChain ? at : from
}

/** It is called by what begins first. */
function joinedOf(chain: readonly Candidate[]): Candidate {
  const { start } = chain[0] as Candidate
  const [first] = resolveOverlaps(chain.filter((one) => one.start === start))
  const end = chain.reduce((last, one) => Math.max(last, one.end), 0)
  return { ...(first as Candidate), end, foreseen: foreseenLength, isLate: true, joinedFrom: start }
}
