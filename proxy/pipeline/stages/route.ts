// Owns the first question: which route is meant, and is there an adapter for what is asked of it.
import { Fault } from '../../errors.ts'
import { grow, type Exchange, type Routed } from '../exchange.ts'
import { checkOrigin } from '../origin.ts'
import type { Route, Runtime } from '../runtime.ts'

export function route(x: Exchange, runtime: Runtime): Routed {
  const { method, path } = x.head
  const found = runtime.routes.find((candidate) => covers(candidate, path))
  if (found === undefined) throw new Fault('route-not-found')
  // Set before the operation is known, so that a refusal below already speaks the route's dialect.
  const onRoute = grow(x, { route: found })
  const rest = path.slice(found.path.length)
  const operation = found.protocol.resolve(method, rest === '' ? '/' : rest)
  if (operation === undefined) {
    const why = found.protocol.whyUnserved?.(method, rest)
    throw new Fault(
      'operation-unsupported',
      `${method} ${rest === '' ? '/' : rest} has no adapter on route ${found.id}, so it is refused.${why === undefined ? '' : ` ${why}`}`,
    )
  }
  // Tool servers are what a page in a browser would be after.
  if (operation.action === 'asked') checkOrigin(x.head.headers, runtime.hosts)
  return grow(onRoute, { operation })
}

function covers(route: Route, path: string): boolean {
  return (
    path.startsWith(route.path) && (path.length === route.path.length || path.charCodeAt(route.path.length) === 0x2f)
  )
}
