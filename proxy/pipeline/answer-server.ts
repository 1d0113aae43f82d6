// Owns the answers that a server gets in the client's place: when what it asked of the client was denied, so that the
// client never saw the question, and when the client's own answer was. Nobody else would answer, and it would wait.
import { Fault } from '../errors.ts'
import { headerValue } from '../lib/headers.ts'
import type { Answered, Ended, Exchange, Routed } from './exchange.ts'
import type { Runtime } from './runtime.ts'
import { sessionHeader } from './session.ts'
import { view } from './stages/refuse.ts'
import { hasFindings } from './target.ts'

export function answerServer(x: Answered, runtime: Runtime, id: string | number, fault: Fault): void {
  send(x, runtime, id, fault, x.outgoing)
}

/**
 * Nothing of what the client has said goes along, so it needs no permit; it goes to a session only, which the same caller
 * was let open. Other refusals than denials are no decision about the answer, and a limit is there to be kept.
 */
export function answerForClient(x: Exchange, runtime: Runtime, error: unknown): void {
  const { asked, route, headers, query, targetFindings, permit } = x as Ended
  if (asked?.answers === undefined || !(error instanceof Fault) || error.kind !== 'denied' || permit !== undefined)
    return
  if (route === undefined || headers === undefined || headerValue(headers, sessionHeader) === undefined) return
  // The query would have to be redacted first.
  if (targetFindings === undefined || hasFindings(targetFindings)) return
  const path = route.upstreamPath === '' ? '/' : route.upstreamPath
  const outgoing = { path: query === undefined || query === '' ? path : `${path}?${query}`, headers }
  send(x as Routed, runtime, asked.answers, error, outgoing)
}

/** Sent on the session of the exchange and not waited for: that the server may not hear it changes nothing for the client. */
function send(
  x: Routed,
  runtime: Runtime,
  id: string | number,
  fault: Fault,
  { path, headers }: { readonly path: string; readonly headers: readonly string[] },
): void {
  const { body } = x.route.protocol.refusal(view(x, fault), { operation: 'denied', id, acts: [] })
  const request = { method: 'POST', path, headers: headersFor(headers), body: Buffer.from(body), idempotent: false }
  const stop = new AbortController()
  const timer = runtime.clock.after(answerTimeoutMs, () => stop.abort())
  x.route.upstream
    .send(request, stop.signal)
    .then((answer) => answer.settle('neutral'))
    .catch((error: unknown) => runtime.log.warn({ request: x.id, err: error }, 'a server was not told of a denial'))
    .finally(() => timer.cancel())
}

const kept = [sessionHeader, 'mcp-protocol-version'] as const

function headersFor(outgoing: readonly string[]): string[] {
  const headers = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream']
  for (const name of kept) {
    const value = headerValue(outgoing, name)
    if (value !== undefined) headers.push(name, value)
  }
  return headers
}

/** It says no more than that it has heard. Nothing else ends the request, and a shutdown waits for it. */
const answerTimeoutMs = 5000
