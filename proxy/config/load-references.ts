// Owns the references from routes to upstreams, which no folder below sees together. References inside rules, limits and
// the like are checked by their own compilers.
import { didYouMean } from '../lib/nearest.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { weightedUpstreams, type RouteOptions } from '../pipeline/options.ts'
import type { Document } from './schema.ts'

type Say = (at: Path, message: string, hint?: { hint?: string }) => void

/** With what is switched off. */
export function checkReferences(document: Pick<Document, 'upstreams' | 'routes'>): Problem[] {
  return document.routes.flatMap((route, i) => {
    const problems: Problem[] = []
    const say: Say = (at, message, hint) =>
      void problems.push({ path: ['routes', i, ...at], message, severity: 'error', ...hint })
    if (hasOneForm(route, i, say)) {
      checkNames(route, i, document, say)
      checkGroup(route, document, say)
    }
    return problems
  })
}

/** What loading puts into `upstream` is the first of `upstreams`. */
function hasOneForm({ upstream, upstreams }: Partial<RouteOptions>, i: number, say: Say): boolean {
  if (upstream === undefined)
    say([], `missing key "upstream" in routes[${i}]`, { hint: 'write upstream, or several as upstreams' })
  else if (upstreams !== undefined && upstream !== upstreams[0]?.upstream)
    say(['upstreams'], 'upstream and upstreams exclude each other', { hint: 'put all of them under upstreams' })
  else return true
  return false
}

function checkNames(route: RouteOptions, i: number, document: Pick<Document, 'upstreams'>, say: Say): void {
  const known = Object.keys(document.upstreams)
  const check = (name: string, at: Path): void => {
    if (!known.includes(name)) say(at, `unknown upstream "${name}" in routes[${i}]`, didYouMean(name, known))
  }
  if (route.upstreams === undefined) check(route.upstream, ['upstream'])
  const seen = new Set<string>()
  for (const [n, { upstream }] of (route.upstreams ?? []).entries()) {
    check(upstream, ['upstreams', n, 'upstream'])
    if (seen.has(upstream)) say(['upstreams', n, 'upstream'], `upstream ${upstream} is there twice`)
    seen.add(upstream)
  }
  for (const [n, name] of (route.fallback ?? []).entries()) {
    check(name, ['fallback', n])
    if (name === route.upstream || seen.has(name))
      say(['fallback', n], `upstream ${name} cannot stand in for itself`, { hint: 'remove it' })
  }
}

/** Only what speaks the same format can stand in: nothing is translated. */
function checkGroup(route: RouteOptions, { upstreams }: Pick<Document, 'upstreams'>, say: Say): void {
  const all = weightedUpstreams(route)
  if (all.length === 1) return
  const at = route.fallback === undefined ? 'upstreams' : 'fallback'
  const protocol = upstreams[route.upstream]?.protocol
  if (protocol === 'mcp')
    return say([at], 'an MCP session belongs to one server, so no other can stand in', {
      hint: 'give each server a route of its own',
    })
  for (const { upstream } of all) {
    const other = upstreams[upstream]?.protocol
    if (protocol === undefined || other === undefined || other === protocol) continue
    say([at], `upstream ${upstream} speaks ${other} and ${route.upstream} speaks ${protocol}`, {
      hint: 'upstreams that stand in for each other have one protocol',
    })
  }
}
