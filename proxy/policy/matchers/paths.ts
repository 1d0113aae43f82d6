// Owns the condition `paths`, for calls to http upstreams. The path is the canonical one that goes upstream, without query.
import type { Matcher } from '../matcher.ts'
import { onHttp } from './on-http.ts'
import { compilePatterns, quoteAll, show } from './patterns.ts'

export const paths: Matcher<'paths'> = {
  key: 'paths',
  actions: ['tool.call'],
  compile(patterns, context) {
    patterns.forEach((pattern, index) => {
      if (!/^[/*?{]/.test(pattern))
        return context.report([index], `"${pattern}" can never match: every path begins with "/"`, {
          hint: `write "/${pattern}"`,
        })
      const written = asWritten(pattern)
      if (written === pattern) return
      return context.report([index], `"${pattern}" can never match: that is not how it is written in a path`, {
        hint: `write "${written}"`,
      })
    })
    const matches = compilePatterns(patterns, '/', context)
    return {
      reads: ['path'],
      test: (facts) => onHttp(facts, facts.action.path, 'the path', matches),
      describe: (facts) => `path ${show(facts.action.path)} against ${quoteAll(patterns)}`,
    }
  },
}

/** As paths have it: printable ASCII, everything else in escapes, and those in capital letters. */
function asWritten(pattern: string): string {
  return pattern
    .toWellFormed()
    .replaceAll(/[^!-~]+|#/g, encodeURIComponent)
    .replaceAll(/%[0-9a-f]{2}/gi, (escape) => escape.toUpperCase())
}
