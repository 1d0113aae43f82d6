// Owns the names that operators give to what is detected: single entities, and the groups they belong to.
import { didYouMean } from '../lib/nearest.ts'
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

/** A hint for a name that is neither an entity nor a group: what it most likely meant, else what there is. */
export function entityHint(wrong: string): string {
  const names = [...groupNames, ...entityGroups.keys()]
  return didYouMean(wrong, names).hint ?? `known: ${names.join(', ')}`
}
