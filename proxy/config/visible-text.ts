// Owns what of a file may be shown beside an error: everything but what may be a secret. A value is shown where the schema
// lets a plain value stand. Secrets are references, maps of their own, so one that was written down itself stands where a
// map belongs or under a key that nobody knows, whatever kind of credential it is; and in a URL it has its own place.
import type { Located, LocatedMap, LocatedScalar } from './locate.ts'
import { alternativesOf, schemasOfItems, schemasOfKey, type SchemaNode } from './schema-places.ts'

type Range = { readonly start: number; readonly end: number }

/** The text of the file that `root` was read from, every character in its place. */
export function visibleText(root: LocatedMap, schema: object): string {
  const hidden: Range[] = []
  const walk = (node: Located, schemas: readonly SchemaNode[]): void => {
    if (node.kind === 'scalar') hidden.push(...hiddenIn(node, schemas))
    else if (node.kind === 'list') for (const item of node.items) walk(item, schemasOfItems(schemas))
    else for (const [key, entry] of node.entries) walk(entry.node, schemasOfKey(schemas, key))
  }
  walk(root, alternativesOf(schema))
  return blanked(root.at.source.text, hidden)
}

function hiddenIn({ at, value }: LocatedScalar, schemas: readonly SchemaNode[]): readonly Range[] {
  if (typeof value !== 'string' && typeof value !== 'number') return []
  const written = at.source.text.slice(at.start, at.end)
  if (!schemas.some(letsPlainValueStand)) {
    const quote = /^["']/.test(written) ? 1 : 0
    return [{ start: at.start + quote, end: at.end - quote }]
  }
  return [...written.matchAll(secretsOfUrl)].map(({ index, 0: { length } }) => {
    return { start: at.start + index, end: at.start + index + length }
  })
}

/** `writeOnly`: what stands there may be the very secret, by a mistake that is easily made. */
function letsPlainValueStand({ type, enum: values, const: only, writeOnly }: SchemaNode): boolean {
  if (writeOnly === true) return false
  return [type ?? []].flat().some((one) => one !== 'object' && one !== 'array') || (values ?? only) !== undefined
}

/** The user information of a URL, up to the last @ since a password may hold one, and its query. */
const secretsOfUrl = /(?<=:\/\/).*(?=@)|(?<=:\/\/[^?]*\?)[^\s"']+/gs

/** Of a text that is no YAML: keys, punctuation and names of variables, since nothing says what the values are for. */
export function visibleUnread(text: string): string {
  const values = [...text.matchAll(/\$\{\w*|[^\s{}[\],"'#]+/g)].map(({ index, 0: word }) => {
    return { word, start: index, end: index + word.length }
  })
  return blanked(
    text,
    values.filter(
      ({ word, end }) => /\w/.test(word) && !word.startsWith('${') && !isKey(word, text.slice(end, end + 3)),
    ),
  )
}

/** A colon and a blank follow a key, which may have quotes. */
function isKey(word: string, after: string): boolean {
  return word.endsWith(':') ? /^(?:\s|$)/.test(after) : /^["']:(?:\s|$)/.test(after)
}

/** Line breaks, blanks and names of variables stay. */
function blanked(text: string, ranges: readonly Range[]): string {
  let visible = ''
  let done = 0
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    if (end <= done) continue
    const from = Math.max(start, done)
    const blank = text.slice(from, end).replaceAll(/\$\{\w+\}|\S/g, (piece) => (piece.length > 1 ? piece : '*'))
    visible += text.slice(done, from) + blank
    done = end
  }
  return visible + text.slice(done)
}
