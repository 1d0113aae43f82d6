// Owns what a detector says of a value that it has found, be it whole or only its beginning. Which of several counts, it
// does not know.
import type { EntityGroup } from './finding.ts'

/**
 * How far left of its value's start a detector may look, in UTF-16 units. A window keeps this much of what it has
 * released, so a longer look would see less in a stream than in the whole text.
 */
export const contextBefore = 96

/**
 * A value that is as long as this is replaced in a stream before its end is known, where its detector says that it is one
 * whatever follows. So what stands in its place depends on no more of it.
 */
export const foreseenLength = 256

export type Candidate = {
  readonly entity: string
  readonly group: EntityGroup
  readonly start: number
  readonly end: number
  /** A checksum or an equally strong structure speaks for it. */
  readonly validated: boolean
  readonly openEnded?: true
  /**
   * It may have been replaced before its end was known, when it was so long, so nothing that begins in it may win, and of
   * two that begin together the one that was known first does.
   */
  readonly foreseen?: number
  /** Nothing was found, but looked for too far, so all of it counts as found. It has `foreseen`, too. */
  readonly isLate?: true
  /** Where the first of those late values begins that are one with it. */
  readonly joinedFrom?: number
}

/** `to`: so far the text belongs to the value for certain. `mayEnd`: whether it may have ended in what came from `from` on. */
export type Foreseen = {
  readonly entity: string
  readonly start: number
  readonly to: number
  readonly after: number
  readonly mayEnd: MayEnd
  readonly isFirst?: true | undefined
  /** Where the first late value of those begins that are one with it. */
  readonly joinedFrom?: number | undefined
}

export type MayEnd = (text: string, from: number) => boolean

/**
 * How a value is foreseen: once it is so long, and what else is said of it. `isFirst`: it is known before whatever else is
 * known only by such a beginning, and found whatever is found around it.
 */
export type Foresight = {
  readonly after?: number
  readonly validated?: boolean
  readonly mayEnd: MayEnd
  readonly isFirst?: true
}
