// Owns the interface to what counts: many counts are taken together or not at all, and put right later.
import type { Window } from './window.ts'

/** One count to take. `amount` is what is counted now; with none it is only asked whether there is room at all. */
export type Charge = {
  readonly namespace: string
  readonly key: string
  readonly quota: number
  readonly window: Window
  readonly amount: number
  /** Counted, whatever is used already. */
  readonly shadow?: true
}

/**
 * `used` includes the charge when it was admitted. `resetMs` is the time until nothing is used any more, or a whole window
 * before one began; `waitMs` until the charge would fit, nothing else coming in between. `mark` is what put it right.
 */
export type Count = {
  readonly used: number
  readonly resetMs: number
  readonly waitMs: number
  readonly mark: number
}

/** One count for each charge, in their order. Not admitted: nothing was counted anywhere. */
export type Taken = { readonly admitted: boolean; readonly counts: readonly Count[] }

/**
 * What is added to a count that was taken, or taken from it. What is taken away is only taken from the window in which it
 * was counted; what is added counts in the current one where that is over, so that nothing is used unseen.
 */
export type Correction = {
  readonly namespace: string
  readonly key: string
  readonly window: Window
  readonly mark: number
  readonly delta: number
}

/** No charge of this amount can ever fit. */
export function isTooLarge({ amount, quota, shadow }: Charge): boolean {
  return amount > quota && shadow !== true
}
