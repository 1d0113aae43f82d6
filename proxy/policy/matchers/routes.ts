// Owns the condition `routes`. The names are those of the configuration, so each must match one that exists.
import { actionTypes } from '../actions.ts'
import type { Matcher } from '../matcher.ts'
import { matchKnown, quoteAll, show } from './patterns.ts'

export const routes: Matcher<'routes'> = {
  key: 'routes',
  actions: actionTypes,
  compile(patterns, context) {
    const ids = context.known.routes.map(({ id }) => id)
    const matching = matchKnown(patterns, ids, 'route', context)
    return {
      reads: ['route'],
      matching,
      test: (facts) => matching.has(facts.query.route),
      describe: (facts) => `route ${show(facts.query.route)} against ${quoteAll(patterns)}`,
    }
  },
}
