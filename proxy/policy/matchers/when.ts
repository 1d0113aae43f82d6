// Owns the condition `when`: one CEL expression.
import { actionTypes } from '../actions.ts'
import { compileExpression } from '../expression.ts'
import type { Matcher } from '../matcher.ts'
import { entitiesOf } from './findings.ts'

export const when: Matcher<'when'> = {
  key: 'when',
  actions: actionTypes,
  compile(source, context) {
    const expression = compileExpression(source, { entities: context.known.entities, headers: context.headers })
    for (const { message, hint, offset } of expression.problems) context.report([], message, { hint, offset })
    if (expression.constant === false) context.report([], 'the expression is always false, so the rule can never match')
    if (expression.constant === true)
      context.report([], 'the expression is always true', { hint: 'leave it out', warning: true })
    return {
      reads: expression.reads,
      entities: entitiesOf(expression.findings, context.known.entities),
      test: (facts) => expression.test(facts),
      settle: (subject) => expression.settle(subject),
      describe: () => source.trim(),
    }
  },
}
