// Owns the shape of what a detector finds.

export type EntityGroup = 'pii' | 'secrets'

/** Offsets in UTF-16 units, end exclusive. */
export type Finding = {
  readonly entity: string
  readonly group: EntityGroup
  readonly start: number
  readonly end: number
  /** The value is longer than any real one of its kind, so everything up to the end of the text counts as part of it. */
  readonly openEnded?: true
}
