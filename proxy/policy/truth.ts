// Owns three-valued logic (Kleene): a condition over something that is not known is neither true nor false.

/** `undefined` is unknown. */
export type Truth = boolean | undefined

/** What holds for a rule with this effect: an unknown counts as true where that is stricter, and as false where it is not. */
export function counts(truth: Truth, effect: 'allow' | 'deny' | 'approve'): boolean {
  return truth ?? effect !== 'allow'
}
