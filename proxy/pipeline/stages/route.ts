// Owns the first question: which route is meant, and is there an adapter for what is asked of it.
import { Fault } from '../../errors.ts'
import { opaqueOperation } from '../../protocol/opaque.ts'
import type { Operation, Protocol } from '../../protocol/protocol.ts'
import { grow, type Exchange, type RequestHead, type Routed } from '../exchange.ts'
import { checkHost, checkOrigin } from '../origin.ts'
import type { Route, Runtime } from '../runtime.ts'
import { socketOperation } from '../sockets.ts'

export function route(x: Exchange, runtime: Runtime): Routed {
  const { path } = x.head
  const found = runtime.routes.find((candidate) => covers(candidate, path))
  if (found === undefined) throw new Fault('route-not-found')
  // Set before the operation is known, so that a refusal below already speaks the route's dialect.
  const onRoute = grow(x, { route: found })
  const rest = path.slice(found.path.length)
  const below = rest === '' ? '/' : rest
  const operation =
    x.head.upgrade === undefined
      ? operationOf(found, x, below)
      : socketOperation(found, x, { asked: below, sent: sentPath(found, path) }, runtime)
  // Tool servers are what a page in a browser would be after.
  if (operation.action === 'asked') {
    checkOrigin(x.head.headers, runtime.hosts)
    checkHost(x.head.headers, runtime.hosts)
  }
  return grow(onRoute, { operation })
}

function operationOf(route: Route, { head }: Exchange, path: string): Operation {
  const { id, protocol, posture } = route
  const { method, query } = head
  const operation =
    asSent(route, method, query, protocol.resolve(method, path, query)) ?? servedBelow(route, head, path)
  if (operation?.unserved !== undefined)
    throw new Fault('operation-unsupported', `${method} ${path} is refused on route ${id}. ${operation.unserved}`)
  if (operation !== undefined) return operation
  const meant = nearest(protocol, method, [path, sentPath(route, head.path)])
  const mayPass = protocol.name !== 'mcp' && meant === undefined
  if (mayPass && posture === 'opaque') return opaqueOperation(method, path)
  const sentences = [
    `${method} ${path} has no adapter on route ${id}, so it is refused.`,
    protocol.whyUnserved?.(method, path) ?? '',
    meant === undefined ? '' : `The path of ${meant.name} is written otherwise.`,
    mayPass ? 'With posture: opaque on the route it would pass unread.' : '',
  ]
  throw new Fault('operation-unsupported', sentences.filter((sentence) => sentence !== '').join(' '))
}

/** What is `/completions` here is `/chat/completions` to an upstream whose url ends with `/chat`. */
function asSent(route: Route, method: string, query: string, operation: Operation | undefined): Operation | undefined {
  const { protocol, upstreamPath } = route
  if (operation === undefined || upstreamPath === '') return operation
  const sent = protocol.joinPath?.(upstreamPath, operation.path) ?? upstreamPath + operation.path
  const meant = protocol.resolve(method, sent, query)
  return meant === undefined || meant.name === operation.name ? operation : { ...meant, path: operation.path }
}

/** An upstream's url may go further down than operations are told apart, and the rest of the path alone says nothing. */
function servedBelow(route: Route, { method, path: asked, query }: RequestHead, path: string): Operation | undefined {
  if (route.upstreamPath === '') return undefined
  const operation = route.protocol.resolve(method, sentPath(route, asked), query)
  return operation === undefined ? undefined : { ...operation, path }
}

/** The path as the upstream will see it. */
function sentPath({ path, protocol, upstreamPath }: Route, asked: string): string {
  const below = asked.slice(path.length)
  return below === '' ? upstreamPath : (protocol.joinPath?.(upstreamPath, below) ?? upstreamPath + below)
}

/**
 * An operation with an adapter that the upstream may take the path for, which would get past the adapter: some servers
 * overlook a slash at the end or the case of letters.
 */
function nearest(protocol: Protocol, method: string, paths: readonly string[]): Operation | undefined {
  for (const path of paths) {
    const bare = path.replace(/\/+$/, '') || '/'
    const meant = protocol.resolve(method, bare) ?? protocol.resolve(method, bare.toLowerCase())
    if (meant !== undefined) return meant
  }
  return undefined
}

function covers(route: Route, path: string): boolean {
  return (
    path.startsWith(route.path) && (path.length === route.path.length || path.charCodeAt(route.path.length) === 0x2f)
  )
}
