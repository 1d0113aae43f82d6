// Owns what a call of a plain HTTP tool says to it, as rules see it: the members of the body and the query's parameters. Where
// tools differ in what they take from the same bytes, it says so instead of choosing.
import type { Action } from '../policy/query.ts'
import { foldKey, isObject, type Json, type JsonObject } from '../lib/json.ts'
import { isUtf8, pairsReadMax, queryPairs } from '../lib/query-pairs.ts'
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

/**
 * Frameworks of the web do another method where a POST says so, in its query or its form; some, in JSON, too, and some
 * whatever the method is, where the query says so (WordPress).
 */
function hidesMethod({ head, body, query }: Inspected): boolean {
  if (mayNameMethod.test(query) && saysMethod(allPairs(query))) return true
  if (head.method !== 'POST' || body.form !== 'json') return false
  if (body.carried?.isDisputed === true) return saysMethod(allPairs(new TextDecoder().decode(body.bytes)))
  if (!isObject(body.value)) return false
  return body.carried === undefined ? Object.hasOwn(body.value, '_method') : saysMethod(Object.entries(body.value))
}

/** In clear or escaped. */
const mayNameMethod = /method|%/i

function saysMethod(pairs: Iterable<readonly [string, unknown]>): boolean {
  for (const [name, value] of pairs)
    for (const read of [name, ...otherNames(name)]) if (isMethod(read, value)) return true
  return false
}

/** The second is Salesforce's. What other tools mean by the third is rarely called as a method is (Facebook, Restlet). */
function isMethod(name: string, value: unknown): boolean {
  const folded = foldKey(name)
  if (folded === '_method' || folded === '_httpmethod') return true
  return folded === 'method' && [value].flat().some((one) => methodForm.test(String(one)))
}

const methodForm = /^\s*(?:get|head|post|put|patch|delete|options)\s*$/i

/** All that some server would read. */
function allPairs(pairs: string): Iterable<[string, string]> {
  return queryPairs(pairs.replaceAll(';', '&'))
}

/** `pairs`: what came as names and values, and not as JSON. */
type Read = { readonly args: Json; readonly pairs?: JsonObject }

function argsOf({ body, query }: Inspected): Read | undefined {
  if (isDisputed(query)) return undefined
  const inQuery = query === '' ? undefined : queryArgs(query)
  if (body.form === 'none') return { args: inQuery ?? {}, pairs: inQuery ?? {} }
  if (body.form !== 'json' || body.carried?.isDisputed === true) return undefined
  const { value } = body
  const isForm = body.carried !== undefined && isObject(value)
  if (inQuery === undefined) return isForm ? { args: value, pairs: value } : { args: value }
  if (!isObject(value) || haveNamesInCommon(value, inQuery)) return undefined
  const args = { ...value, ...inQuery }
  return { args, pairs: isForm ? args : inQuery }
}

/** Some servers take `;` for `&`, so that there are other parameters for them than for us; some stop reading. */
function isDisputed(query: string): boolean {
  return query.includes(';') || !isUtf8(query) || query.split('&').length > pairsReadMax
}

/** To some tools names that differ only in case are the same one. */
function haveNamesInCommon(one: JsonObject, other: JsonObject): boolean {
  const names = new Set(Object.keys(one).map(foldKey))
  return Object.keys(other).some((name) => names.has(foldKey(name)))
}

function queryArgs(query: string): JsonObject {
  const args = Object.create(null) as JsonObject
  for (const [name, value] of queryPairs(query)) {
    const before = args[name]
    args[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  }
  return { ...args }
}

/**
 * Of a name that comes again some tools take the first value, some the last and some all, unless it says by its end that it
 * is a list. And some read a name as another one, be it the same in another case.
 */
function disputedIn(pairs: JsonObject): string[] {
  const disputed = new Set<string>()
  const names = new Map<string, string>()
  for (const [name, value] of Object.entries(pairs)) {
    if (Array.isArray(value) && !name.endsWith('[]')) disputed.add(name)
    const same = names.get(foldKey(name))
    if (same === undefined) names.set(foldKey(name), name)
    else disputed.add(same).add(name)
  }
  for (const name of Object.keys(pairs))
    for (const other of otherNames(name)) disputed.add(other).add(names.get(foldKey(other)) ?? other)
  return [...disputed]
}

/** What some tools read a name as. */
function otherNames(name: string): readonly string[] {
  if (plainName.test(name)) return []
  const shown = name.replace(unseen, '')
  const bracket = shown.indexOf('[')
  const base = bracket === -1 ? shown : shown.slice(0, bracket)
  const others = [base, underscored(base)]
  // Rack and qs take brackets off wherever they stand.
  const inner = /[^[\]]+/.exec(shown)?.[0]
  if (inner !== undefined) others.push(inner)
  // PHP takes a bracket that is not closed for part of the name.
  if (bracket !== -1) others.push(`${underscored(base)}_${shown.slice(bracket + 1)}`, underscored(shown))
  return others.filter((other) => other !== name)
}

/** Everybody reads it alike. */
const plainName = /^[\w-]*$/
/** White space and marks before a name, and what stands behind a NUL. */
const unseen = /^[\s\0?]+|\0.*$/gs

/** As PHP writes the names of its variables. */
function underscored(name: string): string {
  return name.replaceAll(/[. []/g, '_')
}
