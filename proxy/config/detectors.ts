// Owns where the `detectors:` section meets upstreams and routes: an external detector is reached like an upstream, with
// the same breaker, the same rules for addresses and a pool of connections of its own.
import { detectorProperties, type DetectorOptions, type DetectorsOptions } from '../detect/detector-options.ts'
import type { Catalogue } from '../detect/catalogue.ts'
import type { Redaction } from '../detect/redaction.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { upstreamsSchema, type UpstreamOptions, type UpstreamsOptions } from '../upstream/options.ts'
import { compileUpstream } from '../upstream/settings.ts'
import type { RouteOptions } from '../pipeline/options.ts'
import type { Policy } from '../policy/compile.ts'
import type { Document } from './schema.ts'

export type DetectorDocument = DetectorOptions &
  Pick<UpstreamOptions, 'credential' | 'breaker' | 'egress' | 'connections'>

const { credential, breaker, egress, connections } = upstreamsSchema.additionalProperties.properties

export const detectorsSchema = {
  description: 'Detectors of your own: words, patterns, and analyzers that other processes run.',
  type: 'array',
  maxItems: 200,
  items: {
    type: 'object',
    required: ['id'],
    additionalProperties: false,
    properties: {
      ...detectorProperties,
      credential,
      breaker,
      egress,
      connections: { ...connections, description: 'Questions at the same time; 8 when absent.' },
    },
  },
} as const

const connectionsDefault = 8
const timeoutDefault = '500ms'

/** Under names that no upstream can have. */
export function detectorUpstreams(detectors: DetectorsOptions & readonly DetectorDocument[]): UpstreamsOptions {
  return Object.fromEntries(
    detectors.flatMap((one) => (one.url === undefined ? [] : [[upstreamNameOf(one.id), upstreamOf(one, one.url)]])),
  )
}

export function upstreamNameOf(detector: string): string {
  return `detector:${detector}`
}

export function connectionProblems(detectors: readonly DetectorDocument[], path: Path): Problem[] {
  return detectors.flatMap((one, index) =>
    one.url === undefined ? [] : [...compileUpstream(upstreamOf(one, one.url), [...path, index]).problems],
  )
}

function upstreamOf(options: DetectorDocument, url: string): UpstreamOptions {
  const { timeout = timeoutDefault } = options
  return {
    protocol: 'http',
    url,
    ...(options.credential === undefined ? undefined : { credential: options.credential }),
    ...(options.breaker === undefined ? undefined : { breaker: options.breaker }),
    ...(options.egress === undefined ? undefined : { egress: options.egress }),
    connections: options.connections ?? connectionsDefault,
    timeouts: { connect: timeout, firstByte: timeout, idle: timeout, total: timeout },
    // An exchange is waiting: the second question would come too late for it.
    retry: { attempts: 1 },
  }
}

/** What says which texts of a route are looked into; absent where it does not compile. */
type Looking = {
  readonly policy: Policy | undefined
  readonly redaction: Redaction | undefined
  readonly catalogue: Catalogue
}

/** Most clients of models ask for streams, and nobody finds out before the first of them does. */
export function streamProblems(document: Document, looking: Looking): Problem[] {
  return (document.detectors ?? []).flatMap(({ id, url, onStream = 'deny' }, index): Problem[] => {
    if (url === undefined || onStream !== 'deny') return []
    const routes = document.routes.filter((route) => isModel(route, document) && looksAt(id, route, looking))
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

function isModel({ upstream }: RouteOptions, { upstreams }: Document): boolean {
  const protocol = upstreams[upstream]?.protocol
  return protocol !== undefined && protocol !== 'http' && protocol !== 'mcp'
}

function looksAt(
  id: string,
  { id: route, upstream }: RouteOptions,
  { policy, redaction, catalogue }: Looking,
): boolean {
  const needs = policy?.needs(route)
  const asked = needs?.answer === true ? catalogue.entitiesOf(needs.findings) : new Set<string>()
  const entities = asked.union(redaction?.plan('response', upstream, route)?.entities ?? new Set())
  return !catalogue.entitiesOf([id]).isDisjointFrom(entities)
}
