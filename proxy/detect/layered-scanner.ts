// Owns looking for what rules act on and, apart from it, for what they only observe: whatever is observed, what is hidden is
// the same. It knows no rules.
import type { Finding } from './finding.ts'
import type { Mattering } from './overlap.ts'
import type { Scanner } from './scanner.ts'

/** Of what is observed, `scan` leaves out what overlaps what matters; `scanPart` knows nothing of it. */
export function layeredScanner(hiding: Scanner, watched: Scanner, matters: Mattering): Scanner {
  return {
    entities: hiding.entities.union(watched.entities),
    matters,
    watched,
    toldBy: (name) => Math.max(hiding.toldBy(name), watched.toldBy(name)),
    scan(text) {
      const isHidden = ({ entity, start, end }: Finding): boolean => matters(entity, text.slice(start, end))
      const others = watched.scan(text).filter((one) => !isHidden(one))
      return merged(hiding.scan(text).filter(isHidden), others)
    },
    scanPart: hiding.scanPart,
  }
}

/** Both are in order, and none of one list overlaps another of it. */
function merged(first: readonly Finding[], others: readonly Finding[]): readonly Finding[] {
  const all: Finding[] = []
  let next = 0
  for (const one of others) {
    for (let before = first[next]; before !== undefined && before.end <= one.start; before = first[++next])
      all.push(before)
    if ((first[next]?.start ?? one.end) >= one.end) all.push(one)
  }
  return all.concat(first.slice(next))
}
