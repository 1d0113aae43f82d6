// Owns the question whether this caller may ask now. It runs before the body is read, so that a refused flood costs
// little; limits that must know the body are asked in reserve.ts.
import { Fault } from '../../errors.ts'
import { headerValue } from '../../lib/headers.ts'
import type { Admission, Demand, LimitState, LimitSubject } from '../../limits/limiter.ts'
import { hidesLength, nothingBut, settledOf } from '../consumption.ts'
import { grow, type Admitted, type Identified } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'

/** A promise only where a limit's store must be asked. */
export function admit(x: Identified, runtime: Runtime): Admitted | Promise<Admitted> {
  const admitted = grow(x, { admissions: [] as Admitted['admissions'], limitStates: [] as LimitState[] })
  const taken = take(runtime.limiter.admit(subject(x, runtime)), admitted, runtime)
  return taken === undefined ? admitted : taken.then(() => admitted)
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
 * The body is here whose length was not announced: what was reserved beyond it is free for others. What is counted once the
 * body is known (`reserve`) is told by itself.
 */
export function settleLength({ admissions, headers }: Admitted, { limiter }: Runtime, bytes: number): void {
  if (!limiter.countsBytes || !hidesLength(headers)) return
  for (const admission of admissions) if (admission.reserve === undefined) admission.settle?.(nothingBut(bytes))
}

/**
 * Another request within an exchange that stays open, counted and reserved like one by itself. Slots are only asked for: not
 * every conversation tells when an answer is over. To be settled by the caller.
 */
export async function admitAgain(x: Admitted, runtime: Runtime, demand: Demand): Promise<Admitted['admissions']> {
  // What it has used so far takes room from what is asked for now.
  for (const admission of x.admissions) admission.settle?.(settledOf(x, 0))
  const again: Admitted = { ...x, head: { ...x.head, upgrade: undefined }, admissions: [], limitStates: [] }
  try {
    await take(runtime.limiter.admit(subject(again, runtime)), again, runtime)
    const [head] = again.admissions
    if (head?.reserve !== undefined) await take(head.reserve(demand, x.route.upstream.id), again, runtime)
  } finally {
    for (const admission of again.admissions) admission.release()
  }
  return again.admissions
}

/** Keeps what was admitted with the exchange. Faults: what a limit refuses with. */
export function take(
  admission: Admission | Promise<Admission>,
  x: Admitted,
  runtime: Runtime,
): undefined | Promise<void> {
  if (admission instanceof Promise) return admission.then((taken) => keep(taken, x, runtime))
  keep(admission, x, runtime)
  return undefined
}

function keep(admission: Admission, x: Admitted, runtime: Runtime): void {
  for (const what of admission.open) open(x, runtime, what)
  x.limitStates.push(...admission.states)
  if (!admission.ok) throw refusal(admission, x, runtime)
  for (const limit of admission.exceeded) note(x.trace.limitsExceeded, limit)
  x.admissions.push(admission)
}

/** Once: a conversation asks again for each of its answers. */
function note(list: string[], what: string): void {
  if (!list.includes(what)) list.push(what)
}

function subject(x: Identified, { limiter, limits }: Runtime): LimitSubject {
  const { principal, route } = x
  return {
    principal: principal.id,
    org: principal.org,
    team: principal.team,
    roles: principal.roles,
    ip: x.head.ip,
    route: route.id,
    upstream: route.upstream.id,
    severalUpstreams: route.targets !== undefined,
    bytes: limiter.countsBytes ? announced(x, limits.bodyBytesMax) : undefined,
    standing: x.operation.standing === true || x.head.upgrade !== undefined,
  }
}

/** Where no length is said, it is the most that there may be: nothing comes in unseen. */
function announced({ headers }: Identified, bodyBytesMax: number): number {
  if (hidesLength(headers)) return bodyBytesMax
  const length = Number(headerValue(headers, 'content-length') ?? 0)
  return Number.isSafeInteger(length) ? length : 0
}

function open(x: Admitted, runtime: Runtime, what: string): void {
  note(x.trace.open, what)
  runtime.metrics.failOpen(what)
}

function refusal(refused: Extract<Admission, { ok: false }>, { headers }: Admitted, runtime: Runtime): Fault {
  runtime.metrics.rateLimited(refused.limit)
  const { code, limit, retryAfterMs } = refused
  const assumed =
    runtime.limiter.countsBytes && hidesLength(headers)
      ? ' The request does not say how long its body is, so the longest that may be was assumed.'
      : ''
  return new Fault(code, message(refused) + assumed, { limit, retryAfterMs })
}

function message({ code, limit, retryAfterMs, tooLarge }: Extract<Admission, { ok: false }>): string {
  const wait = Math.ceil(retryAfterMs / 1000)
  if (tooLarge === true) return `The request may need more than limit ${limit} ever allows at once.`
  switch (code) {
    case 'price-unknown':
      return `The price of the model is not known, and limit ${limit} counts costs.`
    case 'quota-exhausted':
      return `The quota of limit ${limit} is used up; it is renewed in ${lasting(wait)}.`
    case 'concurrency-limited':
      return `Too many requests at the same time (limit ${limit}).`
    case 'store-unavailable':
      return `The store of limit ${limit} cannot be reached, and the limit says deny.`
    default:
      return `Rate limit reached (limit ${limit}); try again in ${wait} s.`
  }
}

/** Of a month that has just begun, seconds would be seven figures. */
function lasting(seconds: number): string {
  const hours = Math.ceil(seconds / 3600)
  if (hours <= 1) return `${seconds} s`
  return hours <= 48 ? `${hours} hours` : `${Math.ceil(hours / 24)} days`
}
