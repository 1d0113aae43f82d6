// Owns which items of a realtime conversation are open, and which of them an event is about. Several answers may be under
// way at once, each with places of its own. It neither reads nor judges what items say.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { callChannel, idOf, openItem, type Item, type Place } from './openai-realtime-item.ts'
import { itemCalls } from './openai-responses-calls.ts'
import { isIndex } from './openai-responses-item.ts'

export class OpenItems {
  readonly #items = new Map<string, Item>()
  /** The calls that are not complete. */
  readonly #pending = new Map<string, Item>()
  #leaving: Item[] = []

  /** A string says what is wrong. The conversation may know of an item before it has a place in an answer. */
  open(start: JsonObject, place: Place | undefined): Item | string {
    const id = idOf(start.id)
    if (id === undefined) return 'An item has no id.'
    const calls = itemCalls(start, [])
    if (calls === undefined) return 'A tool call has no name.'
    const before = this.#items.get(id)
    if (before !== undefined) {
      if (before.place !== undefined || !isSame(before.start, start)) return 'An item begins twice.'
      before.place = place
      return before
    }
    if (this.#items.size >= openMax) return 'Too many items are open.'
    const item = openItem(id, start, calls.length > 0, place)
    this.#items.set(id, item)
    if (item.calls) this.#pending.set(id, item)
    return item
  }

  get(id: Json | undefined): Item | undefined {
    return typeof id === 'string' ? this.#items.get(id) : undefined
  }

  ofChannel(channel: string): Item | undefined {
    return [...this.#items.values()].find(({ id }) => channel === callChannel(id))
  }

  /** Of an answer without an id nobody knows which of the items are its own. */
  ofAnswer(id: Json | undefined): Item[] {
    return [...this.#items.values()].filter(({ place }) => place !== undefined && (place.responseId ?? id) === id)
  }

  /** The item that is open and that an event belongs to. A string says what is wrong. `type`: what the event is for. */
  at({ item_id: id, output_index: index, response_id: answer }: JsonObject, type?: string): Item | string {
    const item = this.get(id)
    if (item?.place === undefined || item.closed) return 'An event belongs to no open item.'
    // Some clients go by the index and some by the id.
    if (index !== item.place.index || (answer ?? item.place.responseId) !== item.place.responseId)
      return 'An event names another item.'
    if (type !== undefined && item.start.type !== type) return 'An event is of another kind than its item.'
    return item
  }

  /** The call that is not complete and that an event speaks of. */
  pendingIn(value: JsonObject): Item | undefined {
    const named = namedIn(value)
    return typeof named === 'string' ? this.#pending.get(named) : undefined
  }

  /** The nearest call of the same answer: what is behind that one is behind all before it. */
  pendingBefore(value: JsonObject): Item | undefined {
    if (this.#pending.size === 0) return undefined
    const place = this.#placeIn(value)
    let nearest: Item | undefined
    for (const item of this.#pending.values()) {
      if (item.place === undefined || place === undefined || item.place.responseId !== place.responseId) continue
      if (item.place.index < place.index && item.place.index > (nearest?.place?.index ?? -1)) nearest = item
    }
    return nearest
  }

  close(item: Item): void {
    item.closed = true
    this.#pending.delete(item.id)
  }

  /** It goes with the next event: what is held back for it is still to be written. */
  letGo(item: Item): void {
    this.#leaving.push(item)
  }

  /** Those that go now. */
  leave(): readonly Item[] {
    if (this.#leaving.length === 0) return this.#leaving
    const gone = this.#leaving
    this.#leaving = []
    for (const { id } of gone) this.#items.delete(id)
    return gone
  }

  #placeIn(value: JsonObject): Place | undefined {
    const { output_index: index, response_id: answer } = value
    if (isIndex(index) && answer !== undefined) return { index, responseId: idOf(answer) }
    return this.get(namedIn(value))?.place
  }
}

export function isSame(start: JsonObject, again: JsonObject): boolean {
  return start.type === again.type && start.name === again.name
}

/** Far more than any answer has. */
const openMax = 1000

function namedIn({ item_id: id, item }: JsonObject): Json | undefined {
  return id ?? (isObject(item) ? item.id : undefined)
}
