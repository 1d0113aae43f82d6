// Owns an operator's hand on breakers: `GET /v1/breakers`, `GET` and `POST /v1/breakers/{upstream}` with a mode, which holds
// for all breakers of the upstream. It does not know what an upstream is beyond them.
import { isObject, type Json } from '../lib/json.ts'
import type { BreakerState } from '../upstream/breaker.ts'
import { breakerModes, type BreakerMode, type BreakerPart } from '../upstream/breakers.ts'
import { refusal, type ApiRoute } from './api.ts'

/** Of one upstream. */
export interface Breaker {
  /** The worst of its parts, or what the mode makes of it. */
  state(): BreakerState
  parts(): readonly BreakerPart[]
  mode(): BreakerMode
  override(to: BreakerMode): void
}

export type Breakers = {
  readonly all: () => ReadonlyMap<string, Breaker>
  /** Told of each change, for the audit log. */
  readonly onChange: (upstream: string, mode: BreakerMode, ip: string) => void
}

export function breakersApi({ all, onChange }: Breakers): ApiRoute {
  return ({ method, segments, body, ip }) => {
    const [, upstream, ...more] = segments
    if (more.length > 0) return undefined
    if (upstream === undefined)
      return { status: 200, body: Object.fromEntries([...all()].map(([id, breaker]) => [id, shown(id, breaker)])) }
    const breaker = all().get(upstream)
    if (breaker === undefined) return refusal(404, 'there is no such upstream')
    if (method === 'POST') {
      const mode = modeIn(body)
      if (mode === undefined) return refusal(400, `the body must be {"mode": …} with one of ${breakerModes.join(', ')}`)
      breaker.override(mode)
      onChange(upstream, mode, ip)
    }
    return { status: 200, body: shown(upstream, breaker) }
  }
}

/** The part without a model hears whether the upstream can be reached; the model of requests that name none is empty. */
function shown(upstream: string, breaker: Breaker): Json {
  const parts = breaker.parts().map(({ group, state }) => ({
    upstream,
    ...(group === undefined ? undefined : { model: group }),
    state,
  }))
  return { state: breaker.state(), mode: breaker.mode(), parts }
}

function modeIn(body: Json | undefined): BreakerMode | undefined {
  if (!isObject(body) || Object.keys(body).some((name) => name !== 'mode')) return undefined
  return breakerModes.find((mode) => mode === body['mode'])
}
