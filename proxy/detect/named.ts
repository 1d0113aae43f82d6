// Owns how the name of a JSON member counts when its value is looked into: a value that only its name tells to be a secret
// (`{"password": "…"}`) is none by itself.
import { lastPath, type Address } from '../lib/pointer.ts'
import type { Finding } from './finding.ts'
import type { Scanner } from './scanner.ts'

/** The names that generic secrets go by, and no more than such names are made of. */
const namesSecret = /^(?=[\w.-]{2,64}$).*(?:pass|pwd|pw|secret|token|key|credential|auth)/i
const namedEntity = 'generic-secret'
/** Longer values are no secrets that a name tells. */
const valueLengthMax = 1024
const quotes = ['"', "'", '`']

/** The findings in `text`, which stands at `address`: in order, none overlapping another. */
export function scanNamed(
  scanner: Pick<Scanner, 'scan'>,
  text: string,
  address: Address | undefined,
): readonly Finding[] {
  const found = scanner.scan(text)
  const name = address === undefined || address.key === true ? undefined : lastPath(address).at(-1)
  if (typeof name !== 'string' || text.length > valueLengthMax || !namesSecret.test(name)) return found
  const quote = quotes.find((one) => !text.includes(one))
  if (quote === undefined) return found
  const before = `${name}=${quote}`
  const named = scanner
    .scan(before + text + quote)
    .filter(({ entity, start }) => entity === namedEntity && start >= before.length)
    .map((finding) => ({ ...finding, start: finding.start - before.length, end: finding.end - before.length }))
  if (named.length === 0) return found
  const apart = found.filter(({ start, end }) => named.every((one) => end <= one.start || start >= one.end))
  return [...apart, ...named].sort((a, b) => a.start - b.start)
}
