// Owns the names that operators give to what is detected: single entities, and the groups they belong to.
import { detectors } from './detectors.ts'
import type { EntityGroup } from './finding.ts'

/** Entity → its group, in the order of the table of detectors. */
export const entityGroups: ReadonlyMap<string, EntityGroup> = new Map(detectors.map((d) => [d.entity, d.group]))

export const groupNames: readonly EntityGroup[] = ['pii', 'secrets']

/** The entities that names of entities or groups stand for; unknown names stand for none. */
export function entitiesOf(names: Iterable<string>): ReadonlySet<string> {
  const wanted = new Set(names)
  return new Set(
    [...entityGroups].flatMap(([entity, group]) => (wanted.has(entity) || wanted.has(group) ? [entity] : [])),
  )
}

/** For a name that is neither: what it most likely meant. At most a third of its letters differ. */
export function closestName(name: string): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.ceil(name.length / 3)) + 1
  for (const candidate of [...groupNames, ...entityGroups.keys()]) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance >= least) continue
    least = distance
    best = candidate
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
