// Owns the condition `tools`. A name is `upstream/tool` for MCP, so `*` stays within a segment and `**` crosses.
import type { Matcher } from '../matcher.ts'
import { compilePatterns, quoteAll, show } from './patterns.ts'

export const tools: Matcher<'tools'> = {
  key: 'tools',
  actions: ['tool.call', 'tool.offer'],
  compile(patterns, context) {
    const matches = compilePatterns(patterns, '/', context)
    return {
      reads: ['tool'],
      test: (facts) => facts.test(facts.action.tool, 'the tool', matches),
      describe: (facts) => `tool ${show(facts.action.tool)} against ${quoteAll(patterns)}`,
    }
  },
}
