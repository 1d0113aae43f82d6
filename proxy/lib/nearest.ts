// Owns "did you mean": the nearest of the words that would have been right. It knows no words of its own.

/**
 * The candidate nearest to `word` by Damerau-Levenshtein distance (optimal string alignment), case set aside; undefined
 * when none is near: at most one slip per three characters, and never more than four.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > wordLengthMax) return undefined
  const lowered = word.toLowerCase()
  let best: string | undefined
  let bestDistance = Math.min(4, Math.ceil(word.length / 3)) + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue
    const distance = distanceBetween(lowered, candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best
}

/** `did you mean "x"?`, ready to be a hint. */
export function didYouMean(word: string, candidates: Iterable<string>): { hint?: string } {
  const found = nearest(word, candidates)
  return found === undefined ? {} : { hint: `did you mean "${found}"?` }
}

const wordLengthMax = 100

function distanceBetween(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) least = Math.min(least, (beforeLast[j - 2] ?? 0) + 1)
      row.push(least)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
