// Owns what a realtime conversation says of its answers as a whole: that one has begun, that one is over and what it used,
// that a client's event was refused; and how long the next may be. What the answers say is read elsewhere.
import type { Edit } from '../lib/edit.ts'
import { isObject, type Json, type JsonObject } from '../lib/json.ts'
import { idOf } from './openai-realtime-item.ts'
import { addedUsage } from './openai-realtime-usage.ts'
import { countOf, stringOf } from './shape.ts'
import type { AnswerEvent } from './socket.ts'

export class Answers {
  #noted: AnswerEvent[] = []
  /** What the server has said that answers may have, where nothing is asked for one alone. */
  #tokensMax: number | undefined

  note(type: string, { response, session, error }: JsonObject): void {
    if (isObject(session)) this.#tokensMax = boundOf(session)
    if (type === 'error') {
      this.#noted.push({ type: 'refused', eventId: isObject(error) ? stringOf(error.event_id) : undefined })
    } else if (isObject(response) && type === 'response.created') {
      this.#noted.push({ type: 'begun', id: idOf(response.id), tokensMax: boundOf(response) })
    } else if (isObject(response) && type === 'response.done') {
      this.#noted.push({ type: 'over', id: idOf(response.id), usage: addedUsage(undefined, response.usage) })
    }
  }

  take(): readonly AnswerEvent[] {
    if (this.#noted.length === 0) return none
    const noted = this.#noted
    this.#noted = []
    return noted
  }

  /** Always said with the answer: what the session says may just be changing. */
  bound(event: Json, tokensMax: number): readonly Edit[] {
    if (!isObject(event)) return []
    const { response } = event
    const usual = String(Math.min(tokensMax, this.#tokensMax ?? tokensMax))
    if (!isObject(response)) return [{ address: { path: ['response'] }, json: `{"max_output_tokens":${usual}}` }]
    const { max_output_tokens: asked = null } = response
    if (countOf(asked) !== undefined && Number(asked) <= tokensMax) return []
    return [{ address: { path: ['response', 'max_output_tokens'] }, json: asked === null ? usual : String(tokensMax) }]
  }
}

const none: readonly AnswerEvent[] = []

/** `inf` is no bound. */
function boundOf(settings: JsonObject): number | undefined {
  return countOf(settings.max_output_tokens) ?? countOf(settings.max_response_output_tokens)
}
