// Owns the question whether the gateway has time for this caller now. It comes before limits and body, so that what is
// refused costs little.
import { Fault } from '../../errors.ts'
import { lowerPriority, type Priority } from '../../lib/priority.ts'
import type { Identified } from '../exchange.ts'
import type { Runtime } from '../runtime.ts'

export function shed({ principal, route, trace }: Identified, { shedder, metrics, random }: Runtime): void {
  if (shedder === undefined) return
  const priority = lowerPriority(principal.priority, route.priority)
  const signal = shedder.refuses(priority)
  if (signal === undefined) return
  metrics.shed(priority, signal)
  trace.shed = { priority, signal }
  throw new Fault('overloaded', `The gateway is overloaded; requests of priority ${priority} are refused for now.`, {
    // Spread, so that they do not all come back together.
    retryAfterMs: retryAfterMs[priority] * (0.75 + random() / 2),
  })
}

const retryAfterMs: Readonly<Record<Priority, number>> = { low: 10_000, normal: 5_000, high: 2_000, critical: 1_000 }
