// Owns the question who is asking. From here on the agent's key is in no header and no query of this exchange.
import { Fault } from '../../errors.ts'
import type { IdentifyInput } from '../../identity/authenticate.ts'
import {
  withoutKeyFields,
  withoutKeyHeaders,
  withoutRepeatingFields,
  withoutRepeats,
} from '../../identity/credentials.ts'
import { withoutHeaders } from '../../lib/headers.ts'
import { grow, type Identified, type Routed } from '../exchange.ts'
import { checkOrigin } from '../origin.ts'
import type { Runtime } from '../runtime.ts'
import { openIds } from '../session.ts'
import { isConversation, offeredSubprotocols } from '../sockets.ts'

export function identify(x: Routed, runtime: Runtime): Identified {
  const { headers, query } = x.head
  const identified = runtime.authenticator.authenticate({ ...presented(x), nowMs: runtime.clock.now() })
  if (!identified.ok) throw new Fault(identified.code, identified.message)
  // A page knows no key; where none is needed it would do what only programs of this host are meant to.
  if (identified.via === 'anonymous') checkOrigin(headers, runtime.hosts)
  const { presented: key = '' } = identified
  const kept = withoutRepeats(withoutKey(x, withoutKeyHeaders(headers)), key)
  const known = grow(x, {
    principal: identified.principal,
    identifiedVia: identified.via,
    keyId: identified.key,
    headers: kept,
    query: withoutRepeatingFields(identified.keyInQuery ? withoutKeyFields(query) : query, key),
  })
  return x.operation.action === 'asked' ? grow(known, { headers: openIds(known, kept, runtime) }) : known
}

/** By what the caller is identified. A browser's WebSocket can set no header, so its key stands among the subprotocols. */
export function presented({ head, operation, route }: Routed): Omit<IdentifyInput, 'nowMs'> {
  const { headers, query, ip } = head
  const toolQuery = route.protocol.name === 'http'
  if (!isConversation(operation)) return { headers, query, toolQuery, ip }
  const { keyInSubprotocol } = operation.subprotocols
  const keys = offeredSubprotocols(headers).filter((name) => name.startsWith(keyInSubprotocol))
  const bearers = keys.flatMap((name) => ['authorization', `Bearer ${name.slice(keyInSubprotocol.length)}`])
  return { headers: keys.length === 0 ? headers : [...headers, ...bearers], query, toolQuery, ip }
}

function withoutKey({ operation }: Routed, headers: readonly string[]): readonly string[] {
  if (!isConversation(operation)) return headers
  const { keyInSubprotocol } = operation.subprotocols
  const offered = offeredSubprotocols(headers)
  const kept = offered.filter((name) => !name.startsWith(keyInSubprotocol))
  if (kept.length === offered.length) return headers
  const without = withoutHeaders(headers, subprotocolHeader)
  return kept.length === 0 ? without : [...without, 'sec-websocket-protocol', kept.join(', ')]
}

const subprotocolHeader = new Set(['sec-websocket-protocol'])
