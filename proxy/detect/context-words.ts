// Owns lists of words that the pass over a text listens for, so that a detector which needs one of them before its value
// knows at once when there is none. Whether such a word stands where it counts, the detector finds out itself.

export type ContextWords = {
  readonly id: number
  /** Found regardless of case and accents, wherever they stand: the words or their beginnings. Others may be heard for them. */
  readonly literals: readonly string[]
}

export const contextsMax = 16
export const contextLiteralLengthMax = 20
let count = 0

export function contextWords(literals: string): ContextWords {
  if (count === contextsMax) throw new RangeError('too many lists of words')
  return { id: count++, literals: literals.split('|') }
}
