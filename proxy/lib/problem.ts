// Owns the shape of what is wrong with a configuration. Compilers name the place by its path in the merged document;
// config/ turns the path into file, line and column.
import type { Path } from './pointer.ts'

export type Problem = {
  readonly path: Path
  readonly message: string
  /** What to do about it, e.g. `did you mean "openai"?` */
  readonly hint?: string
  readonly severity: 'error' | 'warning'
  /** Points at the key rather than at its value (unknown keys, duplicate ids). */
  readonly atKey?: true
  /** Offset in characters into the scalar at `path` (expressions). */
  readonly offset?: number
}
