// Owns looking for what rules act on and, apart from it, for what they only observe: whatever is observed, what is hidden is
// the same. It knows no rules.
import type { Finding } from './finding.ts'
import type { Scanner } from './scanner.ts'

/** Of what is observed, `scan` leaves out what overlaps what matters; `scanPart` knows nothing of it. */
export function layeredScanner(hiding: Scanner, watched: Scanner): Scanner {
  const matters = (entity: string, value: string): boolean =>
    hiding.entities.has(entity) && hiding.matters?.(entity, value) !== false
  return {
    entities: hiding.entities.union(watched.entities),
    matters,
    watched,
    toldBy: (name) => Math.max(hiding.toldBy(name), watched.toldBy(name)),
    scan(text) {
      const others = watched.scan(text)
      if (others.length === 0) return hiding.scan(text)
      const hidden = hiding.scan(text).filter(({ entity, start, end }) => matters(entity, text.slice(start, end)))
      return merged(hidden, others)
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
  all.push(...first.slice(next))
  return all
}
