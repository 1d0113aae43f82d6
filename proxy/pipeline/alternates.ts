// Owns what becomes of the other models that a request lets answer, or asks beside the one that it names: those that the
// caller may not call are taken out, and the call goes on without them.
import type { Edit } from '../lib/edit.ts'
import type { Alternate } from '../protocol/content.ts'
import type { Inspected } from './exchange.ts'
import { otherModelQuery } from './query.ts'
import type { Runtime } from './runtime.ts'

export function withheldModels(x: Inspected, runtime: Runtime): Alternate[] {
  const alternates = x.content?.alternates ?? []
  return alternates.filter(
    ({ model }) => runtime.policy.evaluate(otherModelQuery(x, runtime, model)).effect !== 'allow',
  )
}

/** A list of which nothing is left goes as a whole. */
export function alternateEdits(alternates: readonly Alternate[], withheld: readonly Alternate[]): readonly Edit[] {
  if (withheld.length === 0) return nothing
  if (withheld.length < alternates.length) return withheld.map(({ address }) => ({ address, remove: true }))
  const members = new Set(withheld.map(({ address }) => address.path[0] ?? ''))
  return Array.from(members, (member) => ({ address: { path: [member] }, remove: true }))
}

// Most requests name one model.
const nothing: readonly Edit[] = []
