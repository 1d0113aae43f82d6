// Owns the condition `methods`, for calls to http upstreams. Methods are compared in upper case.
import { didYouMean } from '../../lib/nearest.ts'
import { METHODS } from '../../lib/node-http.ts'
import type { Matcher } from '../matcher.ts'
import { onHttp } from './on-http.ts'
import { quoteAll, show } from './patterns.ts'

export const methods: Matcher<'methods'> = {
  key: 'methods',
  actions: ['tool.call'],
  compile(names, context) {
    names.forEach((name, index) => {
      if (METHODS.includes(name.toUpperCase())) return
      context.report([index], `there is no HTTP method "${name}"`, didYouMean(name.toUpperCase(), METHODS))
    })
    const wanted = new Set(names.map((name) => name.toUpperCase()))
    return {
      reads: ['method'],
      test: (facts) => onHttp(facts, facts.action.method, 'the method', (method) => wanted.has(method)),
      describe: (facts) => `method ${show(facts.action.method)} against ${quoteAll(names)}`,
    }
  },
}
