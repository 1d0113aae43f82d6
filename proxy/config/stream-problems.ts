// Owns what is wrong with detectors that cannot look into streams, on routes whose clients will ask for them.
import type { Problem } from '../lib/problem.ts'
import type { RouteOptions } from '../pipeline/options.ts'
import type { Looking } from './route-problems.ts'
import type { Document } from './schema.ts'
import { leadsToModel } from './target-problems.ts'

/** Most clients of models ask for streams, and nobody finds out before the first of them does. */
export function streamProblems(document: Document, looking: Looking): Problem[] {
  return (document.detectors ?? []).flatMap(({ id, url, onStream = 'deny' }, index): Problem[] => {
    if (url === undefined || onStream !== 'deny') return []
    const routes = document.routes.filter(
      (route) => leadsToModel(document.upstreams[route.upstream]?.protocol) && stopsAt(id, route, looking),
    )
    if (routes.length === 0) return []
    const names = routes.map((route) => route.id).join(', ')
    return [
      {
        path: ['detectors', index],
        message: `streamed answers are refused on ${names}: the detector ${id} cannot look into what is not whole`,
        hint: 'onStream: hold waits for their end, skip lets them pass; rules with direction: request leave answers alone',
        severity: 'warning',
      },
    ]
  })
}

function stopsAt(
  id: string,
  { id: route, upstream }: RouteOptions,
  { policy, redaction, catalogue }: Looking,
): boolean {
  const needs = policy?.needs(route)
  const asked = needs?.answer === true ? catalogue.entitiesOf(needs.enforcedFindings) : new Set<string>()
  const entities = asked.union(redaction?.plan('response', upstream, route)?.enforced ?? new Set())
  return !catalogue.entitiesOf([id]).isDisjointFrom(entities)
}
