// Owns the condition `models`. `*` crosses every character: vendors put `/` and `:` into model names.
import type { Matcher } from '../matcher.ts'
import { compilePatterns, quoteAll, show } from './patterns.ts'

export const models: Matcher<'models'> = {
  key: 'models',
  actions: ['model.call'],
  compile(patterns, context) {
    const matches = compilePatterns(patterns, '', context)
    return {
      reads: ['model'],
      test: (facts) => facts.test(facts.action.model, 'the model', matches),
      describe: (facts) => `model ${show(facts.action.model)} against ${quoteAll(patterns)}`,
    }
  },
}
