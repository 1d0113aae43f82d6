// Owns where the `detectors:` section meets upstreams: an external detector is reached like one, with the same breaker, the
// same rules for addresses and a pool of connections of its own.
import { detectorProperties, type DetectorOptions, type DetectorsOptions } from '../detect/detector-options.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { upstreamsSchema, type UpstreamOptions, type UpstreamsOptions } from '../upstream/options.ts'
import { compileUpstream } from '../upstream/settings.ts'

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

/** Not of the four timeouts that its one becomes: what is wrong with that is said where detectors are compiled. */
export function connectionProblems(detectors: readonly DetectorDocument[], path: Path): Problem[] {
  return detectors.flatMap((one, index) => {
    if (one.url === undefined) return []
    const { problems } = compileUpstream(upstreamOf(one, one.url), [...path, index])
    return problems.filter((problem) => problem.path[path.length + 1] !== 'timeouts')
  })
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
