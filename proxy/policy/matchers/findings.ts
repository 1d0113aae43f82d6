// Owns the condition `findings`: something of a kind was found in the content.
import { actionTypes } from '../actions.ts'
import type { Matcher } from '../matcher.ts'
import { matchKnown, quoteAll } from './patterns.ts'

export const findings: Matcher<'findings'> = {
  key: 'findings',
  actions: actionTypes,
  compile(patterns, context) {
    const { entities } = context.known
    const names = [...new Set([...entities.values(), ...entities.keys()])]
    const wanted = entitiesOf(matchKnown(patterns, names, 'entity or group', context), entities)
    return {
      reads: ['findings'],
      entities: wanted,
      test(facts) {
        const { findings: found } = facts.query
        if (found === undefined) return facts.unknown('the content was not inspected')
        for (const entity of wanted) if ((found[entity] ?? 0) > 0) return true
        return false
      },
      describe: (facts) =>
        `findings ${facts.counts === undefined ? 'unknown' : show(facts.counts)} against ${quoteAll(patterns)}`,
    }
  },
}

/** Names of entities and groups as entities. */
export function entitiesOf(names: Iterable<string>, entities: ReadonlyMap<string, string>): ReadonlySet<string> {
  const wanted = new Set(names)
  return new Set(
    [...entities].filter(([entity, group]) => wanted.has(entity) || wanted.has(group)).map(([entity]) => entity),
  )
}

function show(counts: Readonly<Record<string, bigint>>): string {
  const present = Object.entries(counts).filter(([, count]) => count > 0n)
  return `{${present.map(([name, count]) => `${name}: ${count}`).join(', ')}}`
}
