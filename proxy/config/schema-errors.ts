// Owns the validation of a document against the schema, and the sentences that say what is wrong. It knows JSON Schema,
// not the keys of the document.
import type { ErrorObject, ValidateFunction } from 'ajv'
import { openAjv } from '../lib/late-packages.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Problem } from '../lib/problem.ts'
import { durationPattern, sizePattern } from '../lib/units.ts'
import { limitRatePattern } from '../limits/window.ts'
import { conforms } from './conforms.ts'
import { formatPath } from './locate.ts'
import { didYouMean, nearest } from '../lib/nearest.ts'

export type Validate = (document: Json, shown: ShowValue) => Problem[]
/** How a message may show the value at a path: never the content of a variable. */
export type ShowValue = (path: Path, value: Json) => string

/** The validator fills in defaults, in place. The schema is compiled for the first document that is not good. */
export function validator(schema: Readonly<Record<string, unknown>>): Validate {
  let compiled: ValidateFunction | undefined
  return (document, shown) => {
    if (conforms(schema, document)) return []
    const validate = (compiled ??= compile(schema))
    if (validate(document)) return []
    const errors = (validate.errors ?? []).map((error) => ({ error, path: pathOf(document, error.instancePath) }))
    return sentences(pick(errors), shown)
  }
}

/** What makes the code smaller takes longer than it will ever save, and that the schema is one a test asks. */
function compile(schema: object): ValidateFunction {
  return openAjv({
    strict: true,
    allowUnionTypes: true,
    allErrors: true,
    verbose: true,
    useDefaults: true,
    code: { optimize: false },
    meta: false,
    validateSchema: false,
  }).compile(schema)
}

/** `elsewhere`: the key is unknown here, but known to another alternative for the same value. */
type Failure = { readonly error: ErrorObject; readonly path: Path; readonly elsewhere?: true }

/** JSON Pointer → path, with numbers where the document has lists. */
function pathOf(document: Json, pointer: string): Path {
  let node: Json | undefined = document
  return pointer
    .split('/')
    .slice(1)
    .map((part) => {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
      const step = Array.isArray(node) ? Number(key) : key
      node = isParent(node) ? (node as JsonObject)[key] : undefined
      return step
    })
}

/**
 * A value that fits none of several alternatives fails in each. Only the failures of the alternative that was most
 * likely meant are kept: not of another type, and with the fewest failures.
 */
function pick(failures: readonly Failure[]): Failure[] {
  let kept = [...failures]
  const choices = failures.filter(({ error }) => error.keyword === 'oneOf' || error.keyword === 'anyOf')
  // The innermost choice first, so that an outer one counts what is left.
  for (const choice of choices.sort((a, b) => b.path.length - a.path.length)) {
    const prefix = `${choice.error.schemaPath}/`
    const inside = kept.filter(
      ({ error, path }) => error.schemaPath.startsWith(prefix) && startsWith(path, choice.path),
    )
    const branches = Map.groupBy(inside, ({ error }) => error.schemaPath.slice(prefix.length).split('/')[0])
    const known = new Set(
      (choice.error.schema as SubSchema[]).flatMap(({ properties }) => Object.keys(properties ?? {})),
    )
    const likely = [...branches.values()]
      .filter((branch) => !branch.some(({ error, path }) => isWrongKind(error) && path.length === choice.path.length))
      .sort((a, b) => weightOf(a, known) - weightOf(b, known))[0]
    const others = new Set(likely === undefined ? inside : [...inside, choice])
    kept = kept.filter((failure) => !others.has(failure))
    for (const failure of likely ?? []) {
      const elsewhere = failure.path.length === choice.path.length && known.has(unknownKeyOf(failure.error) ?? '')
      kept.push(elsewhere ? { ...failure, elsewhere } : failure)
    }
  }
  return kept
}

function isWrongKind(error: ErrorObject): boolean {
  return error.keyword === 'type' || error.keyword === 'const' || error.keyword === 'enum'
}

/** A misspelt key that is near a missing one is one slip, not two. */
function weightOf(branch: readonly Failure[], known: ReadonlySet<string>): number {
  const missing = branch.filter(({ error }) => error.keyword === 'required').map(({ error }) => missingKeyOf(error))
  const near = branch.filter(({ error }) => {
    const key = unknownKeyOf(error)
    return key !== undefined && !known.has(key) && nearest(key, missing) !== undefined
  })
  return branch.length - near.length * 1.5
}

function sentences(failures: readonly Failure[], shown: ShowValue): Problem[] {
  const unknown = failures.filter(({ error }) => error.keyword === 'additionalProperties')
  return failures.flatMap((failure) => {
    const { error, path, elsewhere } = failure
    if (error.keyword === 'required') {
      const missing = missingKeyOf(error)
      const slip = unknown.some(
        (other) =>
          other.error.instancePath === error.instancePath &&
          nearest(unknownKeyOf(other.error) ?? '', knownKeysOf(other.error)) === missing,
      )
      if (slip) return []
    }
    // A name that propertyNames refuses is reported twice: by the keyword inside and by propertyNames itself.
    if (error.propertyName !== undefined && error.keyword !== 'propertyNames') return []
    if (error.keyword === 'if') return []
    if (elsewhere === true) return [exclusion(error, path)]
    return [problemOf(error, path, shown)]
  })
}

function exclusion(error: ErrorObject, path: Path): Problem {
  const key = unknownKeyOf(error) ?? ''
  const message = `"${key}" cannot stand beside the other keys of ${formatPath(path)}`
  return { path: [...path, key], atKey: true, message, severity: 'error' }
}

function problemOf(error: ErrorObject, path: Path, shown: ShowValue): Problem {
  const here = path.length === 0 ? 'the document' : formatPath(path)
  const inHere = path.length === 0 ? '' : ` in ${here}`
  const params = error.params as Record<string, unknown>
  const value = error.data as Json
  const plain = (message: string, hint?: string): Problem => ({
    path,
    message,
    severity: 'error',
    ...(hint === undefined ? {} : { hint }),
  })
  switch (error.keyword) {
    case 'additionalProperties': {
      const key = String(params['additionalProperty'])
      const hint = didYouMean(key, knownKeysOf(error))
      return { path: [...path, key], atKey: true, message: `unknown key "${key}"${inHere}`, severity: 'error', ...hint }
    }
    case 'propertyNames': {
      const key = String(params['propertyName'])
      const { pattern } = (error.schema ?? {}) as { pattern?: string }
      const hint = nameRegExp.test(pattern ?? '') ? { hint: `it must be ${nameNotation}` } : {}
      return {
        path: [...path, key],
        atKey: true,
        message: `"${key}" cannot be a name${inHere}`,
        severity: 'error',
        ...hint,
      }
    }
    case 'required':
      return plain(`missing key "${missingKeyOf(error)}"${inHere}`, onlyWay(error))
    case 'type': {
      const { pattern = '' } = error.parentSchema as SubSchema
      const notation = notationOf(pattern)
      const not = valueOrKind(path, value, shown)
      // A number in quotes would still lack its unit, unless it needs none.
      const unitless = notation !== undefined && !new RegExp(pattern).test(JSON.stringify(value))
      if (unitless) return plain(`${here} must be ${notation}, not ${not}`)
      return plain(`${here} must be ${kindsOf(params['type'])}, not ${not}`, quoteHint(params['type'], value))
    }
    case 'enum': {
      const allowed = (params['allowedValues'] as Json[]).map((one) => JSON.stringify(one))
      const near = typeof value === 'string' ? didYouMean(value, params['allowedValues'] as string[]) : {}
      return plain(`${here} must be ${oneOf(allowed)}, not ${shown(path, value)}`, near.hint)
    }
    case 'const':
      return plain(`${here} must be ${JSON.stringify(params['allowedValue'])}, not ${shown(path, value)}`)
    case 'pattern':
      return patternProblem(error, `${here} must be`, shown(path, value), plain)
    case 'oneOf':
    case 'anyOf':
      return plain(`${here} must be ${alternativesOf(error)}, not ${kindOf(value)}`)
    default:
      return plain(`${here} ${boundSentence(error.keyword, params) ?? String(error.message)}`)
  }
}

/** Of a missing key that can have one value alone. */
function onlyWay(error: ErrorObject): string | undefined {
  const key = missingKeyOf(error)
  const value = (error.parentSchema as SubSchema).properties?.[key]?.const
  return typeof value === 'string' ? `write ${key}: ${value}` : undefined
}

function patternProblem(
  error: ErrorObject,
  mustBe: string,
  value: string,
  plain: (message: string, hint?: string) => Problem,
): Problem {
  const { pattern } = error.params as { pattern: string }
  const notation = notationOf(pattern) ?? (nameRegExp.test(pattern) ? nameNotation : undefined)
  if (notation !== undefined) return plain(`${mustBe} ${notation}, not ${value}`)
  const { description, examples } = (error.parentSchema ?? {}) as { description?: string; examples?: string[] }
  const like = examples?.map((example) => `"${example}"`) ?? [`text that matches ${pattern}`]
  return plain(`${mustBe} ${examples === undefined ? '' : 'like '}${orOf(like)}, not ${value}`, description)
}

function notationOf(pattern: string): string | undefined {
  const notations: Record<string, string> = {
    [durationPattern]: 'a duration such as 250ms, 30s, 15m or 24h',
    [sizePattern]: 'a size such as 512, 64KiB or 10MiB',
    [limitRatePattern]: 'a rate such as 60/m, 1000/h, 20/10s or 1000/month',
  }
  return notations[pattern]
}

/** The pattern that every folder uses for ids, with a length of its own. */
const nameRegExp = /^\^\[A-Za-z0-9\]\[A-Za-z0-9._-\]\{0,\d+\}\$$/
const nameNotation = 'letters, digits, ".", "_" and "-", beginning with a letter or digit'

function boundSentence(keyword: string, params: Record<string, unknown>): string | undefined {
  const limit = Number(params['limit'])
  const sentences: Record<string, string> = {
    minimum: `must be at least ${limit}`,
    maximum: `must be at most ${limit}`,
    exclusiveMinimum: `must be more than ${limit}`,
    exclusiveMaximum: `must be less than ${limit}`,
    minItems: limit === 1 ? 'must not be empty' : `must have at least ${limit} entries`,
    maxItems: `must have at most ${limit} entries`,
    minLength: limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`,
    maxLength: `must have at most ${limit} characters`,
    minProperties: limit === 1 ? 'must not be empty' : `must have at least ${limit} keys`,
    maxProperties: `must have at most ${limit} keys`,
    uniqueItems: `holds the same entry twice (entries ${String(params['j'])} and ${String(params['i'])}, counted from 0)`,
    dependentRequired: `needs the key "${String(params['missingProperty'])}" beside "${String(params['property'])}"`,
    dependencies: `needs the key "${String(params['missingProperty'])}" beside "${String(params['property'])}"`,
  }
  return sentences[keyword]
}

type SubSchema = {
  type?: string
  pattern?: string
  required?: string[]
  enum?: Json[]
  const?: Json
  properties?: Readonly<Record<string, SubSchema>>
}

function alternativesOf(error: ErrorObject): string {
  const described = (error.schema as SubSchema[]).map((schema) => {
    if (schema.const !== undefined) return JSON.stringify(schema.const)
    if (schema.enum !== undefined) return oneOf(schema.enum.map((one) => JSON.stringify(one)))
    const keys = (schema.required ?? []).map((key) => `"${key}"`).join(' and ')
    return keys === '' ? kindsOf(schema.type ?? 'object') : `a map with ${keys}`
  })
  return orOf([...new Set(described)])
}

function knownKeysOf(error: ErrorObject): string[] {
  return Object.keys((error.parentSchema as SubSchema).properties ?? {})
}

function unknownKeyOf(error: ErrorObject): string | undefined {
  return (error.params as { additionalProperty?: string }).additionalProperty
}

function missingKeyOf(error: ErrorObject): string {
  return String((error.params as { missingProperty?: string }).missingProperty)
}

const kinds: Record<string, string> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'a map',
  array: 'a list',
  null: 'empty',
}

function kindsOf(types: unknown): string {
  return orOf([types].flat().map((type) => kinds[String(type)] ?? String(type)))
}

function kindOf(value: Json): string {
  if (value === null) return 'empty'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a map' : typeof value === 'string' ? 'text' : `a ${typeof value}`
}

/** Numbers and booleans say more than their kind: `4.5` where a whole number is due. */
function valueOrKind(path: Path, value: Json, shown: ShowValue): string {
  return typeof value === 'number' || typeof value === 'boolean' ? shown(path, value) : kindOf(value)
}

function quoteHint(types: unknown, value: Json): string | undefined {
  const quotable = typeof value === 'number' || typeof value === 'boolean'
  return quotable && [types].flat().includes('string') ? 'put it in quotes' : undefined
}

function oneOf(allowed: readonly string[]): string {
  return allowed.length === 1 ? (allowed[0] ?? '') : `one of ${allowed.join(', ')}`
}

function orOf(parts: readonly string[]): string {
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} or ${parts.at(-1)}`
}

function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((step, i) => path[i] === step)
}

function isParent(node: Json | undefined): boolean {
  return typeof node === 'object' && node !== null
}
