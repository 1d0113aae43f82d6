// Owns how denied tool calls leave a realtime conversation: a message of the assistant takes the place of their item, under
// the item's own id, because clients speak of it to the provider by that. It knows the events that make up such a message,
// but does not read any.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { answerPlaceOf, type Item } from './openai-realtime-item.ts'

/** The calls that were denied, and what stands in their place wherever they are said again. */
export class Refusals {
  readonly #texts = new Map<string, string>()

  add(id: string, text: string): string {
    const before = this.#texts.get(id)
    if (before !== undefined) return before
    // One that is forgotten is judged again when it is said again.
    if (this.#texts.size >= keptMax) this.#texts.delete(this.#texts.keys().next().value as string)
    this.#texts.set(id, text)
    return text
  }

  /** What stands in the place of items at a path: one, or those of a list. */
  edits(value: Json | undefined, path: Path, old: boolean): Edit[] {
    if (Array.isArray(value)) return value.flatMap((item, index) => this.edits(item, [...path, index], old))
    if (!isObject(value) || value.type === 'message') return []
    const text = typeof value.id === 'string' ? this.#texts.get(value.id) : undefined
    if (text === undefined) return []
    return [{ address: { path }, json: JSON.stringify(message(value.id as string, text, old)) }]
  }
}

const keptMax = 1000

/** The events of a whole message, without ids of their own. `old`: in the names and types of the interface's beta. */
export function messageEvents(item: Item, text: string, old: boolean): JsonObject[] {
  const whole = message(item.id, text, old)
  const begun: JsonObject = { ...whole, status: 'in_progress', content: [] }
  const told = (ends: boolean): JsonObject[] =>
    item.told
      .filter(({ type }) => type.endsWith('.done') === ends)
      .map(({ type, previous }) => ({ type, ...previous, item: ends ? whole : begun }))
  if (item.place === undefined) return [...told(false), ...told(true)]
  const answer = answerPlaceOf(item)
  const place = { ...answer, item_id: item.id, content_index: 0 }
  const name = old ? 'response.text' : 'response.output_text'
  return [
    { type: 'response.output_item.added', ...answer, item: begun },
    ...told(false),
    { type: 'response.content_part.added', ...place, part: { type: 'text', text: '' } },
    { type: `${name}.delta`, ...place, delta: text },
    { type: `${name}.done`, ...place, text },
    { type: 'response.content_part.done', ...place, part: { type: 'text', text } },
    ...told(true),
    { type: 'response.output_item.done', ...answer, item: whole },
  ]
}

function message(id: string, text: string, old: boolean): JsonObject {
  const content = [{ type: old ? 'text' : 'output_text', text }]
  return { id, object: 'realtime.item', type: 'message', status: 'completed', role: 'assistant', content }
}
