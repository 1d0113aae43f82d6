// Owns which wordings of a streamed response's tool calls have been judged. A call is said several times, and nobody knows
// which of them a client takes; each is judged once, wherever it stands.
import type { JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { ToolCall } from './content.ts'
import { itemCalls } from './openai-responses-calls.ts'
import { growingAt } from './openai-responses-events.ts'
import { callChannel, withArguments, type Item } from './openai-responses-item.ts'
import type { StreamedCall } from './protocol.ts'
import { stringOf } from './shape.ts'

export class JudgedCalls {
  readonly #wordings = new Set<string>()

  /** Those that have yet to be judged, which they now are. Undefined for a call without a name. */
  unjudged(items: readonly JsonObject[], index: number, path: Path): ToolCall[] | undefined {
    const calls: ToolCall[] = []
    for (const item of items) {
      const made = itemCalls(item, path)
      if (made === undefined) return undefined
      for (const call of made) {
        const said = call.args ?? item.arguments ?? item.input ?? null
        // With the item's own id: what is denied is taken out by it, and under another one the call would stay.
        const wording = JSON.stringify([stringOf(item.id) ?? null, call.id ?? index, call.name, said])
        if (this.#wordings.has(wording)) continue
        this.#wordings.add(wording)
        calls.push(call)
      }
    }
    return calls
  }

  /** Every way in which the call was worded at once. Undefined for a call without a name. */
  complete(item: Item, last: JsonObject | undefined): StreamedCall | undefined {
    const growth = growingAt(stringOf(item.start.type) ?? '', undefined)?.[1]
    const wordings = last === undefined ? [...item.worded] : [...item.worded, last]
    if (growth !== undefined && item.arguments !== '') wordings.push(withArguments(item.start, growth, item.arguments))
    if (wordings.length === 0) wordings.push(item.start)
    const calls = this.unjudged(wordings, item.index, ['item'])
    // What is held waits for some call of the item, judged before or not.
    const [call, ...also] = calls?.length === 0 ? (itemCalls(item.start, ['item']) ?? []) : (calls ?? [])
    if (call === undefined) return undefined
    return { ...call, ...(also.length === 0 ? undefined : { also }), channel: callChannel(item.index) }
  }
}
