// Owns the question whether this caller may ask now. It runs before the body is read, so that a refused flood costs
// little; limits that count by model are asked once the model is known.
import { Fault } from '../../errors.ts'
import type { Admission, LimitState, LimitSubject } from '../../limits/limiter.ts'
import { grow, type Admitted, type Identified } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'

/** A promise only where a limit's store must be asked. */
export function admit(x: Identified, runtime: Runtime): Admitted | Promise<Admitted> {
  const admitted = grow(x, { admissions: [] as Admitted['admissions'], limitStates: [] as LimitState[] })
  return take('head', admitted, runtime, undefined)
}

/** The limits that count by model, if the route has such. Called from enforce.ts. */
export function admitModel(x: Admitted, runtime: Runtime, model: string | undefined): Admitted | Promise<Admitted> {
  return take('body', x, runtime, model)
}

/** Of a request for a stream that stays open, once that is known. Called from enforce.ts. */
export function letStand(x: Admitted, runtime: Runtime): void {
  for (const admission of x.admissions) {
    const limit = admission.stand()
    if (limit === undefined) continue
    runtime.metrics.rateLimited(limit)
    throw new Fault('concurrency-limited', `Too many streams stay open at the same time (limit ${limit}).`, { limit })
  }
}

/**
 * Another request within an exchange that stays open. It is counted like one by itself, but nothing tells when it is over,
 * so slots are only asked for.
 */
export async function admitAgain(x: Admitted, runtime: Runtime, model: string | undefined): Promise<void> {
  const again: Admitted = { ...x, head: { ...x.head, upgrade: undefined }, admissions: [], limitStates: [] }
  try {
    await take('head', again, runtime, undefined)
    if (x.route.limitsByModel) await take('body', again, runtime, model)
  } finally {
    for (const admission of again.admissions) admission.release()
  }
}

function take(
  phase: 'head' | 'body',
  x: Admitted,
  runtime: Runtime,
  model: string | undefined,
): Admitted | Promise<Admitted> {
  const admission = runtime.limiter.admit(phase, subject(x, model))
  return admission instanceof Promise
    ? admission.then((asked) => settle(asked, x, runtime))
    : settle(admission, x, runtime)
}

function settle(admission: Admission, x: Admitted, runtime: Runtime): Admitted {
  for (const what of admission.open) open(x, runtime, what)
  x.limitStates.push(...admission.states)
  if (!admission.ok) throw refusal(admission, runtime)
  x.admissions.push(admission)
  return x
}

function subject(x: Identified, model: string | undefined): LimitSubject {
  const { principal, route } = x
  return {
    principal: principal.id,
    ip: x.head.ip,
    route: route.id,
    upstream: route.upstream.id,
    ...(principal.org === undefined ? undefined : { org: principal.org }),
    ...(principal.team === undefined ? undefined : { team: principal.team }),
    ...(model === undefined ? undefined : { model }),
    ...(x.operation.standing === true || x.head.upgrade !== undefined ? ({ standing: true } as const) : undefined),
  }
}

function open(x: Admitted, runtime: Runtime, what: string): void {
  x.trace.open.push(what)
  runtime.metrics.failOpen(what)
}

function refusal(refused: Extract<Admission, { ok: false }>, runtime: Runtime): Fault {
  runtime.metrics.rateLimited(refused.limit)
  const { code, limit, retryAfterMs } = refused
  return new Fault(code, message(code, limit, retryAfterMs), { limit, retryAfterMs })
}

function message(code: string, limit: string, retryAfterMs: number): string {
  const wait = Math.ceil(retryAfterMs / 1000)
  switch (code) {
    case 'quota-exhausted':
      return `The quota of limit ${limit} is used up; it is renewed in ${wait} s.`
    case 'concurrency-limited':
      return `Too many requests at the same time (limit ${limit}).`
    case 'store-unavailable':
      return `The store of limit ${limit} cannot be reached, and the limit says deny.`
    default:
      return `Rate limit reached (limit ${limit}); try again in ${wait} s.`
  }
}
