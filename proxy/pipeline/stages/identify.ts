// Owns the question who is asking. From here on the agent's key is in no header and no query of this exchange.
import { Fault } from '../../errors.ts'
import { stripCredentials } from '../../identity/credentials.ts'
import { grow, type Identified, type Routed } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { openIds } from '../session.ts'

export function identify(x: Routed, runtime: Runtime): Identified {
  const { headers, query, ip } = x.head
  const identified = runtime.authenticator.authenticate({ headers, query, ip, nowMs: runtime.clock.now() })
  if (!identified.ok) throw new Fault(identified.code, identified.message)
  const stripped = stripCredentials(headers, query)
  const known = grow(x, {
    principal: identified.principal,
    identifiedVia: identified.via,
    keyId: identified.key,
    headers: stripped.headers,
    query: stripped.query,
  })
  return x.operation.action === 'asked' ? grow(known, { headers: openIds(known, stripped.headers, runtime) }) : known
}
