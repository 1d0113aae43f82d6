// Owns the one shape that every condition of a rule has: what it is called, which actions have what it looks at, and
// how it compiles to a question over facts.
import type { Attribute } from './actions.ts'
import type { Facts } from './facts.ts'
import type { Known } from './known.ts'
import type { Conditions, ToolOptions } from './options.ts'
import type { Path } from '../lib/pointer.ts'
import type { ActionType, Subject } from './query.ts'
import type { Truth } from './truth.ts'

export type Condition = {
  /** Undefined only after `facts.unknown(why)`. */
  test(facts: Facts): Truth
  /** For conditions over who asks: what holds of everything that a caller asks; undefined when that depends on more. */
  settle?(subject: Subject): Truth
  /** What was looked at, for people: `model "gpt-4o" against "claude-*"`. Only called by explain. */
  describe(facts: Facts): string
  readonly reads: readonly Attribute[]
  /** Entities of which the condition needs the counts. */
  readonly entities?: ReadonlySet<string>
  /** For conditions over known names: which of them match, so that rules can be indexed. */
  readonly matching?: ReadonlySet<string>
}

export type CompileContext = {
  readonly known: Known
  readonly tools: readonly ToolOptions[]
  /** Lower-case names of the headers that rules may see. */
  readonly headers: ReadonlySet<string>
  /** Reports what is wrong at a path inside the condition's own value. */
  report(
    at: Path,
    message: string,
    more?: { readonly hint?: string | undefined; readonly offset?: number; readonly warning?: true },
  ): void
}

export type Matcher<Key extends keyof Conditions> = {
  readonly key: Key
  /** The actions that have what this looks at. */
  readonly actions: readonly ActionType[]
  /** A condition is returned even when something was reported, so that all problems are found at once. */
  compile(value: NonNullable<Conditions[Key]>, context: CompileContext): Condition
}
