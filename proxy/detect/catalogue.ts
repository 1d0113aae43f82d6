// Owns what can be detected in one configuration: the built-in detectors and those that operators added, with the names
// that rules may use for them.
import { didYouMean } from '../lib/nearest.ts'
import type { Detector } from './detector.ts'
import { detectors } from './detectors.ts'
import { entitiesOf, entityGroups, groupNames, packNames } from './entities.ts'
import type { External } from './external.ts'

export type Catalogue = {
  /** What runs here, the operator's own first. */
  readonly detectors: readonly Detector[]
  readonly externals: readonly External[]
  /** Entity → its group. */
  readonly groups: ReadonlyMap<string, string>
  readonly groupNames: readonly string[]
  /** The entities that names of entities or groups stand for; unknown names stand for none. */
  readonly entitiesOf: (names: Iterable<string>) => ReadonlySet<string>
  /** A hint for a name that is neither an entity nor a group: what it most likely meant, else what there is. */
  readonly hint: (wrong: string) => string
}

export function catalogueOf(own: readonly Detector[], externals: readonly External[]): Catalogue {
  const added = new Map<string, string>(own.map(({ entity, group }) => [entity, group]))
  for (const { entities, group } of externals) for (const name of entities.values()) added.set(name, group)
  const groups = new Map([...entityGroups, ...added])
  const ids = externals.map(({ id }) => id)
  const allGroups = [...groupNames, ...packNames, ...ids]
  return {
    detectors: own.length === 0 ? detectors : [...own, ...detectors],
    externals,
    groups,
    groupNames: allGroups,
    entitiesOf(names) {
      const wanted = new Set(names)
      const mine = [...added].flatMap(([entity, group]) => (wanted.has(entity) || wanted.has(group) ? [entity] : []))
      const theirs = externals.flatMap(({ id, entities }) => (wanted.has(id) ? [...entities.values()] : []))
      return new Set([...entitiesOf(wanted), ...mine, ...theirs])
    },
    hint(wrong) {
      const names = [...allGroups, ...groups.keys()]
      // All of them would fill a screen.
      const known = ['pii', 'secrets', ...ids, ...added.keys(), ...entityGroups.keys()].slice(0, hintNamesMax)
      return didYouMean(wrong, names).hint ?? `known: ${known.join(', ')}, …`
    },
  }
}

const hintNamesMax = 24

export const builtInCatalogue: Catalogue = catalogueOf([], [])
