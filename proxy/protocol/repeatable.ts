// Owns the question whether an event of a stream can stand for others like it.
import type { Delta } from './protocol.ts'

type Gathered = {
  readonly deltas: readonly Delta[]
  readonly ends: readonly unknown[]
  readonly calls: readonly unknown[]
}

/** One piece of text and nothing else. Arguments are not: the reader gathers them itself. `others` counts other texts. */
export function isRepeatable({ deltas, ends, calls }: Gathered, others: number): boolean {
  return deltas.length === 1 && deltas[0]?.kind === 'text' && ends.length === 0 && calls.length === 0 && others === 0
}
