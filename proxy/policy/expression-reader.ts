// Owns the operands of the quick answer: the fields of a query, and what is written out in an expression, as plain values.
// A value that is absent, or that the expression language would not take, is not given, so the question stays open.
import type { ASTNode } from '@marcbachmann/cel-js'
import type { Action, Query } from './query.ts'

/** As much of a query as is known: all of it, or who asks. */
export type Glimpse = Pick<Query, 'principal'> &
  Partial<Pick<Query, 'findings' | 'route' | 'upstream' | 'client'>> & { readonly action: Partial<Action> }

export type Scalar = string | number | boolean
export type Reader =
  | { readonly kind: 'string'; readonly read: (seen: Glimpse) => string | undefined }
  | { readonly kind: 'number'; readonly read: (seen: Glimpse) => number | undefined }
  | { readonly kind: 'bool'; readonly read: (seen: Glimpse) => boolean | undefined }
export type List = { readonly kind: Reader['kind']; readonly read: (seen: Glimpse) => readonly Scalar[] | undefined }

/** Undefined for what is neither a field nor a literal. `entities`: entity → group. */
export function readerOf(node: ASTNode, entities: ReadonlyMap<string, string>): Reader | undefined {
  switch (node.op) {
    case 'value':
      return literal(node.args)
    case 'id':
      return variable(node.args)
    case '.':
      return node.args[0].op === 'id' ? field(node.args[0].args, node.args[1], entities) : undefined
    case '[]': {
      const [object, key] = node.args
      if (object.op !== 'id' || key.op !== 'value' || typeof key.args !== 'string') return undefined
      return field(object.args, key.args, entities)
    }
    case 'call':
      return node.args[0] === 'size' && node.args[1][0] !== undefined ? sizeOf(node.args[1][0]) : undefined
    case 'rcall':
      return node.args[0] === 'size' ? sizeOf(node.args[1]) : undefined
    default:
      return undefined
  }
}

export function listOf(node: ASTNode): List | undefined {
  if (node.op === 'list') return literalList(node.args)
  if (node.op === 'id' && node.args === 'tools') return { kind: 'string', read: (seen) => seen.action.tools }
  const [object, name] = node.op === '.' ? node.args : []
  if (object?.op !== 'id' || object.args !== 'principal' || name !== 'roles') return undefined
  return { kind: 'string', read: (seen) => seen.principal.roles }
}

function literal(value: unknown): Reader | undefined {
  if (typeof value === 'string') return { kind: 'string', read: () => value }
  if (typeof value === 'boolean') return { kind: 'bool', read: () => value }
  const number = typeof value === 'bigint' ? whole(Number(value)) : value
  return typeof number === 'number' ? { kind: 'number', read: () => number } : undefined
}

/** Of one type: the language looks for one overload for the whole list. */
function literalList(items: readonly ASTNode[]): List | undefined {
  const readers = items.map((item) => (item.op === 'value' ? literal(item.args) : undefined))
  const kind = readers[0]?.kind
  const type = items[0]?.op === 'value' ? typeof items[0].args : undefined
  if (kind === undefined || type === 'number') return undefined
  if (!items.every((item) => item.op === 'value' && typeof item.args === type)) return undefined
  const values = readers.map((reader) => reader?.read(nobody))
  const known = values.filter((value) => value !== undefined)
  return known.length === values.length ? { kind, read: () => known } : undefined
}

const nobody: Glimpse = { principal: { id: '', roles: [] }, action: {} }

function variable(name: string): Reader | undefined {
  switch (name) {
    case 'model':
    case 'operation':
    case 'tool':
    case 'via':
    case 'method':
    case 'path':
    case 'description':
    case 'uri':
    case 'name':
      return { kind: 'string', read: (seen) => seen.action[name] }
    case 'route':
    case 'upstream':
      return { kind: 'string', read: (seen) => seen[name] }
    case 'maxTokens':
    case 'messages':
      return { kind: 'number', read: (seen) => whole(seen.action[name]) }
    case 'stream':
      return { kind: 'bool', read: (seen) => seen.action.stream }
    default:
      return undefined
  }
}

function field(object: string, name: string, entities: ReadonlyMap<string, string>): Reader | undefined {
  if (object === 'findings') return count(name, entities)
  if (object === 'client' && name === 'ip') return { kind: 'string', read: (seen) => seen.client?.ip }
  if (object !== 'principal' || (name !== 'id' && name !== 'org' && name !== 'team')) return undefined
  return { kind: 'string', read: (seen) => seen.principal[name] }
}

/** How many of an entity, or of all entities of a group. */
function count(name: string, entities: ReadonlyMap<string, string>): Reader | undefined {
  const members = [...entities].filter(([, group]) => group === name).map(([entity]) => entity)
  if (entities.has(name) === members.length > 0) return undefined
  if (members.length === 0) members.push(name)
  return {
    kind: 'number',
    read: ({ findings }) => {
      if (findings === undefined) return undefined
      let sum = 0
      for (const entity of members) sum += findings[entity] ?? 0
      return whole(sum)
    },
  }
}

function sizeOf(node: ASTNode): Reader | undefined {
  const list = node.op === 'list' ? undefined : listOf(node)
  return list && { kind: 'number', read: (seen) => list.read(seen)?.length }
}

/** CEL's integers are exact; numbers here are as long as they are safe. */
function whole(value: number | undefined): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}
