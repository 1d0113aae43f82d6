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
  const { method } = x.head
  const read = argsOf(x)
  if (read === undefined) return { method }
  const { args, pairs } = read
  const disputed = pairs === undefined ? [] : disputedIn(pairs)
  return {
    args,
    ...(disputed.length === 0 ? undefined : { disputedArgs: disputed }),
    ...(method === 'POST' && isObject(args) && Object.hasOwn(args, otherMethod) ? undefined : { method }),
  }
}

/** Frameworks of the web do another method where a form says so. */
const otherMethod = '_method'

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
    if (plainName.test(name)) continue
    const shown = name.replace(unseen, '')
    const base = shown.slice(0, (shown.indexOf('[') + 1 || shown.length + 1) - 1)
    for (const other of [base, base.replaceAll(/[. ]/g, '_')]) if (other !== name) disputed.add(other)
  }
  return [...disputed]
}

/** Everybody reads it alike. */
const plainName = /^[\w-]*$/
/** White space and marks before a name, and what stands behind a NUL. */
const unseen = /^[\s\0]+|\0.*$/gs
