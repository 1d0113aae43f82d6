// Owns how denied tool calls leave a response: a message of the assistant takes the place of their output item, so that
// the other items keep theirs. It knows the shape of the events that make up such a message, but does not read any.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { formatEvent } from '../lib/sse.ts'
import type { RefusedCall } from './protocol.ts'
import { arrayOf, stringOf } from './shape.ts'
import { withheldResult } from './withheld.ts'

export function refuseResponseCalls(answer: Json, refused: readonly RefusedCall[]): Edit[] {
  if (!isObject(answer)) return []
  const messages = new Refusals()
  for (const { call, text } of refused) {
    const item = arrayOf(answer.output)[call.address.path[1] as number]
    if (isObject(item)) messages.add(item, text)
  }
  return messages.edits(answer.output, ['output'])
}

/** The calls that were denied, and what stands in their place wherever they or their results are said again. */
export class Refusals {
  readonly #texts = new Map<string, string>()
  readonly #callIds = new Set<string>()

  add(item: JsonObject, text: string): JsonObject {
    const id = idOf(item)
    if (!this.#texts.has(id)) this.#texts.set(id, text)
    if (typeof item.call_id === 'string') this.#callIds.add(item.call_id)
    return message(id, this.#texts.get(id) ?? text)
  }

  /** What stands in the place of an item; undefined where it stays. */
  insteadOf(item: Json | undefined): JsonObject | undefined {
    if (!isObject(item)) return undefined
    if (this.isResult(item)) return message(idOf(item), withheldResult)
    const text = this.#texts.get(idOf(item))
    return text === undefined || item.type === 'message' ? undefined : message(idOf(item), text)
  }

  /** What the provider got from a call that it made by itself. */
  isResult(item: JsonObject): boolean {
    return (
      typeof item.type === 'string' &&
      item.type.endsWith('_output') &&
      typeof item.call_id === 'string' &&
      this.#callIds.has(item.call_id)
    )
  }

  edits(output: Json | undefined, path: Path): Edit[] {
    return arrayOf(output).flatMap((item, index) => {
      const instead = this.insteadOf(item)
      return instead === undefined ? [] : [{ address: { path: [...path, index] }, json: JSON.stringify(instead) }]
    })
  }
}

/** The events of a whole message. They have one number: what they stand for had at least as many. */
export function messageEvents(item: JsonObject, output_index: number, number: Json | undefined): string {
  const [part = null] = arrayOf(item.content)
  const text = isObject(part) ? (part.text ?? '') : ''
  const place = { item_id: item.id ?? '', output_index, content_index: 0 }
  const empty = { type: 'output_text', text: '', annotations: [], logprobs: [] }
  const events: JsonObject[] = [
    { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part: empty },
    { type: 'response.output_text.delta', ...place, delta: text, logprobs: [] },
    { type: 'response.output_text.done', ...place, text, logprobs: [] },
    { type: 'response.content_part.done', ...place, part },
    { type: 'response.output_item.done', output_index, item },
  ]
  const numbered = number === undefined ? undefined : { sequence_number: number }
  return events.map((event) => formatEvent(event.type as string, JSON.stringify({ ...event, ...numbered }))).join('')
}

/** The provider takes items back by their ids, and a message's begins like this. */
function message(id: string, text: string): JsonObject {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }]
  return { type: 'message', id: `msg_${id}`, role: 'assistant', status: 'completed', content }
}

function idOf(item: JsonObject): string {
  return stringOf(item.id) ?? stringOf(item.call_id) ?? ''
}
