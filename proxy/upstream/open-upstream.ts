// Owns the step from what operators wrote of an upstream to one that can be asked.
import { Fault } from '../errors.ts'
import type { UpstreamOptions } from './options.ts'
import { PooledUpstream } from './pooled-upstream.ts'
import { QueuedUpstream } from './queued-upstream.ts'
import { compileUpstream } from './settings.ts'
import type { Upstream, UpstreamDeps } from './upstream.ts'

/** Expects options without problems; throws a Fault otherwise, or when the credential cannot be had. */
export function openUpstream(id: string, options: UpstreamOptions, deps: UpstreamDeps): Upstream {
  const { settings, problems } = compileUpstream(options, ['upstreams', id])
  if (settings === undefined) throw new Fault('internal', problems.map((problem) => problem.message).join('; '))
  const upstream = new PooledUpstream(id, settings, deps)
  return settings.concurrency === undefined ? upstream : new QueuedUpstream(upstream, settings.concurrency, deps)
}
