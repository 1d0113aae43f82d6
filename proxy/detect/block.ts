// Owns what is known of a value of many lines while what begins inside of it is judged: such a value may quote others.

export type Block = {
  readonly end: number
  /** What follows the text decides where it ends. */
  readonly isOpen: boolean
  /** It is longer than anything real. */
  readonly isEndless: boolean
}
