// Owns the proof that policy ran: only a set of allow decisions makes a Permit, and nothing goes upstream without one.
import type { Decision } from './decision.ts'

declare const granted: unique symbol

/** Cannot be written down by hand: the brand is not exported. */
export type Permit = { readonly decisions: readonly Decision[]; readonly [granted]: true }

/** Undefined unless there is at least one decision and every one allows. */
export function grant(decisions: readonly Decision[]): Permit | undefined {
  if (decisions.length === 0 || decisions.some((decision) => decision.effect !== 'allow')) return undefined
  return { decisions } as Permit
}
