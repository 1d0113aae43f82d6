// Owns the hand-over to the upstream. Only a Prepared exchange, which holds a Permit, gets here.
import type { Client } from '../client.ts'
import { grow, type Answered, type Prepared } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { upgradeRequest } from '../sockets.ts'

export async function dispatch(x: Prepared, runtime: Runtime, client: Client): Promise<Answered> {
  const { outgoing, operation } = x
  const startMs = runtime.clock.monotonic()
  const body = x.body.form === 'unread' ? client.streamBody(runtime.limits.bodyBytesMax) : outgoing.body
  if (operation.opaque === true) x.trace.uninspected.add('operation')
  if (x.body.form === 'unread') x.trace.uninspected.add('request:body')
  try {
    if (x.head.upgrade !== undefined)
      return grow(x, { answer: await x.route.upstream.open(upgradeRequest(x, runtime), client.signal) })
    const answer = await x.route.upstream.send(
      {
        method: x.head.method,
        path: outgoing.path,
        headers: outgoing.headers,
        body,
        idempotent: operation.idempotent,
        onAttempt: (attempt) => void x.trace.attempts.push(attempt),
        ...(x.content?.model === undefined ? undefined : { group: x.content.model }),
      },
      client.signal,
    )
    return grow(x, { answer })
  } finally {
    x.trace.firstByteMs = runtime.clock.monotonic() - startMs
    x.trace.waitedMs += x.trace.firstByteMs
  }
}
