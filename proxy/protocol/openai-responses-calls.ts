// Owns the question which tool calls an output item of OpenAI's Responses format makes: those of the client's own tools,
// of the provider's, and of MCP servers behind the provider. It does not know where the item came from.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { ToolCall } from './content.ts'
import { present, stringOf } from './shape.ts'
import { parseArguments } from './texts.ts'

/**
 * Empty for an item that calls nothing; undefined for a call without a name. A call through the provider's MCP client is
 * two: of `mcp`, as it is offered, and of the tool behind it.
 */
export function itemCalls(item: JsonObject, path: Path): readonly ToolCall[] | undefined {
  const type = stringOf(item.type) ?? ''
  if (!isCallType(type)) return []
  const address = { path }
  const id = stringOf(item.call_id) ?? stringOf(item.id)
  if (!namedTypes.has(type)) {
    return [present<ToolCall>({ address, id, name: toolOfType(type), args: builtInArguments(item) })]
  }
  if (typeof item.name !== 'string' || item.name === '') return undefined
  const args = typeof item.arguments === 'string' ? parseArguments(item.arguments) : undefined
  const call = present<ToolCall>({ address, id, name: item.name, args })
  if (type === 'function_call' || type === 'custom_tool_call') return [call]
  const { server_label = null, name } = item
  return [present<ToolCall>({ address, id, name: 'mcp', args: { server_label, name } }), call]
}

/** Calls of types that nobody here knows count, too: all are named this way but two. */
export function isCallType(type: string): boolean {
  return type.endsWith('_call') || type === 'mcp_approval_request' || type === 'program'
}

/** Has a call that does not grow by deltas anything yet that could be acted on? Most begin empty. */
export function saysSomething(item: JsonObject): boolean {
  if (typeof item.arguments === 'string') return item.arguments !== ''
  return hasText(builtInArguments(item))
}

const namedTypes: ReadonlySet<string> = new Set([
  'function_call',
  'custom_tool_call',
  'mcp_call',
  'mcp_approval_request',
])

/** The name under which the provider's tool is offered: `web_search` for `web_search_call`. */
function toolOfType(type: string): string {
  return type === 'program' ? 'programmatic_tool_calling' : type.slice(0, -'_call'.length)
}

/** Where the call says what is to be done in one object, that; else all that is neither bookkeeping nor result. */
function builtInArguments(item: JsonObject): Json {
  for (const member of ['action', 'operation', 'arguments'] as const) {
    const said = item[member]
    if (isObject(said)) return said
  }
  return Object.fromEntries(Object.entries(item).filter(([key]) => !bookkeeping.has(key)))
}

const bookkeeping: ReadonlySet<string> = new Set([
  'id',
  'type',
  'status',
  'call_id',
  'caller',
  'created_by',
  'container_id',
  'fingerprint',
  'execution',
  'outputs',
  'output',
  'results',
  'result',
  'error',
])

function hasText(value: Json): boolean {
  if (typeof value === 'string') return value !== ''
  if (Array.isArray(value)) return value.some((entry) => hasText(entry))
  return isObject(value) && Object.entries(value).some(([key, member]) => key !== 'type' && hasText(member))
}
