// Owns the order in which the upstreams of a route are asked, and when the next one is. Each is judged anew by the stages
// that it is given; one that may not be asked is passed over, and what another has said before stands.
import { Fault } from '../errors.ts'
import type { UpstreamAnswer } from '../upstream/answer.ts'
import { billedModel } from './consumption.ts'
import { noCounts, type Answered, type Decoded, type Ended, type Trace } from './exchange.ts'
import type { Route, Runtime, Target } from './runtime.ts'
import { decisionFields, sentFields } from './outcome.ts'
import { refuseUnread } from './stages/decode.ts'

export type Ask = (x: Decoded) => Promise<Answered>

/** `ask` is the rest of the way to an answer. Nothing has reached the client before this returns. */
export function askInTurn(x: Decoded, runtime: Runtime, ask: Ask): Promise<Answered> {
  const { targets } = x.route
  return targets === undefined ? ask(x) : askEach(x, targets, runtime, ask)
}

async function askEach(x: Decoded, targets: readonly Target[], runtime: Runtime, ask: Ask): Promise<Answered> {
  const { ready, resting } = orderOf(targets, x, runtime)
  const turns = new Turns(x, runtime, ask)
  for (const route of ready) {
    const answered = await turns.take(route, route === ready.at(-1), resting !== undefined)
    if (answered !== undefined) return answered
  }
  return turns.last(resting)
}

/** What came of the turns of one exchange so far. */
class Turns {
  readonly #x: Decoded
  readonly #runtime: Runtime
  readonly #ask: Ask
  readonly #asked: Decoded
  #last: Came | undefined

  constructor(x: Decoded, runtime: Runtime, ask: Ask) {
    this.#x = x
    this.#runtime = runtime
    this.#ask = ask
    this.#asked = { ...x }
  }

  /** Undefined: the next is to be asked. A refusal is final, unless it only keeps from standing in for another. */
  async take(route: Route, isLast: boolean, someRest: boolean): Promise<Answered | undefined> {
    const x = this.#x
    const before = this.#last === undefined ? undefined : stateOf(x)
    try {
      const answered = await this.#aim(route)
      this.#giveUp(before)
      if (answered.answer.elsewhere !== true || isLast) return answered
      this.#last = { answered, answer: answered.answer }
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      if ((x as Ended).outgoing === undefined) {
        if (before === undefined && !(someRest && error.kind === 'denied')) throw error
        this.#passOver(error, before)
        return undefined
      }
      this.#giveUp(before)
      if (error.details.elsewhere !== true) throw error
      this.#last = { fault: error }
    }
    return undefined
  }

  /** What the last of those said that were asked; where none was, what the one says that is ready soonest. */
  last(resting: Route | undefined): Promise<Answered> | Answered {
    const last = this.#last
    if (last === undefined && resting !== undefined) return this.#aim(resting)
    if (last !== undefined && 'answered' in last) return last.answered
    throw last?.fault ?? new Fault('internal')
  }

  /** Everything is worked out anew from what was asked: what a stage put in its place for one upstream is not for another. */
  async #aim(route: Route): Promise<Answered> {
    const x = this.#x
    Object.assign(x, this.#asked, { route })
    Object.assign(x.trace, freshTrace())
    refuseUnread(x)
    return this.#ask(x)
  }

  /** Another was asked since, with whatever result: what came before is only for the record. */
  #giveUp(before: State | undefined): void {
    const last = this.#last
    if (last === undefined || before === undefined) return
    if ('answered' in last) last.answer.settle('neutral')
    const { route, decisions = [] } = before.fields
    for (const decision of decisions) this.#runtime.metrics.decision(decision)
    const upstream = route?.upstream.id ?? ''
    this.#x.trace.earlier.push({
      upstream,
      decisions: decisions.map(decisionFields),
      ...sentFields(upstream, before.trace, this.#x.trace),
    })
  }

  #passOver({ code, details }: Fault, before: State | undefined): void {
    const x: Ended = this.#x
    const { rule, limit } = details
    x.trace.earlier.push({
      upstream: x.route?.upstream.id ?? '',
      fault: code,
      ...(rule === undefined ? undefined : { rule }),
      ...(limit === undefined ? undefined : { limit }),
    })
    if (before === undefined) return
    Object.assign(x, before.fields)
    Object.assign(x.trace, before.trace)
  }
}

/** The answer itself, since the exchange moves on. */
type Came = { readonly answered: Answered; readonly answer: UpstreamAnswer } | { readonly fault: Fault }

/**
 * First one by weight, then the others as they are listed. Those that would refuse at once are left out; where all would,
 * `resting` is the one that is ready soonest, or the one that is asked all the same.
 */
function orderOf(
  targets: readonly Target[],
  { content }: Decoded,
  runtime: Runtime,
): { ready: Route[]; resting?: Route } {
  const groups = targets.map(({ route }) => billedModel({ content, route }) ?? '')
  const waits = targets.map(({ route }, index) => route.upstream.refusedMs(groups[index] as string))
  const open = targets.filter((_target, index) => waits[index] === 0)
  const ready = open.map(({ route }) => route)
  const chosen = byWeight(open, runtime.random)
  if (chosen !== undefined) ready.unshift(...ready.splice(ready.indexOf(chosen), 1))
  if (open.length === targets.length) return { ready }
  const soonest = waits.indexOf(Math.min(...waits.filter((wait) => wait > 0)))
  const panic = ready.length === 0 ? leastHeld(targets, groups) : undefined
  return { ready, resting: panic ?? (targets[soonest] as Target).route }
}

/** Where the route wants it: of those that only a breaker holds, the one that holds least long. */
function leastHeld(targets: readonly Target[], groups: readonly string[]): Route | undefined {
  let least: Route | undefined
  let leastMs = Infinity
  for (const [index, { panic }] of targets.entries()) {
    const heldMs = panic?.upstream.heldMs(groups[index] as string)
    if (heldMs === undefined || heldMs >= leastMs) continue
    least = panic
    leastMs = heldMs
  }
  return least
}

/** Fallbacks weigh nothing: they are asked when the others have failed. */
function byWeight(targets: readonly Target[], random: () => number): Route | undefined {
  let rest = random() * targets.reduce((sum, { weight }) => sum + weight, 0)
  const weighty = targets.filter(({ weight }) => weight > 0)
  for (const { route, weight } of weighty) {
    rest -= weight
    if (rest < 0) return route
  }
  return weighty.at(-1)?.route
}

/** The trace itself goes on, and so do what was admitted and what limits have said. */
type State = { readonly fields: Ended; readonly trace: SentTrace }

/** What the trace says of what one upstream was sent. */
type SentTrace = Pick<
  Trace,
  'redactedRequest' | 'observedRequest' | 'restoredRequest' | 'redactedAt' | 'digestForwarded' | 'usageAsked'
>

function freshTrace(): SentTrace {
  return {
    redactedRequest: noCounts,
    observedRequest: noCounts,
    restoredRequest: noCounts,
    redactedAt: [],
    digestForwarded: undefined,
    usageAsked: undefined,
  }
}

function stateOf(x: Ended): State {
  const { redactedRequest, observedRequest, restoredRequest, redactedAt, digestForwarded, usageAsked } = x.trace
  return {
    fields: { ...x },
    trace: { redactedRequest, observedRequest, restoredRequest, redactedAt, digestForwarded, usageAsked },
  }
}
