// Owns the types of variables: `${PORT}` is text, and where the schema wants a number or a boolean it is read as YAML
// would read it. Values that are only partly a variable stay text. Quotes do not matter, since inside `{ }` a variable
// cannot be written without them.
import { conforms } from './conforms.ts'
import type { Located, LocatedScalar } from './locate.ts'
import { alternativesOf, schemasOfItems, schemasOfKey, type SchemaNode } from './schema-places.ts'

export function coerceVariables(node: Located, schema: object): Located {
  return coerce(node, alternativesOf(schema))
}

function coerce(node: Located, schemas: readonly SchemaNode[]): Located {
  if (schemas.length === 0) return node
  if (node.kind === 'list') {
    const each = schemasOfItems(schemas)
    return { ...node, items: node.items.map((item) => coerce(item, each)) }
  }
  if (node.kind === 'map') {
    const entries = [...node.entries].map(([key, entry]) => {
      return [key, { ...entry, node: coerce(entry.node, schemasOfKey(schemas, key)) }] as const
    })
    return { ...node, entries: new Map(entries) }
  }
  return coerceScalar(node, schemas)
}

/** Text that is good as it stands stays text. */
function coerceScalar(node: LocatedScalar, schemas: readonly SchemaNode[]): LocatedScalar {
  const { value } = node
  if (node.wholly !== true || typeof value !== 'string') return node
  if (schemas.some((schema) => conforms(schema, value))) return node
  const types = schemas.flatMap(({ type }) => type ?? [])
  return { ...node, value: readScalar(value, types) }
}

function readScalar(text: string, types: readonly string[]): boolean | number | string {
  if (types.includes('boolean') && /^(true|false)$/.test(text)) return text === 'true'
  const isNumber = types.includes('number') || types.includes('integer')
  return isNumber && /^[-+]?[0-9]{1,15}(\.[0-9]+)?$/.test(text) ? Number(text) : text
}
