// Owns what is looked for on a route in each direction: one scanner for what the rules ask about and what the redaction
// replaces, and the external detectors that either needs.
import type { Catalogue } from '../detect/catalogue.ts'
import type { External } from '../detect/external.ts'
import type { Redaction } from '../detect/redaction.ts'
import { compileScanner } from '../detect/scanner.ts'
import { openInquirer, type Inquirer } from '../pipeline/inquirer.ts'
import type { Inspection } from '../pipeline/runtime.ts'
import type { Needs } from '../policy/decision.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { upstreamNameOf } from './detectors.ts'

export type Place = { readonly direction: 'request' | 'response'; readonly upstream: string; readonly route: string }

export function inspectionOf(
  { direction, upstream, route }: Place,
  { redaction, catalogue }: { readonly redaction: Redaction; readonly catalogue: Catalogue },
  asked: Pick<Needs, 'findings' | 'enforcedFindings'>,
  inquirers: readonly Inquirer[],
): Inspection {
  const plan = redaction.plan(direction, upstream, route)
  const target = direction === 'request' ? redaction.plan(direction, upstream, route, 'target') : undefined
  const headers = redaction.plan(direction, upstream, route, 'headers')
  const named = [...(plan?.entities ?? []), ...(target?.entities ?? [])]
  const entities = new Set([...catalogue.entitiesOf(asked.findings), ...named])
  const all = new Set([...entities, ...(headers?.entities ?? [])])
  const changed = [plan, target, headers].flatMap((one) => [...(one?.enforced ?? [])])
  const enforced = new Set([...catalogue.entitiesOf(asked.enforcedFindings), ...changed])
  const finders = inquirers.filter(({ external }) => finds(external, all))
  const own = new Set([...all].filter((entity) => !isExternal(entity, catalogue)))
  return {
    scanner: entities.size === 0 ? undefined : compileScanner(entities, catalogue.detectors),
    scans: labelsOf(own, catalogue),
    entities,
    plan,
    target,
    headers,
    inquirers: finders,
    mustAsk: new Set(finders.flatMap(({ external }) => (finds(external, enforced) ? [external.id] : []))),
  }
}

export function inquirersOf(
  { externals }: Catalogue,
  upstreamOf: (id: string) => Upstream | undefined,
): readonly Inquirer[] {
  return externals.flatMap((external) => {
    const upstream = upstreamOf(upstreamNameOf(external.id))
    return upstream === undefined ? [] : [openInquirer(external, upstream)]
  })
}

function finds({ entities }: External, wanted: ReadonlySet<string>): boolean {
  return [...entities.values()].some((name) => wanted.has(name))
}

function isExternal(entity: string, { externals }: Catalogue): boolean {
  return externals.some(({ entities }) => [...entities.values()].includes(entity))
}

/** What every record repeats should be short: a group's name stands for all of its entities, a wide one for narrow ones. */
function labelsOf(entities: ReadonlySet<string>, catalogue: Catalogue): string[] {
  const wide = catalogue.groupNames
    .map((name) => ({ name, members: membersOf(name, catalogue) }))
    .filter(({ members }) => members.size > 0 && members.isSubsetOf(entities))
    .sort((a, b) => b.members.size - a.members.size)
  const labels: string[] = []
  const left = new Set(entities)
  for (const { name, members } of wide) {
    if (members.isDisjointFrom(left)) continue
    labels.push(name)
    for (const member of members) left.delete(member)
  }
  return [...labels.sort(), ...[...left].sort()]
}

function membersOf(group: string, catalogue: Catalogue): ReadonlySet<string> {
  return new Set([...catalogue.entitiesOf([group])].filter((entity) => !isExternal(entity, catalogue)))
}
