// Owns JSON that went wrong: a document as a tree that can also say what JSON.stringify cannot (members twice, numbers no
// double holds, half a surrogate pair, text that is no JSON), and the ways to damage it.
import * as fc from 'fast-check'

/** Keys and leaves are JSON source text, so that they can be anything. */
export type Tree =
  | { readonly kind: 'object'; members: [key: string, value: Tree][] }
  | { readonly kind: 'array'; items: Tree[] }
  | { readonly kind: 'raw'; readonly text: string }

export type Damage = {
  readonly how: (typeof ways)[number]
  /** Which place of the tree, counted in document order and around. */
  readonly at: number
  readonly count: number
  readonly text: string
}

const ways = [
  'drop',
  'repeat',
  'repeat-in-other-case',
  'replace',
  'replace',
  'replace',
  'wrap-in-arrays',
  'wrap-in-objects',
  'rename',
  'add',
  'move',
  'multiply',
  'join-text',
] as const

export function parseTree(text: string): Tree {
  return treeOf(JSON.parse(text))
}

function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'array', items: value.map(treeOf) }
  if (typeof value !== 'object' || value === null) return { kind: 'raw', text: JSON.stringify(value) }
  return { kind: 'object', members: Object.entries(value).map(([key, held]) => [JSON.stringify(key), treeOf(held)]) }
}

export function printTree(tree: Tree): string {
  if (tree.kind === 'raw') return tree.text
  if (tree.kind === 'array') return `[${tree.items.map(printTree).join(',')}]`
  return `{${tree.members.map(([key, value]) => `${key}:${printTree(value)}`).join(',')}}`
}

/** Text that is not JSON, or too deep to be walked, is left as it is. */
export function damaged(text: string, damages: readonly Damage[]): string {
  if (damages.length === 0) return text
  try {
    return printTree(damages.reduce(apply, parseTree(text)))
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return text
    throw error
  }
}

type Place = { readonly parent: Tree; readonly index: number }

function placesOf(tree: Tree, found: Place[] = []): Place[] {
  if (tree.kind === 'raw') return found
  const children = tree.kind === 'array' ? tree.items : tree.members.map(([, value]) => value)
  for (const [index, child] of children.entries()) {
    found.push({ parent: tree, index })
    placesOf(child, found)
  }
  return found
}

function apply(tree: Tree, { how, at, count, text }: Damage): Tree {
  const places = placesOf(tree)
  const place = places[at % Math.max(1, places.length)]
  const raw: Tree = { kind: 'raw', text }
  if (place === undefined) return raw
  const value = valueAt(place)
  if (how === 'drop') remove(place)
  else if (how === 'replace') put(place, raw)
  else if (how === 'wrap-in-arrays') put(place, wrapped(value, '[', ']', count))
  else if (how === 'wrap-in-objects') put(place, wrapped(value, '{"content":', '}', count))
  else if (how === 'move') put(place, copied(valueAt(places[(at * 31 + count) % places.length] ?? place)))
  else if (how === 'multiply')
    put(place, { kind: 'array', items: Array<Tree>(Math.min(count, 300)).fill(copied(value)) })
  else if (how === 'join-text' && value.kind === 'raw' && value.text.startsWith('"') && text.startsWith('"'))
    put(place, { kind: 'raw', text: `${value.text.slice(0, -1)}${text.slice(1)}` })
  else if (place.parent.kind === 'object') damageMembers(place.parent.members, place.index, how, raw)
  return tree
}

function damageMembers(members: [string, Tree][], index: number, how: Damage['how'], raw: Tree): void {
  const [key, value] = members[index] ?? ['""', raw]
  const name = printTree(raw)
  if (how === 'repeat') members.splice(index + 1, 0, [key, raw])
  if (how === 'repeat-in-other-case') members.push([key.toUpperCase(), value])
  if (how === 'rename') members[index] = [name, value]
  if (how === 'add') members.splice(index, 0, [name, value])
}

/** As text: a place may stand inside the other one. */
function copied(value: Tree): Tree {
  return { kind: 'raw', text: printTree(value) }
}

function wrapped(value: Tree, open: string, close: string, count: number): Tree {
  return { kind: 'raw', text: open.repeat(count) + printTree(value) + close.repeat(count) }
}

function valueAt({ parent, index }: Place): Tree {
  if (parent.kind === 'array') return parent.items[index] as Tree
  if (parent.kind === 'object') return (parent.members[index] as [string, Tree])[1]
  return parent
}

function put({ parent, index }: Place, value: Tree): void {
  if (parent.kind === 'array') parent.items[index] = value
  if (parent.kind === 'object') (parent.members[index] as [string, Tree])[1] = value
}

function remove({ parent, index }: Place): void {
  if (parent.kind === 'array') parent.items.splice(index, 1)
  if (parent.kind === 'object') parent.members.splice(index, 1)
}

const hostileTexts = [
  '',
  ' ',
  '\u0000',
  '\u0007\u001b[31m\r\n',
  '\ufeff\u200b\u202e\u2066',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'delete_everything',
  'wipe',
  'ada@example.org',
  'ada\u200b@exam\u00adple.org, 4111 1111 1111 1111, 536-90-4399, DE89 3704 0044 0532 0130 00, +1 415 555 2671',
  '-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U',
  '{"to":"ada@example.org","__proto__":{"a":1}}',
  '{"a":{"a":{"a":"[\\"ada@example.org\\"]"}}}',
  '{"a":1,"a":2}',
  'data:text/plain;base64,YWRhQGV4YW1wbGUub3Jn',
  'data: [DONE]\n\n',
  '../../../../etc/passwd%00',
  '\ud83d\ude00'.repeat(50),
  'a'.repeat(70_000),
  'a@'.repeat(20_000),
  '4111 '.repeat(10_000),
  '{"a":'.repeat(3_000),
  '['.repeat(20_000),
  '(((((((((('.repeat(500),
  '\\'.repeat(10_000),
  '.'.repeat(30_000),
]

const hostileSources = [
  'null',
  'true',
  '0',
  '-0',
  '1e400',
  '1E-999999',
  '123456789012345678901234567890',
  '0.1000000000000000055511151231257827',
  '[]',
  '{}',
  '""',
  'NaN',
  '01',
  "'x'",
  '[1,]',
  '"\u0001"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\u0000"',
  '"\\x41"',
  '{"__proto__":{"polluted":true}}',
  '{"constructor":{"prototype":{"polluted":true}}}',
  '{"toString":1,"valueOf":2,"length":-1}',
  '{"a":1,"a":2}',
  '{"a":1,"A":2}',
  '[[[[[[[[]]]]]]]]',
  '/**/1',
  '',
  `[${'0,'.repeat(5_000)}0]`,
  `{${Array.from({ length: 2_000 }, (_, index) => `"k${index}":${index}`).join(',')}}`,
]

export const hostileText = fc.oneof(
  { arbitrary: fc.constantFrom(...hostileTexts), weight: 4 },
  { arbitrary: fc.string({ unit: 'binary', maxLength: 40 }), weight: 1 },
  { arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }), weight: 1 },
)

/** JSON source text of a value, or of what takes its place. */
const hostileSource = fc.oneof(
  { arbitrary: hostileText.map((text) => JSON.stringify(text)), weight: 4 },
  { arbitrary: fc.constantFrom(...hostileSources), weight: 2 },
  fc.double().map(String),
  fc.json({ maxDepth: 3 }),
)

export const damage: fc.Arbitrary<Damage> = fc.record({
  how: fc.constantFrom(...ways),
  at: fc.nat({ max: 997 }),
  count: fc.constantFrom(1, 1, 2, 3, 30, 62, 63, 64, 65, 300, 5_000),
  text: hostileSource,
})

/** Most of what is sent should get past the parser, so that what stands behind it is reached. */
export const damages: fc.Arbitrary<Damage[]> = fc.array(damage, { maxLength: 3 })
