// Owns the shape of one JSON-RPC message (JSON-RPC 2.0 as MCP narrows it): what kind it is, and that it can be read in one
// way only. It does not know the methods.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { foldName, lookalikeIn, namesOf } from './shape.ts'

export type Id = string | number

export type Message =
  | { readonly kind: 'request'; readonly method: string; readonly id: Id; readonly params: JsonObject }
  | { readonly kind: 'notification'; readonly method: string; readonly params: JsonObject }
  /** `id` is absent in an error about something that had none to be read. */
  | { readonly kind: 'response'; readonly id?: Id; readonly result?: JsonObject; readonly error?: JsonObject }

/** A string says what is wrong. Batches went with 2025-06-18, and one judgement is about one message. */
export function readMessage(body: Json): Message | string {
  if (Array.isArray(body)) return 'batches are not served.'
  if (!isObject(body)) return 'it must be an object.'
  if (body['jsonrpc'] !== '2.0') return 'jsonrpc must be "2.0".'
  const lookalike = lookalikeIn(body, members)
  if (lookalike !== undefined) return lookalike
  return Object.hasOwn(body, 'method') ? readCall(body) : readResponse(body)
}

/** Whether anybody could take it for a message, or for several. */
export function isMessageLike(body: Json): boolean {
  const messages = Array.isArray(body) ? body : [body]
  return messages.some((one) => isObject(one) && Object.keys(one).some((key) => foldName(key) === 'jsonrpc'))
}

const members = namesOf('jsonrpc', 'id', 'method', 'params', 'result', 'error')
const idLengthMax = 256

function readCall(body: JsonObject): Message | string {
  const { method, params, id } = body
  if (typeof method !== 'string' || method === '') return 'method must be a string.'
  if (Object.hasOwn(body, 'result') || Object.hasOwn(body, 'error')) return 'it is both a request and a response.'
  if (params !== undefined && !isObject(params)) return 'params must be an object.'
  if (!Object.hasOwn(body, 'id')) return { kind: 'notification', method, params: params ?? {} }
  if (!isId(id)) return 'id must be a string or a whole number.'
  return { kind: 'request', method, id, params: params ?? {} }
}

function readResponse(body: JsonObject): Message | string {
  const { id, result, error } = body
  const named = isId(id) ? { id } : undefined
  if (Object.hasOwn(body, 'result')) {
    if (Object.hasOwn(body, 'error')) return 'it has both a result and an error.'
    if (!isObject(result)) return 'result must be an object.'
    return named === undefined ? 'id must be a string or a whole number.' : { kind: 'response', ...named, result }
  }
  if (!isObject(error)) return 'it has neither method, result nor error.'
  if (id !== undefined && id !== null && named === undefined) return 'id must be a string or a whole number.'
  return { kind: 'response', ...named, error }
}

/** Numbers that a double cannot hold would come back changed. */
function isId(id: Json | undefined): id is Id {
  return (typeof id === 'string' && id.length <= idLengthMax) || (typeof id === 'number' && Number.isSafeInteger(id))
}
