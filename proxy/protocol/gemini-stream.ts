// Owns the reading of streamed Gemini answers. Each event is a whole answer that continues the one before it; there is
// no event for the end, so a stream has ended when every candidate of it has said why it stopped.
import type { Edit } from '../lib/edit.ts'
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { formatEvent } from '../lib/sse.ts'
import type { Usage } from './content.ts'
import { answerRole, callsIn, eachPart, generateUsage } from './gemini-content.ts'
import { camelName, fieldLayout, fieldOf } from './gemini-fields.ts'
import { RefusedParts } from './gemini-refusal.ts'
import type { Refused, RefusedCall, StreamReader, StreamStep } from './protocol.ts'
import { arrayOf, stringOf } from './shape.ts'
import { newDraft, stepOf, type Draft } from './step.ts'
import { readTexts } from './texts.ts'
import { largerUsage } from './usage.ts'

export function openGenerateStream(): StreamReader {
  return new GenerateStream()
}

type Kind = 'text' | 'thought'
/** Texts of one kind in a row are one text; whatever comes between ends it. */
type Candidate = {
  growing: { readonly kind: Kind; readonly channel: string } | undefined
  count: number
  ended: boolean
}

class GenerateStream implements StreamReader {
  readonly #candidates = new Map<number, Candidate>()
  readonly #refused = new RefusedParts()
  #blocked = false
  #usage: Usage | undefined

  read({ data }: { readonly event: string; readonly data: string }): StreamStep {
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    if (!isObject(value)) return { ok: false, message: 'A chunk must be an object.' }
    const draft = newDraft()
    draft.repeats = true
    const grown = new Set<JsonObject>()
    const wrong = this.#chunk(value, draft, grown)
    if (wrong !== undefined) return { ok: false, message: wrong }
    const layout = fieldLayout(answerRole, grown)
    const texts = readTexts(value, text, layout)
    const ambiguous = layout.ambiguous()
    if (ambiguous !== undefined) return { ok: false, message: ambiguous }
    const reported = generateUsage(fieldOf(value, 'usageMetadata'))
    this.#usage = largerUsage(this.#usage, reported)
    if (reported !== undefined) draft.usage = this.#usage
    draft.terminal = this.#hasEnded()
    draft.error = value.error !== undefined && value.error !== null
    return stepOf(value, draft, texts)
  }

  deltaEvent(channel: string, text: string): string {
    const [kind, index] = channel.split(':')
    const part = kind === 'thought' ? { text, thought: true } : { text }
    const candidate = { content: { parts: [part], role: 'model' }, index: Number(index) }
    return formatEvent('message', JSON.stringify({ candidates: [candidate] }))
  }

  /** Calls come whole, so their parts are replaced where they stand. */
  refuse(): Refused | undefined {
    return undefined
  }

  amend(value: Json, refused: readonly RefusedCall[]): readonly Edit[] {
    return isObject(value) ? this.#refused.edits(value, refused) : []
  }

  #chunk(value: JsonObject, draft: Draft, grown: Set<JsonObject>): string | undefined {
    const met = new Map<JsonObject, number>()
    const indexes = new Set<number>()
    for (const [at, candidate] of arrayOf(value.candidates).entries()) {
      const index = isObject(candidate) ? (candidate.index ?? at) : undefined
      if (!isObject(candidate) || !Number.isSafeInteger(index)) return 'A candidate has no index.'
      if (indexes.has(index as number)) return 'A chunk has a candidate twice.'
      indexes.add(index as number)
      met.set(candidate, index as number)
    }
    const wrong = eachPart(value, (part, path, candidate) =>
      this.#part(part, path, met.get(candidate) as number, draft, grown),
    )
    if (wrong !== undefined) return wrong
    for (const [candidate, index] of met) {
      const state = this.#candidate(index)
      if (!isSaid(fieldOf(candidate, 'finishReason'), 'FINISH_REASON_UNSPECIFIED')) continue
      endGrowing(state, draft)
      state.ended = true
    }
    const feedback = fieldOf(value, 'promptFeedback')
    if (isObject(feedback) && isSaid(fieldOf(feedback, 'blockReason'), 'BLOCK_REASON_UNSPECIFIED')) this.#blocked = true
    return undefined
  }

  #part(part: JsonObject, path: Path, index: number, draft: Draft, grown: Set<JsonObject>): string | undefined {
    const candidate = this.#candidate(index)
    const text = stringOf(part.text) ?? ''
    if (text !== '') {
      if (candidate.ended) return 'A candidate goes on after it has finished.'
      grown.add(part)
      const channel = growingChannel(candidate, part.thought === true ? 'thought' : 'text', index, draft)
      draft.deltas.push({ channel, address: { path: [...path, 'text'] }, text, kind: 'text' })
    }
    if (Object.keys(part).every((key) => quiet.has(camelName(key)))) return undefined
    endGrowing(candidate, draft)
    const calls = callsIn(part, path)
    if (typeof calls === 'string') return calls
    if (calls.length > 0 && candidate.ended) return 'A candidate calls a tool after it has finished.'
    // They come whole: nothing is held back on the channel.
    draft.calls.push(...calls.map((call) => ({ ...call, channel: `arguments:${index}` })))
    return undefined
  }

  #candidate(index: number): Candidate {
    let candidate = this.#candidates.get(index)
    if (candidate === undefined) {
      candidate = { growing: undefined, count: 0, ended: false }
      this.#candidates.set(index, candidate)
    }
    return candidate
  }

  /** A blocked prompt has no candidates. What may still follow the end says nothing: usage, an empty text. */
  #hasEnded(): boolean {
    if (this.#candidates.size === 0) return this.#blocked
    for (const candidate of this.#candidates.values()) if (!candidate.ended) return false
    return true
  }
}

/** Members of a part that stand beside its text and bring nothing of their own. */
const quiet: ReadonlySet<string> = new Set(['text', 'thought', 'thoughtSignature'])

function growingChannel(candidate: Candidate, kind: Kind, index: number, draft: Draft): string {
  if (candidate.growing?.kind === kind) return candidate.growing.channel
  endGrowing(candidate, draft)
  const channel = `${kind}:${index}:${candidate.count}`
  candidate.growing = { kind, channel }
  candidate.count += 1
  return channel
}

function endGrowing(candidate: Candidate, draft: Draft): void {
  if (candidate.growing === undefined) return
  draft.ends.push(candidate.growing.channel)
  candidate.growing = undefined
}

/** Enums come by name or, where the client asks for it, by number; the zeroth means nothing was said. */
function isSaid(value: Json | undefined, unspecified: string): boolean {
  return typeof value === 'number' ? value !== 0 : typeof value === 'string' && value !== '' && value !== unspecified
}
