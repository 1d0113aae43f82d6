// Owns the asking of external detectors about the request, before anybody looks into it. Where none is needed the stage
// does nothing.
import { Fault } from '../../errors.ts'
import { grow, type Consulted, type Recalled } from '../exchange.ts'
import { headerTexts } from '../header-redaction.ts'
import { Inquiry } from '../inquiry.ts'
import type { Route, Runtime } from '../runtime.ts'
import { isConversation } from '../sockets.ts'
import { hasTarget, targetTexts } from '../target.ts'

/**
 * Fault `detector-unavailable`, and `operation-unsupported` for an answer that is to be streamed past a detector that
 * cannot follow.
 */
export function consult(from: Recalled & Partial<Consulted>, runtime: Runtime): Consulted | Promise<Consulted> {
  const { request, answer } = from.route
  if (request.inquirers.length === 0 && answer.inquirers.length === 0) return grow(from, { inquiry: undefined })
  return ask(from, runtime)
}

async function ask(from: Recalled & Partial<Consulted>, runtime: Runtime): Promise<Consulted> {
  // The messages of a conversation are one exchange.
  const inquiry = from.inquiry ?? new Inquiry(from, runtime)
  const x = grow(from, { inquiry, route: inquiry.route })
  if (isConversation(x.operation)) refuseConversation(x.route)
  else if (x.content?.stream === true) refuseStream(x.route)
  await inquiry.ask('request', textsOf(x))
  return x
}

/** Of a stream nothing is whole until it is over, and a name may be split over any number of its events. */
export function refuseStream(route: Route): void {
  refuseUnless(route, (onStream) => onStream !== 'deny', 'streams; ask for the answer as a whole')
}

export function refuseConversation(route: Route): void {
  refuseUnless(route, (onStream) => onStream === 'skip', 'conversations over a WebSocket')
}

function refuseUnless({ answer }: Route, mayPass: (onStream: string) => boolean, what: string): void {
  const stopping = answer.inquirers.find(
    ({ external }) => answer.mustAsk.has(external.id) && !mayPass(external.onStream),
  )
  if (stopping === undefined) return
  throw new Fault('operation-unsupported', `The detector ${stopping.external.id} cannot look into ${what}.`)
}

function textsOf(x: Recalled): string[] {
  const target = hasTarget(x.operation) ? targetTexts({ path: x.operation.path, query: x.query }) : []
  const headers = x.route.request.headers === undefined ? [] : headerTexts(x.headers)
  return [...(x.content?.parts ?? []).map(({ text }) => text), ...target, ...headers]
}
