// Owns the answer that a server gets when something it asked of the client was denied. The client never saw the question,
// so nobody else would answer it.
import { headerValue } from '../lib/headers.ts'
import type { Fault } from '../errors.ts'
import type { Answered } from './exchange.ts'
import type { Runtime } from './runtime.ts'
import { view } from './stages/refuse.ts'

/** Sent on the session of the exchange and not waited for: that the server may not hear it changes nothing for the client. */
export function answerServer(x: Answered, runtime: Runtime, id: string | number, fault: Fault): void {
  const { body } = x.route.protocol.refusal(view(x, fault), { operation: 'denied', id, acts: [] })
  const request = {
    method: 'POST',
    path: x.outgoing.path,
    headers: headersFor(x),
    body: Buffer.from(body),
    idempotent: false,
  }
  const stop = new AbortController()
  const timer = runtime.clock.after(answerTimeoutMs, () => stop.abort())
  x.route.upstream
    .send(request, stop.signal)
    .then((answer) => answer.settle('neutral'))
    .catch((error: unknown) => runtime.log.warn({ request: x.id, err: error }, 'a server was not told of a denial'))
    .finally(() => timer.cancel())
}

const kept = ['mcp-session-id', 'mcp-protocol-version'] as const

function headersFor(x: Answered): string[] {
  const headers = ['content-type', 'application/json', 'accept', 'application/json, text/event-stream']
  for (const name of kept) {
    const value = headerValue(x.outgoing.headers, name)
    if (value !== undefined) headers.push(name, value)
  }
  return headers
}

/** It says no more than that it has heard. Nothing else ends the request, and a shutdown waits for it. */
const answerTimeoutMs = 5000
