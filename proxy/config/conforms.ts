// Says whether a value is good by a JSON Schema, and fills in its defaults. Why one is not good it does not know: nearly
// all documents are good, and a validator that can say why takes a quarter of the program's start to load and compile.
import { isObject, type Json, type JsonObject } from '../lib/json.ts'

type Schema = Readonly<Record<string, unknown>> | boolean
type Keyword = (limit: never, value: never, schema: Readonly<Record<string, unknown>>) => boolean

/** False also where the schema holds a keyword that is not known here: then somebody else must say. */
export function conforms(schema: Schema, value: Json): boolean {
  if (typeof schema === 'boolean') return schema
  for (const keyword in schema) {
    const group = groupOf(keyword)
    if (group === undefined) return false
    const check = group[keyword] as (limit: unknown, value: Json, schema: object) => boolean
    if (isOf(group, value) && !check(schema[keyword], value, schema)) return false
  }
  return true
}

/** A keyword says nothing about values of other types than its own. */
function isOf(group: Readonly<Record<string, Keyword>>, value: Json): boolean {
  if (group === forObjects) return isObject(value)
  if (group === forArrays) return Array.isArray(value)
  if (group === forStrings) return typeof value === 'string'
  return group === forNumbers ? typeof value === 'number' : true
}

function groupOf(keyword: string): Readonly<Record<string, Keyword>> | undefined {
  return groups.find((group) => Object.hasOwn(group, keyword))
}

const noted = (): boolean => true

const forAll = {
  $schema: noted,
  $id: noted,
  title: noted,
  description: noted,
  examples: noted,
  writeOnly: noted,
  default: noted,
  type: (types: string | readonly string[], value: Json) => [types].flat().some((type) => isType(type, value)),
  const: (only: Json, value: Json) => only === value,
  enum: (values: readonly Json[], value: Json) => values.includes(value),
  oneOf: (schemas: readonly Schema[], value: Json) => schemas.filter((one) => conforms(one, value)).length === 1,
} satisfies Record<string, Keyword>

const forObjects = {
  properties(properties: Readonly<Record<string, Schema>>, value: JsonObject) {
    for (const [name, schema] of Object.entries(properties)) {
      if (value[name] === undefined && typeof schema === 'object' && schema['default'] !== undefined)
        value[name] = structuredClone(schema['default']) as Json
      if (value[name] !== undefined && !conforms(schema, value[name])) return false
    }
    return true
  },
  required: (names: readonly string[], value: JsonObject) => names.every((name) => value[name] !== undefined),
  additionalProperties(others: Schema, value: JsonObject, { properties = {} }: { readonly properties?: object }) {
    return Object.keys(value).every((name) => Object.hasOwn(properties, name) || conforms(others, value[name] as Json))
  },
  propertyNames: (names: Schema, value: JsonObject) => Object.keys(value).every((name) => conforms(names, name)),
  minProperties: (least: number, value: JsonObject) => Object.keys(value).length >= least,
} satisfies Record<string, Keyword>

const forArrays = {
  items: (each: Schema, value: readonly Json[]) => value.every((entry) => conforms(each, entry)),
  minItems: (least: number, value: readonly Json[]) => value.length >= least,
  maxItems: (most: number, value: readonly Json[]) => value.length <= most,
  uniqueItems: (only: boolean, value: readonly Json[]) =>
    !only || (value.every((entry) => typeof entry !== 'object') && new Set(value).size === value.length),
} satisfies Record<string, Keyword>

const forStrings = {
  pattern: (pattern: string, value: string) => new RegExp(pattern, 'u').test(value),
  minLength: (least: number, value: string) => lengthOf(value) >= least,
  maxLength: (most: number, value: string) => lengthOf(value) <= most,
} satisfies Record<string, Keyword>

const forNumbers = {
  minimum: (least: number, value: number) => value >= least,
  maximum: (most: number, value: number) => value <= most,
  exclusiveMinimum: (below: number, value: number) => value > below,
} satisfies Record<string, Keyword>

const groups: readonly Readonly<Record<string, Keyword>>[] = [forAll, forObjects, forArrays, forStrings, forNumbers]

function isType(type: string, value: Json): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value)
  if (type === 'integer') return Number.isInteger(value)
  return type === 'number' ? Number.isFinite(value) : typeof value === type
}

/** In characters as JSON Schema counts them: code points. */
function lengthOf(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}
