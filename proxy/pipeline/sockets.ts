// Owns which operation an upgrade to a WebSocket is, and how it is asked of the upstream: as a conversation that an
// adapter reads, or as a tunnel where the route lets pass what none can read.
import { Fault } from '../errors.ts'
import { appended } from '../lib/appended.ts'
import { headerValue } from '../lib/headers.ts'
import { lowerPriority } from '../lib/priority.ts'
import { opaqueOperation } from '../protocol/opaque.ts'
import type { Operation, Protocol } from '../protocol/protocol.ts'
import type { SocketOperation, SocketResolution } from '../protocol/socket.ts'
import type { UpgradeRequest } from '../upstream/answer.ts'
import type { Exchange, Prepared } from './exchange.ts'
import { checkSocketOrigin } from './origin.ts'
import type { Route, Runtime } from './runtime.ts'

/** `asked` is below the route, `sent` below the upstream's origin. */
type Paths = { readonly asked: string; readonly sent: string }

/** Faults: `upgrade-refused`, `origin-refused`, `operation-unsupported`. */
export function socketOperation(
  { id, protocol, posture, websocket }: Route,
  { head }: Exchange,
  { asked, sent }: Paths,
  { hosts }: Runtime,
): Operation {
  if (!websocket) throw new Fault('upgrade-refused')
  checkSocketOrigin(head.headers, hosts)
  const above = protocol.resolveSocket?.(asked, head.query)
  if (above?.ok === true) return above.operation
  // An upstream's url may go further down than conversations are told apart.
  const resolution = above ?? protocol.resolveSocket?.(sent, head.query)
  if (resolution?.ok === true) return { ...resolution.operation, path: asked }
  const known = [asked, sent].some((path) => isMisspelt(protocol, path) || isRead(protocol, path))
  const mayPass = resolution === undefined && !known && protocol.name !== 'mcp'
  if (mayPass && posture === 'opaque') {
    const operation = protocol.name === 'http' ? protocol.resolve('GET', asked, head.query) : undefined
    return operation ?? opaqueOperation('GET', asked)
  }
  const sentences = [
    `No adapter reads a WebSocket at ${asked} on route ${id}, so it is refused.`,
    resolution?.message ?? '',
    mayPass ? 'With posture: opaque on the route it would pass unread.' : '',
  ]
  throw new Fault('operation-unsupported', sentences.filter((sentence) => sentence !== '').join(' '))
}

/** Some servers take such a path for that of a conversation that is read, which it would get past. */
function isMisspelt(protocol: Protocol, path: string): boolean {
  const bare = path.replace(/\/+$/, '')
  const asked = (other: string): SocketResolution | undefined => protocol.resolveSocket?.(other, '')
  return bare !== '' && (asked(bare) !== undefined || asked(bare.toLowerCase()) !== undefined)
}

/** Over a WebSocket a model may be asked for the same as with a body (OpenAI's responses), past the one who reads that. */
function isRead(protocol: Protocol, path: string): boolean {
  if (protocol.name === 'http') return false
  const bare = path.replace(/\/+$/, '') || '/'
  return [bare, bare.toLowerCase()].some((other) => {
    const operation = protocol.resolve('POST', other, '')
    return operation !== undefined && operation.unserved === undefined
  })
}

export function isConversation(operation: Operation): operation is SocketOperation {
  return 'openSocket' in operation
}

/** What the upstream is asked for. Of the client's own handshake only a tunnel keeps anything. */
export function upgradeRequest(x: Prepared, runtime: Runtime): UpgradeRequest {
  const { operation, outgoing } = x
  const common = {
    path: outgoing.path,
    priority: lowerPriority(x.principal.priority, x.route.priority),
    ...(x.content?.model === undefined ? undefined : { group: x.content.model }),
    onAttempt: (attempt: Prepared['trace']['attempts'][number]) => {
      x.trace.attempts = appended(x.trace.attempts, attempt)
    },
  }
  if (isConversation(operation)) {
    const { forwarded } = operation.subprotocols
    const subprotocols = offeredSubprotocols(x.headers).filter((name) => forwarded.includes(name))
    return {
      ...common,
      carries: 'messages',
      headers: outgoing.headers,
      subprotocols,
      messageBytesMax: messageBytesMax(runtime),
    }
  }
  const headers = [...outgoing.headers]
  for (const name of ['sec-websocket-protocol', 'sec-websocket-extensions']) {
    const value = headerValue(x.headers, name)
    if (value !== undefined) headers.push(name, value)
  }
  const key = headerValue(x.head.headers, 'sec-websocket-key') ?? ''
  return { ...common, carries: 'bytes', headers, key }
}

/** Each once. */
export function offeredSubprotocols(headers: readonly string[]): string[] {
  const value = headerValue(headers, 'sec-websocket-protocol') ?? ''
  return [
    ...new Set(
      value
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    ),
  ]
}

/** A message is held as a whole, so it may not be larger than any other body, nor than an event of a stream. */
export function messageBytesMax({ limits }: Runtime): number {
  return Math.min(limits.bodyBytesMax, limits.eventBytesMax)
}
