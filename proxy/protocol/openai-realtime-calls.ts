// Owns which wordings of a realtime conversation's tool calls have been judged. A call is said several times, and nobody
// knows which of them a client takes; each is judged once.
import type { JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { Bounded } from './bounded.ts'
import type { ToolCall } from './content.ts'
import { callChannel, type Item } from './openai-realtime-item.ts'
import { itemCalls } from './openai-responses-calls.ts'
import type { StreamedCall } from './protocol.ts'
import { stringOf } from './shape.ts'

export class JudgedCalls {
  readonly #wordings = new Bounded()
  readonly #history = new Bounded()

  /** What the client itself says that a model once called, in its own words: the server will say it again. */
  noteHistory(items: readonly JsonObject[]): void {
    for (const item of items) {
      for (const call of itemCalls(item, []) ?? []) this.#history.add(wordingOf(call, item))
    }
  }

  /** Those that have yet to be judged, which they now are. Undefined for a call without a name. */
  unjudged(items: readonly JsonObject[], path: Path): ToolCall[] | undefined {
    const calls: ToolCall[] = []
    for (const item of items) {
      const made = itemCalls(item, path)
      if (made === undefined) return undefined
      for (const call of made) {
        const wording = wordingOf(call, item)
        // The same call in another item is another one: whatever stands for the first says nothing of it.
        if (!this.#history.has(wording) && this.#wordings.add(`${stringOf(item.id)} ${wording}`)) calls.push(call)
      }
    }
    return calls
  }

  /** Every way in which the call was worded at once. Undefined for a call without a name. */
  complete(item: Item, last: JsonObject | undefined): StreamedCall | undefined {
    const wordings = last === undefined ? [...item.worded] : [...item.worded, last]
    if (item.arguments !== '') {
      wordings.push({ ...item.start, arguments: item.arguments })
      // Some clients go on from what the item began with.
      const begun = stringOf(item.start.arguments) ?? ''
      if (begun !== '') wordings.push({ ...item.start, arguments: begun + item.arguments })
    }
    if (wordings.length === 0) wordings.push(item.start)
    const calls = this.unjudged(wordings, ['item'])
    // What is held waits for some call of the item, judged before or not.
    const [call, ...also] =
      calls === undefined || calls.length > 0 ? (calls ?? []) : (itemCalls(item.start, ['item']) ?? [])
    if (call === undefined) return undefined
    return { ...call, ...(also.length === 0 ? undefined : { also }), channel: callChannel(item.id) }
  }
}

function wordingOf(call: ToolCall, item: JsonObject): string {
  return JSON.stringify([call.id ?? null, call.name, call.args ?? item.arguments ?? null])
}
