// Owns how denied tool calls leave a chat completion: what the client reads instead, and a finish reason that goes with
// it. It does not know streams.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { RefusedCall } from './protocol.ts'
import { arrayOf } from './shape.ts'

export function refuseChatCalls(answer: Json, refused: readonly RefusedCall[]): Edit[] {
  if (!isObject(answer)) return []
  return arrayOf(answer.choices).flatMap((choice, index) => {
    const inChoice = refused.filter(({ call }) => call.address.path[1] === index)
    const message = isObject(choice) ? choice.message : undefined
    if (inChoice.length === 0 || !isObject(choice) || !isObject(message)) return []
    return refuseInChoice(choice, message, ['choices', index], inChoice)
  })
}

/** The finish reasons that announce a tool call; without one, clients wait for a call that never comes. */
export function announcesCall(finishReason: Json | undefined): boolean {
  return finishReason === 'tool_calls' || finishReason === 'function_call'
}

/** Between what the model said and what is said in its place. */
export const paragraph = '\n\n'

function refuseInChoice(choice: JsonObject, message: JsonObject, path: Path, refused: readonly RefusedCall[]): Edit[] {
  const at = [...path, 'message']
  const listed = refused.filter(({ call }) => call.address.path[3] === 'tool_calls')
  const calls = arrayOf(message.tool_calls).length
  // Clients take an empty list for a list of calls.
  const edits: Edit[] =
    listed.length > 0 && listed.length === calls
      ? [{ address: { path: [...at, 'tool_calls'] }, remove: true }]
      : listed.map(({ call: { address } }) => ({ address, remove: true }))
  if (listed.length < refused.length) edits.push({ address: { path: [...at, 'function_call'] }, remove: true })
  const text = refused.map((one) => one.text).join(paragraph)
  edits.push({ address: { path: [...at, 'content'] }, json: JSON.stringify(withText(message.content, text)) })
  const left = calls - listed.length + (isObject(message.function_call) && listed.length === refused.length ? 1 : 0)
  if (left === 0 && announcesCall(choice.finish_reason))
    edits.push({ address: { path: [...path, 'finish_reason'] }, text: 'stop' })
  return edits
}

function withText(content: Json | undefined, text: string): Json {
  if (typeof content === 'string' && content !== '') return content + paragraph + text
  return Array.isArray(content) ? [...content, { type: 'text', text }] : text
}
