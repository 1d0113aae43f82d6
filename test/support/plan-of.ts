// Owns compiling one rule of redaction for tests of what is done with it.
import type { RedactionAction, RedactionRuleOptions } from '../../proxy/detect/options.ts'
import { compileRedaction, type Plan } from '../../proxy/detect/redaction.ts'

/** The rule's id is `r`; it holds for answers unless `more` says otherwise. */
export function planOf(
  action: RedactionAction,
  detect: readonly string[] = ['pii', 'secrets'],
  more: Partial<RedactionRuleOptions> = {},
): Plan {
  const rule: RedactionRuleOptions = { id: 'r', direction: 'response', detect, action, ...more }
  const side = rule.direction === 'request' ? 'request' : 'response'
  const plan = compileRedaction([rule], ['redaction']).redaction?.plan(side, 'u', 'r')
  if (plan === undefined) throw new Error('no plan')
  return plan
}
