// Owns the texts of a realtime conversation that no model says in an answer: what was heard, written down, and both texts
// of a translation. They grow beside the answers, and belong to none.
import type { JsonObject } from '../lib/json.ts'
import { Bounded } from './bounded.ts'
import { idOf } from './openai-realtime-item.ts'
import { isIndex } from './openai-responses-item.ts'
import { pushDelta, type Draft } from './step.ts'

/** Whether the event is one of these. */
export function isHeard(type: string): boolean {
  return translated.has(type) || (type.startsWith(transcription) && steps.has(type.slice(transcription.length)))
}

export class Heard {
  readonly #open = new Set<string>()
  /** Those that are whole. */
  readonly #ended = new Bounded()

  /** A string says what is wrong. */
  read(type: string, value: JsonObject, draft: Draft): string | undefined {
    if (translated.has(type)) return this.#grow(type, value, draft)
    const id = idOf(value.item_id)
    const at = value.content_index ?? 0
    if (id === undefined || !isIndex(at)) return 'A transcription belongs to no item.'
    const channel = `heard:${at}:${id}`
    const step = type.slice(transcription.length)
    if (step === 'segment') return undefined
    if (step === 'delta') {
      if (this.#ended.has(channel)) return 'A text goes on after its end.'
      return value.delta === undefined || value.delta === null ? undefined : this.#grow(channel, value, draft)
    }
    this.#ended.add(channel)
    if (this.#open.delete(channel)) draft.ends.push(channel)
    return undefined
  }

  /** With the conversation what never says that it is whole ends, too. */
  close(draft: Draft): void {
    draft.ends.push(...this.#open)
    this.#open.clear()
  }

  /** The delta event of a channel; undefined where it is none of these. */
  deltaOf(channel: string, delta: string): JsonObject | undefined {
    if (translated.has(channel)) return { type: channel, delta }
    const [, at, id] = /^heard:(\d+):(.*)$/.exec(channel) ?? []
    if (id === undefined) return undefined
    return { type: `${transcription}delta`, item_id: id, content_index: Number(at), delta }
  }

  #grow(channel: string, { delta }: JsonObject, draft: Draft): string | undefined {
    if (typeof delta !== 'string') return 'A delta has no text.'
    this.#open.add(channel)
    pushDelta(draft, { channel, address: { path: ['delta'] }, text: delta, kind: 'text' })
    return undefined
  }
}

const transcription = 'conversation.item.input_audio_transcription.'
const steps: ReadonlySet<string> = new Set(['delta', 'completed', 'failed', 'segment'])

/** Their channels have their own names. */
const translated: ReadonlySet<string> = new Set(['session.input_transcript.delta', 'session.output_transcript.delta'])
