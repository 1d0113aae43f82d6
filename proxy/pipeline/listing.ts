// Owns the decision about a listing, which no rule makes: it does nothing by itself, so whoever may ever use what is
// listed may see it. The question has been put to the policy already.
import type { Decision } from '../policy/decision.ts'
import type { Inspected } from './exchange.ts'

/** `because` and `becauseNot` are sentences for people. */
export function listingDecision(may: boolean, because: string, becauseNot: string): Decision {
  const rest = { matched: [], unevaluable: [] }
  return may
    ? { effect: 'allow', code: 'may-be-called', reason: because, ...rest }
    : { effect: 'deny', code: 'never-callable', reason: becauseNot, ...rest }
}

/** Nothing in particular is asked for: models and files are listed, or what a server has. */
export function isListing({ operation, content }: Pick<Inspected, 'operation' | 'content'>): boolean {
  return operation.action === 'none' || (operation.action === 'asked' && (content?.asked?.acts ?? []).length === 0)
}
