// Owns the condition `findings`: something of a kind was found in the content.
import { actionTypes } from '../actions.ts'
import type { Matcher } from '../matcher.ts'
import { checkKnown, quoteAll } from './patterns.ts'

export const findings: Matcher<'findings'> = {
  key: 'findings',
  actions: actionTypes,
  compile(names, context) {
    const { entities } = context.known
    checkKnown(names, [...new Set([...entities.values(), ...entities.keys()])], 'entity or group', context)
    const wanted = entitiesOf(names, entities)
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
        `findings ${facts.counts === undefined ? 'unknown' : show(facts.counts)} against ${quoteAll(names)}`,
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
