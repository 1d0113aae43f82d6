// Owns the condition `principals`: who asks. What a principal does not have (an org, a role) matches no pattern.
import { actionTypes } from '../actions.ts'
import type { Matcher } from '../matcher.ts'
import type { PrincipalPatterns } from '../options.ts'
import type { Subject } from '../query.ts'
import { checkKnown, compilePatterns, quoteAll } from './patterns.ts'

const keys = ['ids', 'orgs', 'teams', 'roles'] as const

export const principals: Matcher<'principals'> = {
  key: 'principals',
  actions: actionTypes,
  compile(patterns, context) {
    const tests: ((subject: Subject) => boolean)[] = []
    for (const key of keys) {
      const wanted = patterns[key]
      if (wanted === undefined) continue
      const matches = compilePatterns(wanted, '', context, [key])
      const more = key === 'ids' ? { at: [key] } : ({ at: [key], open: true } as const)
      checkKnown(wanted, context.known.principals[key], `principal with ${key.slice(0, -1)}`, context, more)
      tests.push((subject) => valuesOf(subject, key).some(matches))
    }
    const matches = (subject: Subject): boolean => tests.every((holds) => holds(subject))
    return {
      reads: ['principal'],
      test: (facts) => matches(facts.query.principal),
      settle: matches,
      describe: (facts) => describe(facts.query.principal, patterns),
    }
  },
}

function valuesOf(subject: Subject, key: (typeof keys)[number]): readonly string[] {
  if (key === 'roles') return subject.roles
  const value = key === 'ids' ? subject.id : key === 'orgs' ? subject.org : subject.team
  return value === undefined ? [] : [value]
}

function describe(subject: Subject, patterns: PrincipalPatterns): string {
  const given = keys.filter((key) => patterns[key] !== undefined)
  return given
    .map((key) => `${key} [${quoteAll(valuesOf(subject, key))}] against ${quoteAll(patterns[key] ?? [])}`)
    .join('; ')
}
