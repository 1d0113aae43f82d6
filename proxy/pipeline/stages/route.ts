// Owns the first question: which route is meant, and is there an adapter for what is asked of it.
import { Fault } from '../../errors.ts'
import { opaqueOperation } from '../../protocol/opaque.ts'
import type { Operation, Protocol } from '../../protocol/protocol.ts'
import { grow, type Exchange, type Routed } from '../exchange.ts'
import { checkOrigin } from '../origin.ts'
import type { Route, Runtime } from '../runtime.ts'

export function route(x: Exchange, runtime: Runtime): Routed {
  const { path } = x.head
  const found = runtime.routes.find((candidate) => covers(candidate, path))
  if (found === undefined) throw new Fault('route-not-found')
  // Set before the operation is known, so that a refusal below already speaks the route's dialect.
  const onRoute = grow(x, { route: found })
  const rest = path.slice(found.path.length)
  const operation = operationOf(found, x, rest === '' ? '/' : rest)
  // Tool servers are what a page in a browser would be after.
  if (operation.action === 'asked') checkOrigin(x.head.headers, runtime.hosts)
  return grow(onRoute, { operation })
}

function operationOf({ id, protocol, posture }: Route, { head }: Exchange, path: string): Operation {
  const { method, query } = head
  const operation = protocol.resolve(method, path, query)
  if (operation?.unserved !== undefined)
    throw new Fault('operation-unsupported', `${method} ${path} is refused on route ${id}. ${operation.unserved}`)
  if (operation !== undefined) return operation
  const meant = nearest(protocol, method, path)
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

/** Some servers take such a path for that of an operation with an adapter, which it would get past. */
function nearest(protocol: Protocol, method: string, path: string): Operation | undefined {
  const bare = path.replace(/\/+$/, '')
  if (bare === '') return undefined
  return protocol.resolve(method, bare) ?? protocol.resolve(method, bare.toLowerCase())
}

function covers(route: Route, path: string): boolean {
  return (
    path.startsWith(route.path) && (path.length === route.path.length || path.charCodeAt(route.path.length) === 0x2f)
  )
}
