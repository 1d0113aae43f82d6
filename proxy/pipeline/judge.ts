// Owns the judging of a request that is not really made: the same stages as in pipeline.ts up to the permit, for policy
// tests and explanations. Nothing is sent, counted or recorded.
import { Fault } from '../errors.ts'
import type { Principal } from '../identity/principal.ts'
import type { Decision } from '../policy/decision.ts'
import type { Question } from '../policy/explain.ts'
import type { Client } from './client.ts'
import { grow, openExchange, type Decided, type Exchange, type RequestHead } from './exchange.ts'
import type { Runtime } from './runtime.ts'
import { isListing } from './listing.ts'
import { offerQueries } from './offers.ts'
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

/** One action of the request, or one tool that it offers. */
export type Judgement = {
  /** What the policy was asked. */
  readonly query: Query
  /** `ever`: for a listing, whether some such action may be allowed. */
  readonly question: Question
  /** What becomes of it; of a listing as a whole. */
  readonly decision: Decision
  /** What the rules alone say, where something else denies what they allow. */
  readonly byRules?: Decision
}

export type Judged = {
  /** What the client is told: the first that does not allow, else the last; a denial where a fault came before any. */
  readonly decision: Decision
  /** Actions, then offers. Empty when a fault came before any decision. */
  readonly judgements: readonly Judgement[]
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
  const decided = await decideDry(x, body, principal, runtime).catch(faultOnly)
  if (decided instanceof Fault) return refusedBy(decided)
  const fault = blockOrRedact(decided, runtime)
  const actions = judgementsOf(decided, runtime)
  const offers = offersOf(decided, runtime)
  if (fault !== undefined) {
    const denied = actions.map((one) => ({ ...one, decision: denialBy(fault, one.decision), byRules: one.decision }))
    return { ...refusedBy(fault, decided.decisions.at(-1)), judgements: [...denied, ...offers] }
  }
  const decision = decided.decisions.find(({ effect }) => effect !== 'allow') ?? decided.decisions.at(-1)
  if (decision === undefined) return refusedBy(new Fault('internal'))
  const redactions = Object.fromEntries(x.trace.redactedRequest)
  return { decision, judgements: [...actions, ...offers], redactions }
}

/** A request that no rule was asked about. */
export function refusedBy(fault: Fault, byRules?: Decision): Judged {
  return { decision: denialBy(fault, byRules), judgements: [], redactions: {}, fault }
}

function denialBy({ code, message, details: { rule } }: Fault, byRules: Decision | undefined): Decision {
  return {
    effect: 'deny',
    ...(rule === undefined ? undefined : { rule }),
    reason: message,
    code,
    matched: byRules?.matched ?? [],
    unevaluable: byRules?.unevaluable ?? [],
  }
}

function judgementsOf(x: Decided, runtime: Runtime): Judgement[] {
  const question = isListing(x) ? 'ever' : 'now'
  return x.actions.flatMap((action, at) => {
    // A listing is decided as a whole, of whatever it lists.
    const decision = x.decisions[question === 'ever' ? 0 : at]
    return decision === undefined
      ? []
      : [{ query: queryOf(x, runtime, action, x.findingCounts), question, decision } as const]
  })
}

/** What is withheld of them withholds nothing else. */
function offersOf(x: Decided, runtime: Runtime): Judgement[] {
  if (x.operation.action === 'asked') return []
  const queries = (x.content?.tools ?? []).flatMap((tool) => offerQueries(x, runtime, tool))
  return queries.map((query) => ({ query, question: 'now', decision: runtime.policy.evaluate(query) }))
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

/** A denied request is neither blocked nor redacted: nothing of it would leave. */
function blockOrRedact(x: Decided, runtime: Runtime): Fault | undefined {
  const permit = grant(x.decisions)
  if (permit === undefined) return undefined
  try {
    stopIfBlocked(x)
    oblige(grow(x, { permit }), runtime)
    return undefined
  } catch (error) {
    return faultOnly(error)
  }
}

function faultOnly(error: unknown): Fault {
  if (error instanceof Fault) return error
  throw error
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
