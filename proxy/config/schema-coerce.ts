// Owns the types of variables: `${PORT}` is text, and where the schema wants a number or a boolean it is read as YAML
// would read it. Values that are only partly a variable stay text. Quotes do not matter, since inside `{ }` a variable
// cannot be written without them.
import type { Located } from './locate.ts'

type SchemaNode = {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: boolean | SchemaNode
  readonly items?: SchemaNode
}

/** Alternatives (`oneOf`) are not followed: no number stands in one. */
export function coerceVariables(node: Located, schema: object): Located {
  return coerce(node, schema)
}

function coerce(node: Located, schema: SchemaNode | undefined): Located {
  if (schema === undefined) return node
  if (node.kind === 'list') return { ...node, items: node.items.map((item) => coerce(item, schema.items)) }
  if (node.kind === 'map') {
    const rest = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
    const entries = [...node.entries].map(([key, entry]) => {
      return [key, { ...entry, node: coerce(entry.node, schema.properties?.[key] ?? rest) }] as const
    })
    return { ...node, entries: new Map(entries) }
  }
  const types = [schema.type ?? 'string'].flat()
  if (node.wholly !== true || typeof node.value !== 'string' || types.includes('string')) return node
  return { ...node, value: readScalar(node.value, types) }
}

function readScalar(text: string, types: readonly string[]): boolean | number | string {
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true'
  const isNumber = types.includes('number') || types.includes('integer')
  return isNumber && /^[-+]?[0-9]{1,15}(\.[0-9]+)?$/.test(text) ? Number(text) : text
}
