// Owns how the name of a JSON member, or what another member calls it, counts when its value, or one of a list of values, is
// looked into: much is told by the name alone (`password`, `date_of_birth`, `aws_secret_access_key`) and is none by itself.
// In plain text, where JSON streams, the name stands before.
import { lastPath, type Address } from '../lib/pointer.ts'
import type { Finding } from './finding.ts'
import { countingIn, mergeFindings } from './overlap.ts'
import type { Scanner } from './scanner.ts'

const unquotable = /["'`\\\r\n]/
/** Which words a number asks for, only its detectors know. */
const number = /(?:\d\D{0,2}){7}/
const numberLengthMax = 40
/** Of longer texts with white space in what comes first nothing is told by a name. */
const proseLengthMin = 1024
const whiteSpace = /\s/
/** `passwords[]`, `passwords[12]` */
const listed = /\[\d*\]$/
const quotes = ['"', "'", '`']

/** The findings in `text`, which stands at `address`: in order, none overlapping another. */
export function scanNamed(scanner: Scanner, text: string, address: Address | undefined): readonly Finding[] {
  const found = scanner.scan(text)
  if (address === undefined || address.key === true || text === '') return found
  const path = lastPath(address)
  let steps = path.length
  while (typeof path[steps - 1] === 'number') steps--
  const said = address.beside ?? path[steps - 1]
  if (typeof said !== 'string' || unquotable.test(said)) return found
  const name = said.endsWith(']') ? withoutBrackets(said) : said
  if (text.length > scanner.toldBy(name) && !(text.length <= numberLengthMax && number.test(text))) return found
  if (text.length > proseLengthMin && whiteSpace.test(text.slice(0, proseLengthMin))) return found
  const quote = quotes.find((one) => !text.includes(one))
  if (quote === undefined) return found
  const isList = steps < path.length || listed.test(said)
  const before = isList ? `"${name}": [${quote}` : `"${name}": ${quote}`
  const named = scanner
    .scan(before + text + quote)
    .filter(({ start, end }) => start >= before.length && end <= before.length + text.length)
    .map((finding) => ({ ...finding, start: finding.start - before.length, end: finding.end - before.length }))
  return named.length === 0 ? found : mergeFindings(named, found, countingIn(text, scanner.matters))
}

/** Forms nest so: `user[password]`, `passwords[]`, `cards[0][number]`. */
function withoutBrackets(name: string): string {
  return name.replace(listed, '').replaceAll(']', '').replaceAll('[', '.')
}
