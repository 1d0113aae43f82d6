// Owns the table of the events that a server sends in OpenAI's realtime conversations, by both of the names that some
// have had: which let a text grow or end, which are whole, which carry no text at all. An event that is not here may only
// pass if it says nothing.
import type { JsonObject } from '../lib/json.ts'
import { isHeard } from './openai-realtime-heard.ts'

/** A text that grows by `TYPE.delta` and is whole at `TYPE.done`. */
export type Growing = {
  /** Channels are named `NAME:ITEM:INDEX`. */
  readonly name: 'text' | 'transcript' | 'arguments'
  /** The type of the item it belongs to. */
  readonly item: string
  readonly kind: 'text' | 'arguments'
  /** The member of the done event, and of the item or part, that holds the whole text. */
  readonly whole: 'text' | 'transcript' | 'arguments'
}

const text = { name: 'text', item: 'message', kind: 'text', whole: 'text' } as const
const transcript = { name: 'transcript', item: 'message', kind: 'text', whole: 'transcript' } as const
const call = { name: 'arguments', kind: 'arguments', whole: 'arguments' } as const

export const growing: ReadonlyMap<string, Growing> = new Map<string, Growing>([
  ['response.output_text', text],
  ['response.text', text],
  ['response.output_audio_transcript', transcript],
  ['response.audio_transcript', transcript],
  ['response.function_call_arguments', { ...call, item: 'function_call' }],
  ['response.mcp_call_arguments', { ...call, item: 'mcp_call' }],
])

/** What grows in a part of a message's content, and by which event, in the names of a conversation. */
export function growingIn(part: JsonObject, old: boolean): readonly (readonly [string, Growing])[] {
  const found: (readonly [string, Growing])[] = []
  if (typeof part.text === 'string') found.push([old ? 'response.text' : 'response.output_text', text])
  if (typeof part.transcript === 'string')
    found.push([old ? 'response.audio_transcript' : 'response.output_audio_transcript', transcript])
  return found
}

/** Whether an event is one of those whose name was another once. */
export function isOld(type: string): boolean {
  return type === 'conversation.item.created' || /^response\.(?:text|audio|audio_transcript)\./.test(type)
}

/** Items of the conversation as they are, whoever brought them. */
export const wholeItems: ReadonlySet<string> = new Set([
  'conversation.item.created',
  'conversation.item.added',
  'conversation.item.done',
  'conversation.item.retrieved',
])

/** Events whose texts are read at their places. Any other event may only pass if it says nothing. */
export function isKnown(type: string): boolean {
  return others.has(type) || wholeItems.has(type) || isHeard(type) || growing.has(type.slice(0, type.lastIndexOf('.')))
}

const others: ReadonlySet<string> = new Set([
  'error',
  'session.created',
  'session.updated',
  'transcription_session.updated',
  'rate_limits.updated',
  'input_audio_buffer.dtmf_event_received',
  'response.created',
  'response.done',
  'response.output_item.added',
  'response.output_item.done',
  'response.content_part.added',
  'response.content_part.done',
  'response.output_audio.delta',
  'response.audio.delta',
  'session.output_audio.delta',
])
