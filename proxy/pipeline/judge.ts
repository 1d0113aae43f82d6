// Owns the judging of a request that is not really made: the same stages as in pipeline.ts up to the permit, for policy
// tests and explanations. Nothing is sent, counted or recorded.
import { Fault } from '../errors.ts'
import type { Principal } from '../identity/principal.ts'
import type { Decision } from '../policy/decision.ts'
import type { Client } from './client.ts'
import { grow, openExchange, type Decided, type Exchange, type RequestHead } from './exchange.ts'
import type { Runtime } from './runtime.ts'
import { queryOf } from './query.ts'
import { decide } from './stages/decide.ts'
import { decode } from './stages/decode.ts'
import { inspect } from './stages/inspect.ts'
import { recall } from './stages/recall.ts'
import { oblige } from './stages/oblige.ts'
import { route } from './stages/route.ts'
import { stopIfBlocked } from './stages/enforce.ts'
import { grant } from '../policy/permit.ts'
import type { Query } from '../policy/query.ts'

export type Judged = {
  /** The first that does not allow, else the last. Absent when a fault came before any decision. */
  readonly decision?: Decision
  /** What the policy was asked. */
  readonly queries: readonly Query[]
  readonly redactions: Readonly<Record<string, number>>
  readonly fault?: Fault
}

export async function judge(
  head: RequestHead,
  body: Uint8Array | undefined,
  principal: Principal,
  runtime: Runtime,
): Promise<Judged> {
  const x = openExchange('req_dry', head, runtime.clock.monotonic())
  try {
    const decided = await decideDry(x, body, principal, runtime)
    const queries = decided.actions.map((action) => queryOf(decided, runtime, action, decided.findingCounts))
    const decision = decided.decisions.find(({ effect }) => effect !== 'allow') ?? decided.decisions.at(-1)
    return { ...(decision === undefined ? undefined : { decision }), queries, ...redacted(decided, runtime) }
  } catch (error) {
    if (error instanceof Fault) return { queries: [], redactions: {}, fault: error }
    throw error
  }
}

async function decideDry(
  x: Exchange,
  body: Uint8Array | undefined,
  principal: Principal,
  runtime: Runtime,
): Promise<Decided> {
  const routed = route(x, runtime)
  const identified = grow(routed, {
    principal,
    identifiedVia: 'dry',
    keyId: undefined,
    headers: x.head.headers,
    query: x.head.query,
  })
  const admitted = grow(identified, { admissions: [], limitStates: [] })
  const recalled = await recall(await decode(admitted, runtime, new BodyOnly(body)), runtime)
  // No external detector is asked: nothing here leaves the process.
  const inspected = inspect(grow(recalled, { inquiry: undefined }))
  return decide(inspected, runtime)
}

/** A denied request is not redacted: nothing of it would leave. */
function redacted(x: Decided, runtime: Runtime): Pick<Judged, 'redactions' | 'fault'> {
  const permit = grant(x.decisions)
  if (permit === undefined) return { redactions: {} }
  try {
    stopIfBlocked(x)
  } catch (error) {
    if (error instanceof Fault) return { redactions: {}, fault: error }
    throw error
  }
  oblige(grow(x, { permit }), runtime)
  return { redactions: Object.fromEntries(x.trace.redactedRequest) }
}

/** A client that has a body and nothing else. */
class BodyOnly implements Client {
  readonly signal = new AbortController().signal
  readonly gone = false
  readonly headSent = false
  readonly bytesIn = 0
  readonly bytesOut = 0
  readonly hasBody: boolean
  readonly #body: Uint8Array

  constructor(body: Uint8Array | undefined) {
    this.hasBody = body !== undefined
    this.#body = body ?? new Uint8Array()
  }

  readBody(): Promise<Uint8Array> {
    return Promise.resolve(this.#body)
  }

  async *streamBody(): AsyncGenerator<Uint8Array> {
    yield this.#body
  }

  start(): void {}
  flush(): void {}
  write(): undefined {}
  end(): void {}
  flushed(): undefined {}
  destroy(): void {}
  breakOff(): void {}
}
