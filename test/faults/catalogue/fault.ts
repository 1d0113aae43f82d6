// Owns the shape of a fault in the catalogue: what is done, and how calls may end then. Every run checks the invariants
// besides (chaos.test.ts); the table in the README beside is written from here.
import type { Ending } from '../../support/chaos-calls.ts'
import type { Mood } from '../../support/chaos-model.ts'
import type { Links } from '../../support/fault-proxy.ts'

export type Fault = {
  /** Also the name of its route and upstream. */
  readonly id: string
  /** A sentence for the table. */
  readonly what: string
  /** How calls may end; each of them at least once, unless it is in `also`. */
  readonly ends: readonly Ending[]
  readonly also?: readonly Ending[]
}

export type LinkFault = Fault & {
  readonly links?: Links
  readonly mood?: Mood
  /** The link is closed altogether. */
  readonly down?: true
  /** It shows only by what does not come, so timeouts are short; elsewhere a slow machine must not meet them. */
  readonly silent?: true
}
