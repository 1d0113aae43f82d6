// Owns what a call of a plain HTTP tool says to it, as rules see it: the members of the body and the query's parameters. Where
// tools differ in what they take from the same bytes, it says so instead of choosing.
import type { Action } from '../policy/query.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import type { Inspected } from './exchange.ts'

type Said = Pick<Action, 'args' | 'disputedArgs' | 'method'>

/**
 * No `args` when the body was not read so, or when body and query both say something of the same name: the tool may believe
 * either.
 */
export function saidTo(x: Inspected): Said {
  const method = hidesMethod(x) ? undefined : { method: x.head.method }
  const read = argsOf(x)
  if (read === undefined) return { ...method }
  const { args, pairs } = read
  const disputed = pairs === undefined ? [] : disputedIn(pairs)
  return {
    args,
    ...(disputed.length === 0 ? undefined : { disputedArgs: disputed }),
    ...method,
  }
}

/** Frameworks of the web do another method where a POST says so, in its query or its form; some, in JSON, too. */
function hidesMethod({ head, body, query }: Inspected): boolean {
  if (head.method !== 'POST') return false
  if (query !== '' && saysMethod(namesIn(query))) return true
  if (body.form !== 'json') return false
  if (body.carried?.isDisputed === true) return saysMethod(namesIn(new TextDecoder().decode(body.bytes)))
  if (!isObject(body.value)) return false
  return body.carried === undefined ? Object.hasOwn(body.value, otherMethod) : saysMethod(Object.keys(body.value))
}

const otherMethod = '_method'

function saysMethod(names: Iterable<string>): boolean {
  for (const name of names) if (name === otherMethod || otherNames(name).includes(otherMethod)) return true
  return false
}

/** Of all that some server would read. */
function namesIn(pairs: string): Iterable<string> {
  return new URLSearchParams(pairs.replaceAll(';', '&')).keys()
}

/** `pairs`: what came as names and values, and not as JSON. */
type Read = { readonly args: Json; readonly pairs?: JsonObject }

function argsOf({ body, query }: Inspected): Read | undefined {
  // Some servers take `;` for `&`, so that there are other parameters for them than for us.
  if (query.includes(';')) return undefined
  const inQuery = query === '' ? undefined : queryArgs(query)
  if (body.form === 'none') return { args: inQuery ?? {}, pairs: inQuery ?? {} }
  if (body.form !== 'json' || body.carried?.isDisputed === true) return undefined
  const { value } = body
  const isForm = body.carried !== undefined && isObject(value)
  if (inQuery === undefined) return isForm ? { args: value, pairs: value } : { args: value }
  if (!isObject(value) || Object.keys(inQuery).some((name) => Object.hasOwn(value, name))) return undefined
  const args = { ...value, ...inQuery }
  return { args, pairs: isForm ? args : inQuery }
}

function queryArgs(query: string): JsonObject {
  const args = Object.create(null) as JsonObject
  for (const [name, value] of new URLSearchParams(query)) {
    const before = args[name]
    args[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return { ...args }
}

/**
 * Of a name that comes again some tools take the first value, some the last and some all, unless it says by its end that it
 * is a list. And some read a name as another one.
 */
function disputedIn(pairs: JsonObject): string[] {
  const disputed = new Set<string>()
  for (const [name, value] of Object.entries(pairs)) {
    if (Array.isArray(value) && !name.endsWith('[]')) disputed.add(name)
    for (const other of otherNames(name)) disputed.add(other)
  }
  return [...disputed]
}

/** What some tools read a name as. */
function otherNames(name: string): readonly string[] {
  if (plainName.test(name)) return []
  const shown = name.replace(unseen, '')
  const base = shown.slice(0, (shown.indexOf('[') + 1 || shown.length + 1) - 1)
  return [base, base.replaceAll(/[. ]/g, '_')].filter((other) => other !== name)
}

/** Everybody reads it alike. */
const plainName = /^[\w-]*$/
/** White space and marks before a name, and what stands behind a NUL. */
const unseen = /^[\s\0]+|\0.*$/gs
