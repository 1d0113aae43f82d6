// Owns the question what is in the request. One scan serves the rules and the redaction, unless they ask for different
// kinds.
import { grow, type Consulted, type Inspected } from '../exchange.ts'
import type { Finding } from '../../detect/finding.ts'
import { scanMarkup } from '../../detect/markup.ts'
import { scanNamed } from '../../detect/named.ts'
import type { Scanner } from '../../detect/scanner.ts'
import type { TextPart } from '../../protocol/content.ts'
import { scanHeaders } from '../header-redaction.ts'
import { hasFindings, hasTarget, maskedPath, scanTarget } from '../target.ts'

export function inspect(from: Consulted): Inspected {
  const x = grow(from, { headerFindings: inspectHeaders(from) })
  const { scanner, scans } = x.route.request
  if (scanner === undefined)
    return grow(x, { findings: undefined, targetFindings: [], findingCounts: undefined, shownPath: shownPathOf(x) })
  const target = inspectTarget(x)
  if (target.found.length > 0) x.trace.scanned.request = scans
  // No body is a body without findings; a body that could not be read leaves them unknown.
  if (x.content === undefined) {
    const counts = x.body.form === 'none' ? countFindings(target.found) : undefined
    return grow(x, { ...target.fields, findings: undefined, findingCounts: counts })
  }
  const { parts } = x.content
  const found = parts.map(scanOf(x, scanner))
  x.trace.scanned.request = scans
  const findingCounts = countFindings([...found, ...target.found])
  return grow(x, { ...target.fields, findings: redactionFindings(x, found), findingCounts })
}

function scanOf({ body }: Consulted, scanner: Scanner): (part: TextPart) => readonly Finding[] {
  const markup = body.form === 'text' ? body.markup : undefined
  if (markup !== undefined) return ({ text }) => scanMarkup(scanner, text, markup)
  return ({ text, address }) => scanNamed(scanner, text, address)
}

/** For the redaction alone: rules over findings are about what a call says. */
function inspectHeaders({ route, headers, trace }: Consulted): Inspected['headerFindings'] {
  const plan = route.request.headers
  if (plan === undefined) return noFindings
  trace.scanned.request = route.request.scans
  return scanHeaders(headers, plan)
}

const noFindings: readonly (readonly Finding[])[] = []

/** Of a model call that is known the path is a fixed one, and its query says nothing to the model. */
function inspectTarget(x: Consulted): {
  found: readonly (readonly Finding[])[]
  fields: Pick<Inspected, 'targetFindings' | 'shownPath'>
} {
  const { scanner, target: plan } = x.route.request
  if (scanner === undefined || !hasTarget(x.operation))
    return { found: [], fields: { targetFindings: [], shownPath: shownPathOf(x) } }
  const target = { path: x.operation.path, query: x.query }
  const found = scanTarget(target, scanner)
  const targetFindings =
    plan === undefined ? [] : plan.scanner.scan === scanner.scan ? found : scanTarget(target, plan.scanner)
  const path = shownPathOf(x) ?? x.operation.path
  const shownPath = hasFindings(found) ? maskedPath(path, scanner) : shownPathOf(x)
  return { found, fields: { targetFindings, shownPath } }
}

/** What tokens in the path stand for is data; the path as it came is not. */
function shownPathOf(x: Consulted): string | undefined {
  return (x as Partial<Inspected>).shownPath
}

/**
 * Which of two entities a span counts as depends on the set that is looked for. The redaction must see what its own
 * rules name, so where the rules ask for more kinds than it does, it looks for itself.
 */
function redactionFindings(x: Consulted, found: readonly (readonly Finding[])[]): Inspected['findings'] {
  const { plan, scanner } = x.route.request
  if (plan === undefined) return undefined
  const isOfRules = (form: Form): boolean => plan.forForm(form).scanner.scan === scanner?.scan
  if (forms.every(isOfRules)) return found
  return x.content?.parts.map((part, at) => {
    const known = isOfRules(part.form) ? found[at] : undefined
    return known ?? scanOf(x, plan.forForm(part.form).scanner)(part)
  })
}

type Form = TextPart['form']
const forms: readonly Form[] = ['string', 'number', 'key']

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
