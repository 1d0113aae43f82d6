// Owns the table of the Responses format's stream events: which of them let a text grow or end, which are whole, which
// carry no text at all. An event that is not here may only pass if it says nothing.
import type { JsonObject } from '../lib/json.ts'

/** A text that grows by `TYPE.delta` and is whole at `TYPE.done`. */
export type Growing = {
  /** Channels are named `NAME:OUTPUT:INDEX`. */
  readonly name: string
  /** The type of the item it belongs to. */
  readonly item: string
  /** The event's second index, where there are several texts in an item. */
  readonly index?: 'content_index' | 'summary_index' | 'command_index'
  readonly kind: 'text' | 'arguments'
  /** The member of the done event, and of the item or part, that holds the whole text. */
  readonly whole: string
  /** Members that clients expect in the delta beside the text and the indexes. */
  readonly more?: JsonObject
}

const text = { index: 'content_index', kind: 'text' } as const
const call = { kind: 'arguments' } as const

export const growing: ReadonlyMap<string, Growing> = new Map<string, Growing>([
  ['response.output_text', { ...text, name: 'text', item: 'message', whole: 'text', more: { logprobs: [] } }],
  ['response.refusal', { ...text, name: 'refusal', item: 'message', whole: 'refusal' }],
  ['response.reasoning_text', { ...text, name: 'reasoning', item: 'reasoning', whole: 'text' }],
  [
    'response.reasoning_summary_text',
    { name: 'summary', item: 'reasoning', index: 'summary_index', kind: 'text', whole: 'text' },
  ],
  ['response.function_call_arguments', { ...call, name: 'arguments', item: 'function_call', whole: 'arguments' }],
  ['response.mcp_call_arguments', { ...call, name: 'arguments', item: 'mcp_call', whole: 'arguments' }],
  ['response.custom_tool_call_input', { ...call, name: 'input', item: 'custom_tool_call', whole: 'input' }],
  ['response.code_interpreter_call_code', { ...call, name: 'code', item: 'code_interpreter_call', whole: 'code' }],
  ['response.apply_patch_call_operation_diff', { ...call, name: 'diff', item: 'apply_patch_call', whole: 'diff' }],
  [
    'response.shell_call_command',
    { ...call, name: 'command', item: 'shell_call', index: 'command_index', whole: 'command' },
  ],
])

/** Where the growing text of an item or of a part of it stands when it begins. */
export function growingAt(itemType: string, part: JsonObject | undefined): readonly [string, Growing] | undefined {
  for (const entry of growing) {
    if (entry[1].item !== itemType || entry[1].index === 'command_index') continue
    if ((part === undefined) === (entry[1].index === undefined) && (part === undefined || grows(entry[0], part)))
      return entry
  }
  return undefined
}

function grows(event: string, { type }: JsonObject): boolean {
  switch (type) {
    case 'output_text':
    case 'refusal':
    case 'reasoning_text':
      return event === `response.${type}`
    case 'summary_text':
      return event === 'response.reasoning_summary_text'
    default:
      return false
  }
}

/** Whole responses. The last three end the stream. */
export const snapshots: ReadonlyMap<string, 'goes-on' | 'ends'> = new Map([
  ['response.created', 'goes-on'],
  ['response.queued', 'goes-on'],
  ['response.in_progress', 'goes-on'],
  ['response.completed', 'ends'],
  ['response.failed', 'ends'],
  ['response.incomplete', 'ends'],
])

/** Events whose texts are read at their places. Any other event may only pass if it says nothing. */
export function isKnown(type: string): boolean {
  return others.has(type) || snapshots.has(type) || growing.has(type.slice(0, type.lastIndexOf('.')))
}

const others: ReadonlySet<string> = new Set([
  'error',
  'response.output_item.added',
  'response.output_item.done',
  'response.content_part.added',
  'response.content_part.done',
  // Of vLLM.
  'response.reasoning_part.added',
  'response.reasoning_part.done',
  'response.reasoning_summary_part.added',
  'response.reasoning_summary_part.done',
  'response.shell_call_output_content.delta',
  'response.shell_call_output_content.done',
  'response.output_text.annotation.added',
  'response.image_generation_call.partial_image',
  'response.audio.delta',
  'response.audio.transcript.delta',
])
