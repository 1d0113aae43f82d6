// Owns what is wrong with options that a protocol or the other upstreams of a route give no meaning: names of models where
// there are none, second attempts and kept answers where each belongs to a session, a last resort among one.
import { compileGlob } from '../policy/glob.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { weightedUpstreams } from '../pipeline/options.ts'
import type { UpstreamOptions } from '../upstream/options.ts'
import type { Document } from './schema.ts'

export function targetProblems({ upstreams, routes }: Pick<Document, 'upstreams' | 'routes'>): Problem[] {
  const problems: Problem[] = []
  const say = (path: Path, message: string, hint: string): void => {
    problems.push({ path, message, hint, severity: 'error' })
  }
  for (const [id, upstream] of Object.entries(upstreams)) checkUpstream(upstream, ['upstreams', id], say)
  for (const [i, route] of routes.entries()) {
    const protocol = upstreams[route.upstream]?.protocol
    if (route.models !== undefined && hasNoModels(protocol))
      say(['routes', i, 'models'], `route ${route.id} leads to an upstream without models`, 'remove it')
    if (route.panic === true && weightedUpstreams(route).length === 1)
      say(['routes', i, 'panic'], `route ${route.id} has one upstream`, 'name others under fallback, or remove it')
    if (route.idempotency !== undefined && protocol === 'mcp')
      say(['routes', i, 'idempotency'], 'MCP knows no Idempotency-Key: messages have ids of their own', 'remove it')
  }
  return problems
}

type Say = (path: Path, message: string, hint: string) => void

function checkUpstream({ protocol, models, streamUsage, hedge, retry }: UpstreamOptions, at: Path, say: Say): void {
  if (models !== undefined && hasNoModels(protocol))
    say([...at, 'models'], `an upstream of protocol ${protocol} has no models`, 'remove it')
  if (streamUsage !== undefined && protocol !== 'openai')
    say([...at, 'streamUsage'], `streams of protocol ${protocol} are not asked for their usage`, 'remove it')
  if (hedge !== undefined && protocol === 'mcp')
    say([...at, 'hedge'], 'nothing that an MCP server is asked may be asked twice at a time', 'remove it')
  if (retry?.idempotent === undefined) return
  if (!hasNoModels(protocol))
    say([...at, 'retry', 'idempotent'], 'this is for tools', 'retry.unsafe repeats model calls, too')
  for (const [n, pattern] of retry.idempotent.entries()) {
    const glob = compileGlob(pattern, '/')
    if (typeof glob !== 'function')
      say(
        [...at, 'retry', 'idempotent', n],
        `"${pattern}" is no pattern: ${glob.error}`,
        'write names with * and {a,b}',
      )
  }
}

/** Not for an upstream that is not there: something else is wrong then. */
function hasNoModels(protocol: string | undefined): boolean {
  return protocol !== undefined && !leadsToModel(protocol)
}

export function leadsToModel(protocol: string | undefined): boolean {
  return protocol !== undefined && protocol !== 'mcp' && protocol !== 'http'
}
