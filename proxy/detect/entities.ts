// Owns the names that operators give to what is detected: single entities, and the groups they belong to.
import { didYouMean } from '../lib/nearest.ts'
import type { Detector } from './detector.ts'
import { detectors } from './detectors.ts'

/** Entity → the narrowest group that has it without being asked for: `pii`, `secrets`, or a pack such as `pii:de`. */
export const entityGroups: ReadonlyMap<string, string> = new Map(detectors.map((d) => [d.entity, mainGroup(d)]))

export const groupNames: readonly string[] = ['pii', 'secrets']

/** A group for each country that has numbers of its own: `pii:de`. */
export const packNames: readonly string[] = [...new Set(detectors.flatMap(packOf))].sort()

/** Other names of packs: what ISO 3166 calls them. */
const aliases: ReadonlyMap<string, string> = new Map([['pii:gb', 'pii:uk']])

/** Group → its entities, in the order of the table of detectors. */
const members: ReadonlyMap<string, readonly string[]> = new Map(
  [...groupNames, ...packNames].map((name) => [
    name,
    [...new Set(detectors.filter((d) => mainGroup(d) === name || packOf(d).includes(name)).map((d) => d.entity))],
  ]),
)

/** The entities that names of entities or groups stand for; unknown names stand for none. */
export function entitiesOf(names: Iterable<string>): ReadonlySet<string> {
  const wanted = new Set<string>()
  for (const name of names) {
    if (entityGroups.has(name)) wanted.add(name)
    for (const entity of members.get(aliases.get(name) ?? name) ?? []) wanted.add(entity)
  }
  return new Set([...entityGroups.keys()].filter((entity) => wanted.has(entity)))
}

export function isKnownName(name: string): boolean {
  return entityGroups.has(name) || members.has(aliases.get(name) ?? name)
}

/** A hint for a name that is neither an entity nor a group: what it most likely meant, else what there is. */
export function entityHint(wrong: string): string {
  const names = [...groupNames, ...packNames, ...entityGroups.keys()]
  return didYouMean(wrong, names).hint ?? `known: ${names.join(', ')}`
}

function mainGroup(detector: Detector): string {
  return detector.isOptIn === true ? `${detector.group}:${detector.country ?? 'other'}` : detector.group
}

function packOf({ country, group }: Detector): string[] {
  return country === undefined ? [] : [`${group}:${country}`]
}
