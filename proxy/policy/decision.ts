// Owns the outcome of one evaluation: the effect, the rule that gave it and everything an auditor needs to see why.

export type Effect = 'allow' | 'deny' | 'approve'

export type Decision = {
  /** What is enforced. With `mode: shadow` for the whole document this is always `allow`. */
  readonly effect: Effect
  /** The rule that decided; absent when `defaultEffect` did. */
  readonly rule?: string
  /** For people: the rule's own reason, or a sentence naming the rule or the default. */
  readonly reason: string
  /** Machine-readable, kebab-case: `rule-matched`, `no-rule-matched`, `expression-failed`, … */
  readonly code: string
  /** What would have been enforced were shadow rules enforced too; present only when it differs from `effect`. */
  readonly shadow?: { readonly effect: Effect; readonly rule?: string; readonly reason: string }
  /** Every rule that matched (enforced and shadow), in document order. */
  readonly matched: readonly { readonly rule: string; readonly effect: Effect; readonly mode: 'enforce' | 'shadow' }[]
  /** Rules whose expression could not be evaluated, and why. */
  readonly unevaluable: readonly { readonly rule: string; readonly why: string }[]
}

/** What the rules that may apply on a route need to be decided. */
export type Needs = {
  /** The request body must be read. */
  readonly body: boolean
  /** Some rule looks at the method, and a form may say another one than its request does. */
  readonly method: boolean
  /** Entities that some rule's condition mentions; empty: nothing need be scanned for the decision. */
  readonly findings: ReadonlySet<string>
  /** Those of rules that are enforced. */
  readonly enforcedFindings: ReadonlySet<string>
  /** Tool calls in the answer must be judged. */
  readonly answer: boolean
}
