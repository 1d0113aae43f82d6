// Owns the `redaction:` section as operators write it, and the names that may stand in `detect:`.
import { detectors } from './detectors.ts'
import type { EntityGroup } from './finding.ts'

/** Mildest first: when several rules name one entity, the last of these wins. */
export const redactionActions = ['tag', 'mask', 'token', 'hash', 'remove', 'block'] as const
export type RedactionAction = (typeof redactionActions)[number]

export type Direction = 'request' | 'response'

export type RedactionRuleOptions = {
  readonly id: string
  readonly direction: Direction | 'both'
  readonly upstreams?: readonly string[]
  readonly routes?: readonly string[]
  readonly detect: readonly string[]
  readonly action: RedactionAction
  readonly mode?: 'enforce' | 'shadow'
}

export type RedactionOptions = readonly RedactionRuleOptions[]

const names = { type: 'array', minItems: 1, uniqueItems: true, items: { type: 'string', minLength: 1 } } as const

export const redactionSchema = {
  description: 'What to look for in texts, and what to do with it.',
  type: 'array',
  items: {
    type: 'object',
    required: ['id', 'direction', 'detect', 'action'],
    additionalProperties: false,
    properties: {
      id: {
        description: 'Name of the rule in records and refusals.',
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
      },
      direction: { description: 'Which way the text goes.', enum: ['request', 'response', 'both'] },
      upstreams: { description: 'Only texts to or from these upstreams; absent: all.', ...names },
      routes: { description: 'Only texts on these routes; absent: all.', ...names },
      detect: { description: 'Groups (pii, secrets) or single entities such as email or payment-card.', ...names },
      action: {
        description:
          'What happens to a value: token is given back in the answer, block refuses the exchange, tag only records.',
        enum: redactionActions,
      },
      mode: { description: 'shadow: record what would happen, change nothing.', enum: ['enforce', 'shadow'] },
    },
  },
} as const

export type EntityName = { readonly name: string; readonly group: EntityGroup }

const table: readonly EntityName[] = [...new Map(detectors.map((d) => [d.entity, d.group]))].map(([name, group]) => ({
  name,
  group,
}))
export const entityGroups: readonly EntityGroup[] = ['pii', 'secrets']

/** Every entity that can be detected, each once. */
export function entities(): readonly EntityName[] {
  return table
}

/** The entities that a group or an entity's own name stands for; undefined when it is neither. */
export function entitiesOf(name: string): readonly string[] | undefined {
  const found = table.filter((entity) => entity.name === name || entity.group === name)
  return found.length === 0 ? undefined : found.map((entity) => entity.name)
}

/** The candidate that a mistyped name most likely meant: at most a third of its letters differ. */
export function closest(name: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.max(2, Math.ceil(name.length / 3)) + 1
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase())
    if (distance >= least) continue
    least = distance
    best = candidate
  }
  return best
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
