// Owns `ifEnv` and `unlessEnv`: which upstreams the environment switches off, and the routes that go with them.
import type { JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Environment } from './interpolate.ts'
import { type Located, type LocatedMap, nodeAt } from './locate.ts'

export type Disabled = { readonly upstreams: readonly string[]; readonly routes: readonly string[] }

/** A variable that is set to nothing counts as not set: that is how compose files pass on what is absent. */
export function disabledBy(root: LocatedMap, env: Environment): Disabled {
  const isSet = (name: string | undefined): boolean => name !== undefined && (env[name] ?? '') !== ''
  const upstreams = root.entries.get('upstreams')?.node
  const names: string[] = []
  for (const [name, { node }] of upstreams?.kind === 'map' ? upstreams.entries : []) {
    const ifEnv = textAt(node, 'ifEnv')
    const unlessEnv = textAt(node, 'unlessEnv')
    if ((ifEnv !== undefined && !isSet(ifEnv)) || isSet(unlessEnv)) names.push(name)
  }
  const routes = routesOf(root)
    .filter((route) => isOff(route, names))
    .map((route) => textAt(route, 'id') ?? '')
  return { upstreams: names, routes }
}

/** Whether a path leads into something that is switched off. */
export function isDisabled(disabled: Disabled, root: Located, path: Path): boolean {
  const [section, name] = path
  if (section === 'upstreams') return disabled.upstreams.includes(String(name))
  const route = section === 'routes' ? nodeAt(root, ['routes', name ?? 0]) : undefined
  return route !== undefined && isOff(route, disabled.upstreams)
}

/** A route is there as long as one of the upstreams is that share it; one that only stands in does not carry it. */
function isOff(route: Located, disabled: readonly string[]): boolean {
  const shared = nodeAt(route, ['upstreams'])
  const names =
    shared?.kind === 'list' ? shared.items.map((item) => textAt(item, 'upstream')) : [textAt(route, 'upstream')]
  return names.length > 0 && names.every((name) => name !== undefined && disabled.includes(name))
}

export function withoutDisabled(document: JsonObject, disabled: Disabled): JsonObject {
  const { upstreams, routes } = document as { upstreams: JsonObject; routes: Switched[] }
  const isOn = (name: string): boolean => !disabled.upstreams.includes(name)
  return {
    ...document,
    upstreams: Object.fromEntries(Object.entries(upstreams).filter(([name]) => isOn(name))),
    routes: routes.flatMap((route) => withoutOff(route, isOn) ?? []),
  }
}

type Switched = JsonObject & {
  readonly upstream: string
  readonly upstreams?: readonly (JsonObject & { readonly upstream: string })[]
  readonly fallback?: readonly string[]
}

/** Undefined: nothing of it is left. */
function withoutOff(route: Switched, isOn: (name: string) => boolean): JsonObject | undefined {
  const shared = route.upstreams?.filter(({ upstream }) => isOn(upstream))
  const standing = route.fallback?.filter(isOn)
  const upstream = shared === undefined ? (isOn(route.upstream) ? route.upstream : undefined) : shared[0]?.upstream
  if (upstream === undefined) return undefined
  const { upstreams: _upstreams, fallback: _fallback, ...rest } = route
  return {
    ...rest,
    upstream,
    ...(shared === undefined ? undefined : { upstreams: shared }),
    ...(standing === undefined || standing.length === 0 ? undefined : { fallback: standing }),
  }
}

/** The same for the located tree, so that the indexes of routes agree with the document. */
export function withoutDisabledNodes(root: LocatedMap, disabled: Disabled): LocatedMap {
  const isOn = (name: string | undefined): boolean => name === undefined || !disabled.upstreams.includes(name)
  const entries = new Map(root.entries)
  const upstreams = entries.get('upstreams')
  if (upstreams?.node.kind === 'map') {
    const kept = [...upstreams.node.entries].filter(([name]) => isOn(name))
    entries.set('upstreams', { ...upstreams, node: { ...upstreams.node, entries: new Map(kept) } })
  }
  const routes = entries.get('routes')
  if (routes?.node.kind === 'list') {
    const items = routes.node.items.filter((route) => !isOff(route, disabled.upstreams))
    entries.set('routes', { ...routes, node: { ...routes.node, items } })
  }
  return { ...root, entries }
}

/**
 * What is left of upstreams when the options at `paths`, which unset variables made meaningless, are left out. The url
 * stands for itself, since it must be there. `paths` lead into what is switched off: elsewhere an unset variable is an error.
 */
export function withoutUnset(document: JsonObject, paths: readonly Path[]): JsonObject {
  const upstreams = { ...(document['upstreams'] as Readonly<Record<string, JsonObject>>) }
  for (const [section, name, key] of paths) {
    const upstream = section === 'upstreams' ? upstreams[String(name)] : undefined
    if (upstream === undefined || key === undefined || key === 'protocol') continue
    const { [key]: _unset, ...known } = upstream
    upstreams[String(name)] = key === 'url' ? { ...known, url: 'http://unset.invalid' } : known
  }
  return { ...document, upstreams }
}

function routesOf(root: LocatedMap): readonly Located[] {
  const routes = root.entries.get('routes')?.node
  return routes?.kind === 'list' ? routes.items : []
}

function textAt(node: Located, key: string): string | undefined {
  const child = nodeAt(node, [key])
  return child?.kind === 'scalar' && typeof child.value === 'string' ? child.value : undefined
}
