// Owns what limits would do to one and the same request again and again, for tests of policies: nothing is counted that
// outlives the question, and no time passes.
import type { Clock } from '../lib/clock.ts'
import type { LimitPlan } from './compile.ts'
import type { Admission, Demand, LimitSubject } from './limiter.ts'
import { openLimiter } from './open-limiter.ts'
import { openStore } from './store.ts'

/** `applies`: ids of the limits that count it. `passes`: how many go through at once; `stops`: the limit that ends it. */
export type DryLimits = { readonly applies: readonly string[]; readonly passes: number; readonly stops?: string }

/** Above this a limit is as good as none to whoever writes a case. */
export const passesMax = 10_000

export async function tryLimits(
  plan: LimitPlan,
  subject: LimitSubject,
  demand: Demand,
  timeMs: number,
): Promise<DryLimits> {
  const clock: Clock = { now: () => timeMs, monotonic: () => 0, after: () => ({ cancel: () => undefined }) }
  const store = openStore({ replicas: 1 }, { clock, onEvent: () => undefined, resolveSecret: () => '' })
  const limiter = openLimiter(plan, store)
  const ask = async (): Promise<Admission> => {
    const head = await limiter.admit(subject)
    if (!head.ok || head.reserve === undefined) return head
    const body = await head.reserve(demand)
    if (!body.ok) head.release()
    return body.ok ? { ...body, release: () => (head.release(), body.release()) } : body
  }
  let applies: readonly string[] = []
  for (let passes = 0; passes < passesMax; passes++) {
    const admission = await ask()
    if (passes === 0) applies = [...new Set(admission.states.map(({ limit }) => limit))]
    if (!admission.ok) return { applies, passes, stops: admission.limit }
    // One after the other: what is in flight at once is another question.
    admission.release()
  }
  return { applies, passes: passesMax }
}
