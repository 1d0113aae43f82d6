// Owns the first look at a document: whether the members that a reader relies on have the types it relies on. What is
// wrong is said with its place, never with its content.
import type { Json, JsonObject } from '../lib/json.ts'

export type Kind = 'string' | 'number' | 'boolean' | 'array' | 'object'

/** What is wrong with `owner[key]`, or undefined. A missing or null member is wrong only where it is `required`. */
export function wrongMember(
  owner: JsonObject,
  key: string,
  kinds: readonly Kind[],
  place: string,
  required = false,
): string | undefined {
  const value = owner[key]
  if (value === undefined || value === null) return required ? `${place}${key} is missing.` : undefined
  return (kinds as readonly string[]).includes(kindOf(value))
    ? undefined
    : `${place}${key} must be ${kinds.join(' or ')}.`
}

/** Names of members that a reader relies on. */
export type Names = { readonly exact: ReadonlySet<string>; readonly folded: ReadonlyMap<string, string> }

export function namesOf(...names: string[]): Names {
  return { exact: new Set(names), folded: new Map(names.map((name) => [foldName(name), name])) }
}

/**
 * Some servers match the names of members whatever their case. One that differs from a known name in case alone would be
 * that member to them and nothing to us. Says so, or undefined.
 */
export function lookalikeIn(owner: JsonObject, { exact, folded }: Names): string | undefined {
  for (const key of Object.keys(owner)) {
    const name = exact.has(key) ? undefined : folded.get(foldName(key))
    if (name !== undefined) return `a member is named almost like ${name}.`
  }
  return undefined
}

const foldedRegExp = /^[a-z0-9_]*$/

/** As Go's encoding/json compares names: lower case, with ſ for s; the Kelvin sign is a k in lower case anyway. */
export function foldName(name: string): string {
  return foldedRegExp.test(name) ? name : name.toLowerCase().replaceAll('\u017f', 's')
}

export function stringOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export function arrayOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

/** A count, such as tokens; anything else is as good as absent. */
export function countOf(value: Json | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}

/** Of a maximum where some server takes zero for none. */
export function maximumOf(value: Json | undefined): number | undefined {
  const count = countOf(value)
  return count === 0 ? undefined : count
}

/** The object without its undefined members, for types whose members are optional. */
export function present<T extends object>(members: { [K in keyof T]: T[K] | undefined }): T {
  const kept: Partial<T> = {}
  for (const key of Object.keys(members) as (keyof T)[]) {
    const value = members[key]
    if (value !== undefined) kept[key] = value
  }
  return kept as T
}

function kindOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value
}
