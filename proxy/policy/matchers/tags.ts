// Owns the condition `tags`: what the catalogue says of the tool.
import type { Matcher } from '../matcher.ts'
import { matchKnown, quoteAll } from './patterns.ts'

export const tags: Matcher<'tags'> = {
  key: 'tags',
  actions: ['tool.call', 'tool.offer'],
  compile(patterns, context) {
    const known = [...new Set(context.tools.flatMap((tool) => tool.tags))]
    const matching = matchKnown(patterns, known, 'tag in the catalogue', context)
    return {
      reads: ['tags'],
      test: (facts) =>
        facts.tags === undefined ? facts.unknown('the tool is unknown') : facts.tags.some((tag) => matching.has(tag)),
      describe: (facts) =>
        `tags ${facts.tags === undefined ? 'unknown' : `[${quoteAll(facts.tags)}]`} against ${quoteAll(patterns)}`,
    }
  },
}
