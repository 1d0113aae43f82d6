// Owns the types of variables: `${PORT}` is text, and where the schema wants a number or a boolean it is read as YAML
// would read it. Values that are only partly a variable stay text. Quotes do not matter, since inside `{ }` a variable
// cannot be written without them.
import { conforms } from './conforms.ts'
import type { Located, LocatedScalar } from './locate.ts'

type SchemaNode = {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: boolean | SchemaNode
  readonly items?: SchemaNode
  readonly oneOf?: readonly SchemaNode[]
}

export function coerceVariables(node: Located, schema: object): Located {
  return coerce(node, alternativesOf(schema))
}

/** Which of several alternatives is meant cannot be known here, so a value has what any of them says of it. */
function alternativesOf(schema: SchemaNode | undefined): readonly SchemaNode[] {
  if (schema === undefined) return []
  return schema.oneOf === undefined ? [schema] : schema.oneOf.flatMap(alternativesOf)
}

function coerce(node: Located, schemas: readonly SchemaNode[]): Located {
  if (schemas.length === 0) return node
  if (node.kind === 'list') {
    const each = schemas.flatMap(({ items }) => alternativesOf(items))
    return { ...node, items: node.items.map((item) => coerce(item, each)) }
  }
  if (node.kind === 'map') {
    const entries = [...node.entries].map(([key, entry]) => {
      const known = schemas.flatMap((schema) => alternativesOf(schemaOfKey(schema, key)))
      return [key, { ...entry, node: coerce(entry.node, known) }] as const
    })
    return { ...node, entries: new Map(entries) }
  }
  return coerceScalar(node, schemas)
}

function schemaOfKey({ properties, additionalProperties: others }: SchemaNode, key: string): SchemaNode | undefined {
  return properties?.[key] ?? (typeof others === 'object' ? others : undefined)
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
