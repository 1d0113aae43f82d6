// Owns the condition `upstreams`. The names are those of the configuration, so each must match one that exists.
import { actionTypes } from '../actions.ts'
import type { Matcher } from '../matcher.ts'
import { matchKnown, quoteAll, show } from './patterns.ts'

export const upstreams: Matcher<'upstreams'> = {
  key: 'upstreams',
  actions: actionTypes,
  compile(patterns, context) {
    const ids = context.known.upstreams.map(({ id }) => id)
    const matching = matchKnown(patterns, ids, 'upstream', context)
    return {
      reads: ['upstream'],
      matching,
      test: (facts) => matching.has(facts.query.upstream),
      describe: (facts) => `upstream ${show(facts.query.upstream)} against ${quoteAll(patterns)}`,
    }
  },
}
