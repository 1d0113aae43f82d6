// Owns what a route is for each of the upstreams that may serve it: names of models, what may be repeated there, and the
// routes that stand in for it.
import { parseDuration } from '../lib/units.ts'
import { compileGlob, type Glob } from '../policy/glob.ts'
import { weightedUpstreams, type RouteOptions } from '../pipeline/options.ts'
import type { Route } from '../pipeline/runtime.ts'
import type { UpstreamOptions } from '../upstream/options.ts'
import type { Document } from './schema.ts'

/** `routeFor` makes everything else of a route, given its options with one upstream in `upstream`. */
export function routeWithTargets(
  options: RouteOptions,
  { upstreams }: Pick<Document, 'upstreams'>,
  routeFor: (options: RouteOptions) => Route,
): Route {
  const all = weightedUpstreams(options)
  const targets = all.map(({ upstream, weight }) => {
    const route = { ...routeFor({ ...options, upstream }), ...ofUpstream(options, upstreams[upstream]) }
    return { route, weight }
  })
  const [first, ...others] = targets
  if (first === undefined) throw new Error(`route ${options.id} has no upstream`)
  if (others.length > 0) {
    for (const target of targets) {
      Object.assign(target.route, { targets, keepsBody: true })
      if (options.panic === true) Object.assign(target, { panic: { ...target.route, panics: true } })
    }
  }
  return first.route
}

type OfUpstream = Pick<Route, 'aliases' | 'mayRepeat' | 'sendsKeys' | 'streamUsage' | 'keepsAnswersMs' | 'keepsBody'>

function ofUpstream({ models, idempotency }: RouteOptions, upstream: UpstreamOptions | undefined): OfUpstream {
  const aliases = new Map(Object.entries({ ...upstream?.models, ...models }))
  const { idempotent, idempotencyKey } = upstream?.retry ?? {}
  const repeats = idempotent !== undefined || idempotencyKey === true || idempotency !== undefined
  return {
    ...(aliases.size === 0 ? undefined : { aliases }),
    ...(idempotent === undefined ? undefined : { mayRepeat: anyOf(idempotent) }),
    ...(idempotencyKey === true ? { sendsKeys: true } : undefined),
    ...(upstream?.streamUsage === false ? { streamUsage: false } : undefined),
    ...(aliases.size > 0 || repeats ? { keepsBody: true } : undefined),
    ...(idempotency === undefined ? undefined : { keepsAnswersMs: parseDuration(idempotency) ?? 0 }),
  }
}

/** Patterns that do not compile were refused before; here they match nothing. */
function anyOf(patterns: readonly string[]): Glob {
  const globs = patterns.map((pattern) => compileGlob(pattern, '/')).filter((glob) => typeof glob === 'function')
  return (name) => globs.some((glob) => glob(name))
}
