// Owns the references from routes to upstreams, which no folder below sees together. References inside rules, limits and
// the like are checked by their own compilers.
import { didYouMean } from '../lib/nearest.ts'
import type { Problem } from '../lib/problem.ts'
import type { Document } from './schema.ts'

/** With what is switched off. */
export function checkReferences(document: Pick<Document, 'upstreams' | 'routes'>): Problem[] {
  const upstreams = Object.keys(document.upstreams)
  return document.routes.flatMap((route, i) => {
    const problems: Problem[] = []
    const say = (key: string, message: string, hint?: { hint?: string }): void => {
      problems.push({ path: ['routes', i, key], message, severity: 'error', ...hint })
    }
    if (!upstreams.includes(route.upstream)) {
      say('upstream', `unknown upstream "${route.upstream}" in routes[${i}]`, didYouMean(route.upstream, upstreams))
    }
    if (route.fallback !== undefined) {
      say('fallback', `routes[${i}].fallback is not served by this version`, { hint: 'remove it' })
    }
    return problems
  })
}
