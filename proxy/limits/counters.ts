// Owns the interface to what counts: many counts are taken together or not at all.

/** One count to take: `quota` per `windowMs` in the window that the first request of a key opened. */
export type Charge = {
  readonly namespace: string
  readonly key: string
  readonly quota: number
  readonly windowMs: number
}

/** `used` includes this request when it was admitted. `resetMs` is the time left in the window, or a whole one before it began. */
export type Count = { readonly used: number; readonly resetMs: number }

/** One count for each charge, in their order. Not admitted: nothing was counted anywhere. */
export type Taken = { readonly admitted: boolean; readonly counts: readonly Count[] }
