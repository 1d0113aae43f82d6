// Owns what everything that a configuration opens is given: time, chance, secrets, and whom to tell.
import type { Logger } from 'pino'
import type { Clock } from '../lib/clock.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import type { Metrics } from '../pipeline/metrics.ts'

export type Surroundings = {
  readonly clock: Clock
  readonly random: () => number
  readonly metrics: Metrics
  readonly log: Logger
  readonly resolveSecret: ResolveSecret
}
