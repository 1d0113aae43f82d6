// Owns the condition `tags`: what the catalogue says of the tool.
import type { Matcher } from '../matcher.ts'
import { checkKnown, compilePatterns, quoteAll } from './patterns.ts'

export const tags: Matcher<'tags'> = {
  key: 'tags',
  actions: ['tool.call', 'tool.offer'],
  compile(patterns, context) {
    const matches = compilePatterns(patterns, '', context)
    checkKnown(patterns, [...new Set(context.tools.flatMap((tool) => tool.tags))], 'tag in the catalogue', context)
    return {
      reads: ['tags'],
      test: (facts) => (facts.tags === undefined ? facts.unknown('the tool is unknown') : facts.tags.some(matches)),
      describe: (facts) =>
        `tags ${facts.tags === undefined ? 'unknown' : `[${quoteAll(facts.tags)}]`} against ${quoteAll(patterns)}`,
    }
  },
}
