// Owns the walk of a schema along a document: what is said of the value under a key, and of those in a list. Which of
// several alternatives is meant cannot be known on the way, so a value has what any of them says of it.

export type SchemaNode = {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly writeOnly?: boolean
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly additionalProperties?: boolean | SchemaNode
  readonly items?: SchemaNode
  readonly oneOf?: readonly SchemaNode[]
}

export function alternativesOf(schema: SchemaNode | undefined): readonly SchemaNode[] {
  if (schema === undefined) return []
  return schema.oneOf === undefined ? [schema] : schema.oneOf.flatMap(alternativesOf)
}

/** Nothing where no alternative knows the key. */
export function schemasOfKey(schemas: readonly SchemaNode[], key: string): readonly SchemaNode[] {
  return schemas.flatMap(({ properties, additionalProperties: others }) =>
    alternativesOf(properties?.[key] ?? (typeof others === 'object' ? others : undefined)),
  )
}

export function schemasOfItems(schemas: readonly SchemaNode[]): readonly SchemaNode[] {
  return schemas.flatMap(({ items }) => alternativesOf(items))
}
