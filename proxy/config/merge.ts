// Owns how several files become one document. It does not read files and knows no key but `id`.
//
// - Maps merge key by key, at any depth.
// - A list whose items are maps with an `id` is merged like a map: an entry that is known is merged with its namesake and
//   keeps its place, a new one is appended. An id that occurs twice in one file is an error.
// - A section that is a list without ids (the catalogue of tools, the names of headers) is joined, repeats left out: a
//   lost entry would be a rule that no longer matches.
// - Of any other value the later --config argument replaces the earlier one's. That includes lists inside an entry, such
//   as the models of a rule: whoever writes them again means these, and could take nothing away if they were joined.
// - The files of one directory are peers, in no order that an operator would see: none may override another. Two
//   different values, and an id that two files define, are errors.
import {
  type Located,
  type LocatedList,
  type LocatedMap,
  type LocatedProblem,
  positionOf,
  problemAt,
  formatPath,
  plainValue,
} from './locate.ts'

/** `peers`: the files of one directory, whose conflicts go into `problems`. Nothing merges to an empty map. */
export function merge(
  roots: readonly LocatedMap[],
  relation: 'peers' | 'overrides',
  problems: LocatedProblem[] = [],
): LocatedMap {
  const [first, ...rest] = roots
  if (first === undefined) return emptyMap
  return rest.reduce((sum, next) => mergeMaps(sum, next, [], { relation, problems }), first)
}

const emptyMap: LocatedMap = {
  kind: 'map',
  at: { source: { file: '', text: '', lineStarts: [0], visible: '' }, start: 0, end: 0 },
  entries: new Map(),
}

/** Ids that occur twice in one list: of one file, or of the whole once variables are put in. */
export function duplicates(root: LocatedMap): LocatedProblem[] {
  const problems: LocatedProblem[] = []
  const walk = (node: Located, path: Steps): void => {
    if (node.kind === 'map') for (const [key, entry] of node.entries) walk(entry.node, [...path, key])
    if (node.kind !== 'list') return
    const seen = new Map<string, Located>()
    for (const [i, item] of node.items.entries()) {
      walk(item, [...path, i])
      const id = idOf(item)
      // Of an unset variable nothing is left; that is another problem, or none where it switches something off.
      if (id === undefined || id === '') continue
      const earlier = seen.get(id)
      if (earlier !== undefined) problems.push(taken(item, earlier, id, [...path, i]))
      else seen.set(id, item)
    }
  }
  walk(root, [])
  return problems
}

type Steps = readonly (string | number)[]
type Context = { readonly relation: 'peers' | 'overrides'; readonly problems: LocatedProblem[] }

function mergeNodes(earlier: Located, later: Located, path: Steps, context: Context): Located {
  if (earlier.kind === 'map' && later.kind === 'map') return mergeMaps(earlier, later, path, context)
  if (earlier.kind === 'list' && later.kind === 'list') {
    if (hasIds(earlier) && hasIds(later)) return mergeLists(earlier, later, path, context)
    if (path.length === 1) return joined(earlier, later)
  }
  if (context.relation === 'peers' && !equal(earlier, later)) {
    context.problems.push(
      problemAt(later.at, {
        path: formatPath(path),
        message: `${formatPath(path)} is set to different values by two files of one directory`,
        hint: `the other is at ${placeOf(earlier)}`,
        severity: 'error',
      }),
    )
  }
  return later
}

function mergeMaps(earlier: LocatedMap, later: LocatedMap, path: Steps, context: Context): LocatedMap {
  const entries = new Map(earlier.entries)
  for (const [key, entry] of later.entries) {
    const known = entries.get(key)
    const node = known === undefined ? entry.node : mergeNodes(known.node, entry.node, [...path, key], context)
    entries.set(key, { keyAt: entry.keyAt, node })
  }
  return { ...earlier, entries }
}

function mergeLists(earlier: LocatedList, later: LocatedList, path: Steps, context: Context): LocatedList {
  const items = [...earlier.items]
  const places = new Map(items.map((item, i) => [idOf(item), i]))
  for (const item of later.items) {
    const id = idOf(item)
    const place = places.get(id)
    const known = place === undefined ? undefined : items[place]
    if (id === undefined || place === undefined || known === undefined) items.push(item)
    else if (context.relation === 'peers') context.problems.push(taken(item, known, id, [...path, place]))
    else items[place] = mergeNodes(known, item, [...path, place], context)
  }
  return { ...later, items }
}

function joined(earlier: LocatedList, later: LocatedList): LocatedList {
  const textOf = (item: Located): string => JSON.stringify(plainValue(item))
  const known = new Set(earlier.items.map(textOf))
  return { ...later, items: [...earlier.items, ...later.items.filter((item) => !known.has(textOf(item)))] }
}

function holdsMaps(list: LocatedList): boolean {
  return list.items.every((item) => item.kind === 'map')
}

function hasIds(list: LocatedList): boolean {
  return holdsMaps(list) && list.items.some((item) => idOf(item) !== undefined)
}

function idOf(item: Located): string | undefined {
  const node = item.kind === 'map' ? item.entries.get('id')?.node : undefined
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : undefined
}

function taken(item: Located, earlier: Located, id: string, path: Steps): LocatedProblem {
  const node = item.kind === 'map' ? item.entries.get('id')?.node : undefined
  return problemAt((node ?? item).at, {
    path: formatPath([...path, 'id']),
    message: `the id "${id}" is taken`,
    hint: `first used at ${placeOf(earlier)}`,
    severity: 'error',
  })
}

function placeOf(node: Located): string {
  const { line, column } = positionOf(node.at.source, node.at.start)
  return `${node.at.source.file}:${line}:${column}`
}

function equal(a: Located, b: Located): boolean {
  if (a.kind === 'scalar') return b.kind === 'scalar' && a.value === b.value
  if (a.kind === 'list') {
    if (b.kind !== 'list' || a.items.length !== b.items.length) return false
    return a.items.every((item, i) => equal(item, b.items[i] ?? item))
  }
  if (b.kind !== 'map' || a.entries.size !== b.entries.size) return false
  return [...a.entries].every(([key, entry]) => {
    const other = b.entries.get(key)
    return other !== undefined && equal(entry.node, other.node)
  })
}
