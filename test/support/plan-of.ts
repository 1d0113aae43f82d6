// Owns compiling rules of redaction for tests of what is done with them.
import type { RedactionAction, RedactionRuleOptions } from '../../proxy/detect/options.ts'
import { compileRedaction, type Plan } from '../../proxy/detect/redaction.ts'

/** Of one rule with the id `r`; it holds for answers unless `more` says otherwise. */
export function planOf(
  action: RedactionAction,
  detect: readonly string[] = ['pii', 'secrets'],
  more: Partial<RedactionRuleOptions> = {},
): Plan {
  return compiled({ id: 'r', direction: 'response', detect, action, ...more })
}

/** Of several, for answers. Their ids are `r0`, `r1` and so on. */
export function planOfRules(...rules: readonly Omit<RedactionRuleOptions, 'id' | 'direction'>[]): Plan {
  return compiled(...rules.map((rule, at) => ({ id: `r${at}`, direction: 'response' as const, ...rule })))
}

function compiled(...rules: readonly RedactionRuleOptions[]): Plan {
  const side = rules[0]?.direction === 'request' ? 'request' : 'response'
  const plan = compileRedaction(rules, ['redaction']).redaction?.plan(side, 'u', 'r')
  if (plan === undefined) throw new Error('no plan')
  return plan
}
