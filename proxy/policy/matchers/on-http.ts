// Owns what the conditions over plain HTTP calls share: a call that came another way has no method and no path, which
// is a plain no; only a call of unknown origin leaves the question open.
import type { Facts } from '../facts.ts'
import type { Truth } from '../truth.ts'

export function onHttp(
  facts: Facts,
  value: string | undefined,
  what: string,
  matches: (value: string) => boolean,
): Truth {
  const { via } = facts.action
  if (via !== undefined && via !== 'http') return false
  return facts.test(value, what, matches)
}
