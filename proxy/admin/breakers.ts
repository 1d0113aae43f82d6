// Owns an operator's hand on breakers: `GET /v1/breakers`, `GET` and `POST /v1/breakers/{upstream}` with a mode. It does
// not know what an upstream is beyond its breaker.
import { isObject, type Json } from '../lib/json.ts'
import { breakerModes, type BreakerMode, type BreakerState } from '../upstream/breaker.ts'
import { refusal, type ApiRoute } from './api.ts'

export interface Breaker {
  state(): BreakerState
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
    if (upstream === undefined) {
      if (method === 'POST') return refusal(405, 'POST goes to /v1/breakers/{upstream}')
      return { status: 200, body: Object.fromEntries([...all()].map(([id, breaker]) => [id, shown(breaker)])) }
    }
    const breaker = all().get(upstream)
    if (breaker === undefined) return refusal(404, 'there is no such upstream')
    if (method === 'POST') {
      const mode = modeIn(body)
      if (mode === undefined) return refusal(400, `the body must be {"mode": …} with one of ${breakerModes.join(', ')}`)
      breaker.override(mode)
      onChange(upstream, mode, ip)
    }
    return { status: 200, body: shown(breaker) }
  }
}

function shown(breaker: Breaker): { state: string; mode: string } {
  return { state: breaker.state(), mode: breaker.mode() }
}

function modeIn(body: Json | undefined): BreakerMode | undefined {
  if (!isObject(body) || Object.keys(body).some((name) => name !== 'mode')) return undefined
  return breakerModes.find((mode) => mode === body['mode'])
}
