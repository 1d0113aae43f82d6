// Owns how the name of a JSON member counts when its value is looked into: a value that only its name tells to be a secret
// (`{"password": "…"}`) is none by itself.
import { lastPath, type Address } from '../lib/pointer.ts'
import { genericSecret } from './detectors/secrets/generic.ts'
import { secretWords } from './detectors/secrets/secret-name.ts'
import type { Finding } from './finding.ts'
import { longLengthMax } from './long-run.ts'
import { countingIn, mergeFindings } from './overlap.ts'
import type { Scanner } from './scanner.ts'

/** What a generic secret's name may have in it, and no more than such names are made of. */
const namesSecret = new RegExp(`^(?=[\\w.-]{2,64}$).*(?:${secretWords.join('|')})`, 'i')
const quotes = ['"', "'", '`']

/** The findings in `text`, which stands at `address`: in order, none overlapping another. */
export function scanNamed(scanner: Scanner, text: string, address: Address | undefined): readonly Finding[] {
  const found = scanner.scan(text)
  const name = address === undefined || address.key === true ? undefined : lastPath(address).at(-1)
  if (typeof name !== 'string' || text.length > longLengthMax || !namesSecret.test(name)) return found
  if (!scanner.entities.has(genericSecret.entity)) return found
  const quote = quotes.find((one) => !text.includes(one))
  if (quote === undefined) return found
  const before = `${name}=${quote}`
  const named = scanner
    .scan(before + text + quote)
    .filter(({ entity, start }) => entity === genericSecret.entity && start >= before.length)
    .map((finding) => ({ ...finding, start: finding.start - before.length, end: finding.end - before.length }))
  return named.length === 0 ? found : mergeFindings(found, named, countingIn(text, scanner.matters))
}
