// Owns the hand-over to the upstream. Only a Prepared exchange, which holds a Permit, gets here.
import { hash } from 'node:crypto'
import { appended } from '../../lib/appended.ts'
import { headerValue } from '../../lib/headers.ts'
import { lowerPriority } from '../../lib/priority.ts'
import { readOpening } from '../../protocol/opening.ts'
import { givesModelAnswer, type Operation } from '../../protocol/protocol.ts'
import type { UpstreamAnswer, UpstreamRequest } from '../../upstream/answer.ts'
import type { Client } from '../client.ts'
import { billedModel } from '../consumption.ts'
import { grow, noteUninspected, type Answered, type Prepared } from '../exchange.ts'
import { callerDeadlineMs } from '../deadline.ts'
import type { Runtime } from '../runtime.ts'
import { upgradeRequest } from '../sockets.ts'
import { sendAsking } from '../stream-usage.ts'

export async function dispatch(x: Prepared, runtime: Runtime, client: Client): Promise<Answered> {
  const startMs = runtime.clock.monotonic()
  if (x.operation.opaque === true) noteUninspected(x.trace, 'operation')
  if (x.body.form === 'unread') noteUninspected(x.trace, 'request:body')
  try {
    const answer =
      x.head.upgrade === undefined
        ? await send(x, runtime, client)
        : await x.route.upstream.open({ ...upgradeRequest(x, runtime), onPanic: onPanic(x, runtime) }, client.signal)
    x.trace.firstByteMs = runtime.clock.monotonic() - startMs
    return grow(x, { answer })
  } finally {
    x.trace.waitedMs += runtime.clock.monotonic() - startMs
  }
}

function send(x: Prepared, runtime: Runtime, client: Client): Promise<UpstreamAnswer> {
  const attempt = (): Promise<UpstreamAnswer> => x.route.upstream.send(requestOf(x, runtime, client), client.signal)
  const sent = x.outgoing.unasked === undefined ? attempt : () => sendAsking(x, runtime, attempt)
  return x.route.keepsAnswersMs === undefined ? sent() : sendOnce(x, runtime, client, x.route.keepsAnswersMs, sent)
}

/** Where the route keeps answers, the same key of the same caller gets the same answer. */
async function sendOnce(
  x: Prepared,
  runtime: Runtime,
  { signal }: Client,
  keepMs: number,
  sent: () => Promise<UpstreamAnswer>,
): Promise<UpstreamAnswer> {
  const { principal, route, head, operation, query, trace } = x
  const key = headerValue(x.headers, 'idempotency-key')
  if (key === undefined || operation.idempotent) return sent()
  const asked = {
    scope: JSON.stringify([principal.id, route.id, key.length > keyCharsMax ? hash('sha256', key) : key]),
    request: JSON.stringify([head.method, operation.path, query, trace.digestRequest]),
    keepMs,
    signal,
  }
  const answer = await runtime.replays.answer(asked, sent)
  if (answer.replayed === true)
    trace.attempts = appended(trace.attempts, { outcome: 'replayed', status: answer.status, waitedMs: 0 })
  return answer
}

/** Longer keys are kept as their digest. */
const keyCharsMax = 255

function requestOf(x: Prepared, runtime: Runtime, client: Client): UpstreamRequest {
  const { outgoing, operation, route } = x
  const keyed = keyedHeaders(x)
  return {
    method: x.head.method,
    path: outgoing.path,
    headers: keyed ?? outgoing.headers,
    body: x.body.form === 'unread' ? client.streamBody(runtime.limits.bodyBytesMax) : outgoing.body,
    priority: lowerPriority(x.principal.priority, route.priority),
    idempotent: operation.idempotent || keyed !== undefined || mayRepeat(x),
    onAttempt: (attempt) => {
      const made = route.targets === undefined ? attempt : { ...attempt, upstream: route.upstream.id }
      x.trace.attempts = appended(x.trace.attempts, made)
    },
    // What is asked for under two names is one model to the upstream, and rests as one.
    group: billedModel(x),
    headAtMs: callerDeadlineMs(x),
    standing: operation.standing === true,
    lasting: x.content?.stream === true,
    hedgeable: isHedgeable(x),
    onPanic: onPanic(x, runtime),
    readOpening: openingOf(operation),
  }
}

/** Each time that it is asked although its breaker is open is an opening like any other. */
function onPanic({ id, route, trace }: Prepared, { metrics, log }: Runtime): UpstreamRequest['onPanic'] {
  if (route.panics !== true) return undefined
  const upstream = route.upstream.id
  return () => {
    const what = `breaker:${upstream}`
    trace.open.push(what)
    metrics.failOpen(what)
    log.warn({ request: id, route: route.id, upstream }, 'all breakers are open: an upstream is asked all the same')
  }
}

function openingOf(operation: Operation): UpstreamRequest['readOpening'] {
  if (operation.openStream === undefined || !givesModelAnswer(operation)) return undefined
  return operation.framing === 'ndjson' ? lineOpening : eventOpening
}

const eventOpening = (bytes: Uint8Array) => readOpening(bytes, 'sse')
const lineOpening = (bytes: Uint8Array) => readOpening(bytes, 'ndjson')

/** What answers the same however often it is asked, and is nothing that anybody pays for by the word. */
function isHedgeable({ operation, head }: Prepared): boolean {
  return operation.name === 'embeddings' || (head.method === 'GET' && operation.standing !== true)
}

/**
 * Where the upstream honours keys, every request has one, the same in all attempts; undefined where it does not. All callers
 * are one to the upstream, so a caller's own key is made one that no other caller can name.
 */
function keyedHeaders({ id, route, outgoing, operation, principal, trace }: Prepared): readonly string[] | undefined {
  if (route.sendsKeys !== true || operation.idempotent) return undefined
  const sent = headerValue(outgoing.headers, 'idempotency-key')
  // With another body it is another request.
  const turn = trace.usageAsked === 'refused' ? ['unasked'] : []
  if (sent === undefined) return [...outgoing.headers, 'idempotency-key', [id, ...turn].join('-')]
  const { headers } = outgoing
  const scoped = hash('sha256', JSON.stringify([principal.id, sent, ...turn]), 'base64url')
  return headers.map((value, at) =>
    at % 2 === 1 && /^idempotency-key$/i.test(headers[at - 1] as string) ? scoped : value,
  )
}

/** By what the operator says of the path or the tool, or because the client says that the tool knows its key. */
function mayRepeat({ route, operation, actions, outgoing }: Prepared): boolean {
  if (operation.action === 'tool.call') {
    if (headerValue(outgoing.headers, 'idempotency-key') !== undefined) return true
    return route.mayRepeat?.(operation.path) === true
  }
  if (route.mayRepeat === undefined || operation.action !== 'asked') return false
  const tools = actions.flatMap(({ tool }) => (tool === undefined ? [] : [tool]))
  return tools.length > 0 && tools.every(route.mayRepeat)
}
