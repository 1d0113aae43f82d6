// Owns bodies of forms (`application/x-www-form-urlencoded`, WHATWG URL §5) as JSON and back: an object of strings, and of
// lists of strings for names that come again. What is not edited stays byte for byte. It does not know who reads them.
import { decodeString, eachMember, skipSpace, valueEnd } from './json-source.ts'

/**
 * `json` is the source of the object; `write` takes it edited, with the same members in their order. `pairCount` counts
 * what is empty, too.
 */
export type FormReading =
  | { readonly ok: true; readonly json: string; readonly write: (edited: string) => string; readonly pairCount: number }
  | { readonly ok: false; readonly message: string; readonly offset: number }

type Pair = { readonly raw: string; readonly name: string; readonly value: string }

export function readForm(source: string, pairsMax: number): FormReading {
  const broken = source.search(/%(?![0-9A-Fa-f]{2})/)
  if (broken !== -1) return { ok: false, message: 'A percent sign begins no escape.', offset: broken }
  const pairs: Pair[] = []
  for (let offset = 0; offset <= source.length;) {
    const ampersand = source.indexOf('&', offset)
    const end = ampersand === -1 ? source.length : ampersand
    const pair = readPair(source.slice(offset, end))
    if (pair === undefined) return { ok: false, message: 'Escapes are not valid UTF-8.', offset }
    if (pairs.length === pairsMax) return { ok: false, message: `There are more than ${pairsMax} pairs.`, offset }
    pairs.push(pair)
    offset = end + 1
  }
  const groups = groupsOf(pairs)
  const members = Array.from(groups, ([name, values]) => `${JSON.stringify(name)}:${JSON.stringify(oneOrMore(values))}`)
  const write = (edited: string): string => writePairs(pairs, [...groups.keys()], edited)
  return { ok: true, json: `{${members.join(',')}}`, write, pairCount: pairs.length }
}

function readPair(raw: string): Pair | undefined {
  const equals = raw.indexOf('=')
  const name = decoded(equals === -1 ? raw : raw.slice(0, equals))
  const value = equals === -1 ? '' : decoded(raw.slice(equals + 1))
  return name === undefined || value === undefined ? undefined : { raw, name, value }
}

function decoded(raw: string): string | undefined {
  try {
    return decodeURIComponent(raw.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** Nothing between two `&` is no pair. */
function groupsOf(pairs: readonly Pair[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { raw, name, value } of pairs) {
    if (raw === '') continue
    const values = groups.get(name)
    if (values === undefined) groups.set(name, [value])
    else values.push(value)
  }
  return groups
}

function oneOrMore(values: readonly string[]): string | readonly string[] {
  return values.length === 1 ? (values[0] as string) : values
}

function writePairs(pairs: readonly Pair[], names: readonly string[], edited: string): string {
  const written = membersOf(edited)
  const places = new Map(names.map((name, index) => [name, { ...(written[index] as Member), next: 0 }]))
  return pairs
    .map((pair) => {
      const place = pair.raw === '' ? undefined : places.get(pair.name)
      if (place === undefined) return pair.raw
      const value = place.values[place.next++] ?? pair.value
      const equals = pair.raw.indexOf('=')
      const name =
        place.name === pair.name ? pair.raw.slice(0, equals === -1 ? undefined : equals) : encoded(place.name)
      if (value === pair.value) return equals === -1 ? name : name + pair.raw.slice(equals)
      return `${name}=${encoded(value)}`
    })
    .join('&')
}

type Member = { readonly name: string; readonly values: readonly string[] }

/** In the order of the source: objects of JavaScript put names that are numbers first. */
function membersOf(json: string): Member[] {
  const members: Member[] = []
  eachMember(json, skipSpace(json, 0), (name, _keyStart, start) => {
    const values: string[] = []
    const isList = json.charAt(start) === '['
    const end = isList
      ? eachMember(json, start, (_step, _none, from) => {
          const to = valueEnd(json, from)
          values.push(textOf(json.slice(from, to)))
          return to
        })
      : valueEnd(json, start)
    if (!isList) values.push(textOf(json.slice(start, end)))
    members.push({ name: String(name), values })
    return end
  })
  return members
}

function textOf(source: string): string {
  return source.startsWith('"') ? decodeString(source) : source
}

function encoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
