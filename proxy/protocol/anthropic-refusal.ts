// Owns how denied tool calls leave an Anthropic message: each becomes a text block in the same place, because clients
// count blocks. It does not know streams.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { RefusedCall } from './protocol.ts'
import { arrayOf } from './shape.ts'
import { withheldResult } from './withheld.ts'

export function refuseMessagesCalls(answer: Json, refused: readonly RefusedCall[]): Edit[] {
  if (!isObject(answer)) return []
  const edits: Edit[] = refused.map(({ call: { address }, text }) => ({ address, json: textBlock(text) }))
  const places = new Set(refused.map(({ call }) => call.address.path[1]))
  const ids = new Set(refused.flatMap(({ call }) => call.id ?? []))
  let left = false
  for (const [index, block] of arrayOf(answer.content).entries()) {
    if (!isObject(block) || places.has(index)) continue
    if (isResultOf(block, ids)) edits.push({ address: { path: ['content', index] }, json: textBlock(withheldResult) })
    left ||= block.type === clientCall
  }
  if (!left && answer.stop_reason === clientCall) edits.push({ address: { path: ['stop_reason'] }, text: 'end_turn' })
  return edits
}

/** A block that the client must answer, and the stop reason that says so. */
export const clientCall = 'tool_use'

/** The provider refuses a history with the result of a call that is not in it. */
export function isResultOf(block: JsonObject, ids: ReadonlySet<string>): boolean {
  return typeof block.tool_use_id === 'string' && ids.has(block.tool_use_id)
}

export function textBlock(text: string): string {
  return JSON.stringify({ type: 'text', text })
}
