// Owns every response that is not the upstream's: the only place where an error becomes one.
import { Fault } from '../../errors.ts'
import { retryAfterHeaders } from '../../limits/headers.ts'
import type { FaultView, Protocol, Refusal } from '../../protocol/protocol.ts'
import { httpProtocol } from '../../protocol/http.ts'
import type { Client } from '../client.ts'
import type { Ended, Exchange } from '../exchange.ts'
import { decisionHeaders } from '../headers.ts'
import { withLimits } from '../limit-headers.ts'
import type { Runtime } from '../runtime.ts'

/** A breaker or store that stays away longer than this is not worth an SDK's waiting. */
const retryAfterMsMax = 60_000

/** Does not throw: what cannot be said to the client ends in a broken connection. */
export function refuse(x: Exchange, runtime: Runtime, client: Client, error: unknown): void {
  const fault = faultOf(error, client)
  const ended = x as Ended
  ended.trace.fault = fault
  if (fault.code === 'internal') runtime.log.error({ request: x.id, err: fault.cause ?? fault }, 'exchange failed')
  try {
    answer(ended, runtime, fault, client)
  } catch (cause) {
    runtime.log.error({ request: x.id, err: cause }, 'refusal could not be sent')
    client.destroy()
  }
}

function answer(ended: Ended, runtime: Runtime, fault: Fault, client: Client): void {
  const protocol = ended.route?.protocol ?? httpProtocol
  if (client.headSent) return breakOff(ended, protocol, fault, client)
  // Until the head is out nothing was sent, whatever an upstream's status was to become.
  ended.trace.status = undefined
  if (client.gone || fault.code === 'client-aborted' || fault.code === 'client-stalled') {
    client.destroy()
    return
  }
  const refusal = protocol.refusal(view(ended, fault), ended.asked)
  client.start(refusal.status, refusalHeaders(ended, runtime, fault, refusal))
  ended.trace.status = refusal.status
  ended.trace.end = 'refused'
  client.end(ended.head.method === 'HEAD' ? undefined : refusal.body)
}

/** Whatever was thrown because the exchange was interrupted, the interruption is the reason. */
function faultOf(error: unknown, client: Client): Fault {
  if (client.signal.aborted && client.signal.reason instanceof Fault) return client.signal.reason
  return error instanceof Fault ? error : new Fault('internal', undefined, { cause: error })
}

/** The status is out: say it in-band where the format can, then break the connection so that nothing looks whole. */
function breakOff(x: Ended, protocol: Protocol, fault: Fault, client: Client): void {
  x.trace.end = 'broken-off'
  if (x.trace.streaming && !client.gone && fault.code !== 'client-stalled')
    client.breakOff(streamError(x, protocol, fault))
  else client.destroy()
}

function streamError(x: Ended, protocol: Protocol, fault: Fault): string {
  const seen = view(x, fault)
  return x.operation?.streamError?.(seen) ?? protocol.streamError(seen, x.asked)
}

export function view(x: Exchange, fault: Fault): FaultView {
  const { route } = x as Ended
  const preset = fault.kind === 'denied' ? route?.denyPreset : undefined
  return {
    code: fault.code,
    kind: fault.kind,
    status: preset === undefined ? fault.status : (route?.denyStatus ?? fault.status),
    message: fault.message,
    retry: fault.retry,
    requestId: x.id,
    ...(fault.details.rule === undefined ? undefined : { rule: fault.details.rule }),
    ...(fault.details.unparsed === undefined ? undefined : { unparsed: true }),
    ...(preset === undefined ? undefined : { preset }),
  }
}

function refusalHeaders(x: Ended, runtime: Runtime, fault: Fault, refusal: Refusal): string[] {
  const headers = Object.entries(refusal.headers).flat()
  headers.push(...decisionHeaders(x, fault))
  if (fault.retry === 'later') {
    headers.push(...retryAfterHeaders(Math.min(fault.details.retryAfterMs ?? 1_000, retryAfterMsMax)))
    // Some SDKs try a 503 again only when told so.
    if (fault.code === 'overloaded') headers.push('x-should-retry', 'true')
  } else if (fault.retry === 'never') {
    headers.push('x-should-retry', 'false')
  }
  // RFC 9110 §15.5.2, §15.5.6, §15.5.16: what would be accepted instead.
  if (fault.status === 401) headers.push('www-authenticate', 'Bearer')
  if (fault.code === 'method-unsupported') headers.push('allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
  if (fault.code === 'encoding-unsupported') headers.push('accept-encoding', 'identity, gzip, br, zstd')
  headers.push('content-length', String(Buffer.byteLength(refusal.body)))
  return withLimits(headers, x.limitStates ?? [], x.route?.protocol.name ?? 'http', runtime.clock.now())
}
