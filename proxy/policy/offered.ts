// Owns the call that an offer of a tool is about: an offer that no rule decides stands or falls with it.
import type { Query } from './query.ts'

/** With whatever arguments, so what is found in the request says nothing about it. */
export function callOffered(query: Query): Query {
  const { findings: _, ...rest } = query
  const { tool, via } = query.action
  const action = {
    type: 'tool.call',
    ...(tool === undefined ? {} : { tool }),
    ...(via === undefined ? {} : { via }),
  } as const
  return { ...rest, action }
}
