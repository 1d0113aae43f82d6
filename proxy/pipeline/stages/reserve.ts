// Owns the question whether there is room for what was decided to be allowed: limits that must know the body are asked now,
// with all others of the request in one step, and what it may use is reserved.
import { demandOf } from '../consumption.ts'
import { grow, type Decided } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'
import { take } from './admit.ts'

/** A promise only where a limit's store must be asked. */
export function reserve(x: Decided, runtime: Runtime): void | Promise<void> {
  const [admission] = x.admissions
  if (admission?.reserve === undefined) return undefined
  // Only what is said of the upstream that is asked now; what was said of the one before stands where this one is passed over.
  grow(x, { limitStates: [] })
  return take(admission.reserve(demandOf(x), x.route.upstream.id), x, runtime)
}
