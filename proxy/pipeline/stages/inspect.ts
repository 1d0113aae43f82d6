// Owns the question what is in the request. One scan serves the rules and the redaction, unless they ask for different
// kinds.
import { grow, type Decoded, type Inspected } from '../exchange.ts'
import type { Finding } from '../../detect/finding.ts'

export function inspect(x: Decoded): Inspected {
  const { scanner, scans } = x.route.request
  if (scanner === undefined) return grow(x, { findings: undefined, findingCounts: undefined })
  // No body is a body without findings; a body that could not be read leaves them unknown.
  if (x.content === undefined) {
    const counts = x.body.form === 'none' ? {} : undefined
    return grow(x, { findings: undefined, findingCounts: counts })
  }
  const { parts } = x.content
  const found = parts.map((part) => scanner.scan(part.text))
  x.trace.scanned.request = scans
  return grow(x, { findings: redactionFindings(x, found), findingCounts: countFindings(found) })
}

/**
 * Which of two entities a span counts as depends on the set that is looked for. The redaction must see what its own
 * rules name, so where the rules ask for more kinds than it does, it looks for itself.
 */
function redactionFindings(x: Decoded, found: readonly (readonly Finding[])[]): Inspected['findings'] {
  const { plan, scanner } = x.route.request
  if (plan === undefined) return undefined
  return plan.scanner === scanner ? found : x.content?.parts.map((part) => plan.scanner.scan(part.text))
}

/** By entity and by group. */
export function countFindings(findings: readonly (readonly Finding[])[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const inPart of findings) {
    for (const { entity, group } of inPart) {
      counts[entity] = (counts[entity] ?? 0) + 1
      counts[group] = (counts[group] ?? 0) + 1
    }
  }
  return counts
}
