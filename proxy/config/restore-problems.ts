// Owns what is wrong with where the values of tokens go: to models, or to tools that may repeat them to whom they are hidden
// from.
import { changes } from '../detect/replace.ts'
import type { Problem } from '../lib/problem.ts'
import type { Looking } from './route-problems.ts'
import type { Document } from './schema.ts'
import { leadsToModel } from './target-problems.ts'

export function restoreProblems(document: Document, looking: Looking): Problem[] {
  return [...modelProblems(document), ...echoProblems(document, looking)]
}

/** A model that was sent the values would be sent what the rule hides. */
function modelProblems({ redaction = [], upstreams }: Document): Problem[] {
  return redaction.flatMap(({ restoreTo = [] }, index) =>
    restoreTo.flatMap((name, at): Problem[] => {
      const protocol = upstreams[name]?.protocol
      if (protocol === undefined || !leadsToModel(protocol)) return []
      return [
        {
          path: ['redaction', index, 'restoreTo', at],
          message: `the upstream "${name}" is a model (${protocol}), and values are restored to tools only`,
          hint: 'name upstreams of protocol http or mcp',
          severity: 'error',
        },
      ]
    }),
  )
}

/** Tools confirm what they were sent, and only a rule for their own answers hides that. */
function echoProblems({ redaction: rules = [], routes }: Document, { redaction, catalogue }: Looking): Problem[] {
  if (redaction === undefined) return []
  return rules.flatMap(({ direction, detect, restoreTo = [], mode }, index) => {
    if (direction === 'request' || mode === 'shadow') return []
    const hidden = [...catalogue.entitiesOf(detect)]
    return restoreTo.flatMap((name, at): Problem[] => {
      const shown = routes.filter(({ id, upstream }) => {
        if (upstream !== name) return false
        const plan = redaction.plan('response', upstream, id)
        return hidden.some((entity) => !changes(plan?.actionFor(entity)))
      })
      if (shown.length === 0) return []
      return [
        {
          path: ['redaction', index, 'restoreTo', at],
          message: `what "${name}" repeats of values that this rule hides, clients are shown on ${shown.map(({ id }) => id).join(', ')}`,
          hint: `a rule with direction: response for ${name} hides them there, too`,
          severity: 'warning',
        },
      ]
    })
  })
}
