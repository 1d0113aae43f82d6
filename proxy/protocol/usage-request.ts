// Owns where a request for a stream asks that its usage be reported, in formats that report it only then, the edit that
// makes it ask, and the event that answers. Who wants to know it does not know.
import type { Edit } from '../lib/edit.ts'
import { isObject, type Json } from '../lib/json.ts'
import type { ProtocolName } from './protocol.ts'

/** Undefined where the request asks already, is for no stream, or where streams of the operation always say it. */
export function askUsage(protocol: ProtocolName, operation: string, body: Json): Edit | undefined {
  if (protocol !== 'openai' || !operations.has(operation) || !isObject(body) || body.stream !== true) return undefined
  const { stream_options: options } = body
  // Whatever some server might take for less than an object of options says nothing that has to be kept.
  if (!isObject(options)) return { address: { path: ['stream_options'] }, json: '{"include_usage":true}' }
  if (options.include_usage === true) return undefined
  return { address: { path: ['stream_options', 'include_usage'] }, json: 'true' }
}

/** The event behind the last choice that is there only because usage was asked for. */
export function isUsageOnly(event: Json | undefined): boolean {
  if (!isObject(event) || !isObject(event.usage)) return false
  const { choices = null } = event
  return choices === null || (Array.isArray(choices) && choices.length === 0)
}

const operations: ReadonlySet<string> = new Set(['chat.completions', 'completions'])
