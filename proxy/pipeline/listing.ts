// Owns the decision about a listing, which no rule makes: it does nothing by itself, so whoever may ever use what is
// listed may see it. The question has been put to the policy already.
import type { Decision } from '../policy/decision.ts'

/** `because` and `becauseNot` are sentences for people. */
export function listingDecision(may: boolean, because: string, becauseNot: string): Decision {
  const rest = { matched: [], unevaluable: [] }
  return may
    ? { effect: 'allow', code: 'may-be-called', reason: because, ...rest }
    : { effect: 'deny', code: 'never-callable', reason: becauseNot, ...rest }
}
