// Owns the reading of streamed OpenAI responses, event by event. Output items open, grow and close by index, and what
// they said is said again by their last events and by the whole response at the end. What does not belong to an open
// item has no single meaning to clients, so it is refused.
import type { Edit } from '../lib/edit.ts'
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { valueAt } from '../lib/pointer.ts'
import type { Path } from '../lib/pointer.ts'
import { formatEvent } from '../lib/sse.ts'
import type { Usage } from './content.ts'
import { itemCalls, saysSomething } from './openai-responses-calls.ts'
import { growing, growingAt, isKnown, snapshots } from './openai-responses-events.ts'
import type { Growing } from './openai-responses-events.ts'
import { callChannel, channelOf, deltaWriter, isIndex, layoutBeside, openItem } from './openai-responses-item.ts'
import { placeOf, withArguments, type Item, type Writer } from './openai-responses-item.ts'
import { JudgedCalls } from './openai-responses-judged.ts'
import { messageEvents, Refusals } from './openai-responses-refusal.ts'
import { responsesUsage } from './openai-responses.ts'
import type { Refused, RefusedCall, StreamedCall, StreamReader, StreamStep } from './protocol.ts'
import { arrayOf, stringOf } from './shape.ts'
import { emptyStep, holdEvent, nearestBefore, newDraft, notePadding, pushDelta, stepOf, type Draft } from './step.ts'
import { readTexts } from './texts.ts'
import { largerUsage } from './usage.ts'

/** `stored`: the stream of a response that was made before, which is only counted if nobody waited for it then. */
export function openResponsesStream(stored = false): StreamReader {
  return new ResponsesStream(stored)
}

class ResponsesStream implements StreamReader {
  readonly #stored: boolean
  readonly #items = new Map<number, Item>()
  readonly #writers = new Map<string, Writer>()
  readonly #judged = new JudgedCalls()
  readonly #refusals = new Refusals()
  /** The calls that are not complete, by output index. */
  readonly #pending = new Set<number>()
  #usage: Usage | undefined
  #ended = false
  #number: Json | undefined
  #numberBefore: Json | undefined

  constructor(stored: boolean) {
    this.#stored = stored
  }

  read({ event, data }: { readonly event: string; readonly data: string }): StreamStep {
    // Some vendors end every stream like this.
    if (data === '' || data === '[DONE]') return emptyStep
    if (this.#ended) return { ok: false, message: 'An event follows the end of the stream.' }
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    const type = isObject(value) ? (stringOf(value.type) ?? (isObject(value.error) ? 'error' : undefined)) : undefined
    if (!isObject(value) || type === undefined) return { ok: false, message: 'An event has no type.' }
    // Some clients go by the event's name and some by the type inside.
    if (event !== 'message' && event !== type) return { ok: false, message: 'An event is named after another.' }
    this.#numberBefore = this.#number
    this.#number = value.sequence_number
    const draft = newDraft()
    draft.repeats = type.endsWith('.delta')
    notePadding(draft, value)
    if (value.sequence_number !== undefined)
      draft.varying.push({ address: { path: ['sequence_number'] }, kind: 'number' })
    draft.failed = type === 'response.failed' && !this.#stored
    const before = nearestBefore(value.output_index, this.#pending)
    if (before !== undefined) draft.behind = callChannel(before)
    const pending = this.#isPending(value.output_index)
    const wrong = this.#event(type, value, draft)
    if (wrong !== undefined) return { ok: false, message: wrong }
    if (pending || this.#isPending(value.output_index)) hold(value.output_index as number, draft)
    const texts = readTexts(value, text, layoutBeside(draft))
    if (texts.parts.length + texts.uninspected.length > 0 && !isKnown(type))
      draft.unknown = 'An event of an unknown type carries text.'
    return stepOf(value, draft, texts)
  }

  /** What is written without another event comes after the last. */
  repeated(number: number): void {
    this.#numberBefore = number
    this.#number = number
  }

  /** It comes before the event last read, so it has the number of the one before that. */
  deltaEvent(channel: string, text: string): string {
    const writer = this.#writers.get(channel)
    if (writer === undefined) throw new Error('No such channel has been read.')
    const numbered = this.#numberBefore === undefined ? undefined : { sequence_number: this.#numberBefore }
    const event: JsonObject = { ...writer(text), ...numbered }
    return formatEvent(event.type as string, JSON.stringify(event))
  }

  pieceEvent(_channel: string, piece: string): string {
    return formatEvent((JSON.parse(piece) as { readonly type: string }).type, piece)
  }

  /** The events of a call are withheld to its last one, so a whole message can stand for them. */
  refuse({ channel }: StreamedCall, text: string): Refused | undefined {
    const item = this.#items.get(Number(channel.split(':')[1]))
    if (item === undefined || channel !== callChannel(item.index)) return undefined
    const message = this.#refusals.add(item.start, text)
    return { opening: messageEvents(message, item.index, this.#number), channel, text: '' }
  }

  amend(value: Json, refused: readonly RefusedCall[]): readonly Edit[] {
    if (!isObject(value)) return []
    const { response, item } = value
    if (!isObject(response)) {
      const instead = this.#refusals.insteadOf(item)
      return instead === undefined ? [] : [{ address: { path: ['item'] }, json: JSON.stringify(instead) }]
    }
    for (const { call, text } of refused) {
      const again = valueAt(value, call.address.path)
      if (call.address.path[0] === 'response' && isObject(again)) this.#refusals.add(again, text)
    }
    return this.#refusals.edits(response.output, ['response', 'output'])
  }

  #event(type: string, value: JsonObject, draft: Draft): string | undefined {
    const snapshot = snapshots.get(type)
    if (snapshot !== undefined) return this.#snapshot(value.response, snapshot === 'ends', draft)
    switch (type) {
      case 'response.output_item.added':
        return this.#open(value, draft)
      case 'response.output_item.done':
        return this.#close(value, draft)
      case 'response.content_part.added':
      case 'response.reasoning_part.added':
      case 'response.reasoning_summary_part.added':
        return this.#part(value, draft)
      case 'response.content_part.done':
      case 'response.reasoning_part.done':
      case 'response.reasoning_summary_part.done':
        return this.#partDone(value, draft)
      case 'response.shell_call_output_content.delta':
      case 'response.shell_call_output_content.done':
        return this.#shellOutput(type, value, draft)
      case 'response.audio.transcript.delta':
        if (typeof value.delta !== 'string') return 'A delta has no text.'
        this.#writers.set(transcript, (delta) => ({ type, delta }))
        pushDelta(draft, { channel: transcript, address: { path: ['delta'] }, text: value.delta, kind: 'text' })
        return undefined
      case 'response.audio.transcript.done':
        draft.ends.push(transcript)
        return undefined
      case 'error':
        draft.error = true
        return undefined
      default:
        return this.#growth(type, value, draft)
    }
  }

  #growth(type: string, value: JsonObject, draft: Draft): string | undefined {
    const dot = type.lastIndexOf('.')
    const name = type.slice(0, dot)
    const growth = growing.get(name)
    if (growth === undefined) return undefined
    const item = this.#openItem(value, growth.item)
    if (typeof item === 'string') return item
    const at = growth.index === undefined ? 0 : value[growth.index]
    if (!isIndex(at)) return 'An event has no index.'
    const step = type.slice(dot + 1)
    if (step === 'delta') return this.#grow(item, name, growth, at, value.delta, ['delta'], draft)
    const whole = value[growth.whole]
    if (step === 'added') return this.#grow(item, name, growth, at, whole, [growth.whole], draft)
    if (step !== 'done') return undefined
    if (typeof whole !== 'string') return 'A text is missing where it is whole.'
    if (growth.kind === 'text') this.#end(item, channelOf(growth, item, at), draft)
    else if (growth.index === undefined) item.worded.push(withArguments(item.start, growth, whole))
    return undefined
  }

  #grow(
    item: Item,
    event: string,
    growth: Growing,
    at: number,
    text: Json | undefined,
    path: Path,
    draft: Draft,
  ): string | undefined {
    if (text === undefined || text === null) return path[0] === 'delta' ? 'A delta has no text.' : undefined
    if (typeof text !== 'string') return 'A text must be a string.'
    if (growth.kind === 'arguments') {
      // Commands are many and each is said whole later, so their pieces do not leave at all.
      if (growth.index !== undefined) {
        if (path[0] === 'delta') draft.grown.push(path)
        return undefined
      }
      item.arguments += text
      pushDelta(draft, { channel: callChannel(item.index), address: { path }, text, kind: 'arguments' })
      return undefined
    }
    const channel = channelOf(growth, item, at)
    if (item.ended.has(channel)) return 'A text goes on after its end.'
    item.open.add(channel)
    if (!this.#writers.has(channel)) this.#writers.set(channel, deltaWriter(item, event, growth, at))
    pushDelta(draft, { channel, address: { path }, text, kind: 'text' })
    return undefined
  }

  #end(item: Item, channel: string, draft: Draft): void {
    item.ended.add(channel)
    if (item.open.delete(channel)) draft.ends.push(channel)
  }

  #open(value: JsonObject, draft: Draft): string | undefined {
    const { item: start, output_index: index } = value
    if (!isIndex(index) || !isObject(start)) return 'An output item has no index.'
    if (this.#items.has(index)) return 'An output item begins twice.'
    const calls = itemCalls(start, [])
    if (calls === undefined) return 'A tool call has no name.'
    const item = openItem(start, index, calls.length > 0)
    this.#items.set(index, item)
    if (item.calls) this.#pending.add(index)
    for (const list of ['content', 'summary'] as const) {
      for (const [place, part] of arrayOf(start[list]).entries()) {
        const wrong = isObject(part) ? this.#begin(item, part, place, ['item', list, place], draft) : undefined
        if (wrong !== undefined) return wrong
      }
    }
    const [event, growth] = growingAt(stringOf(start.type) ?? '', undefined) ?? []
    if (event !== undefined && growth !== undefined)
      return this.#grow(item, event, growth, 0, start[growth.whole], ['item', growth.whole], draft)
    if (item.calls && saysSomething(start)) item.worded.push(start)
    return undefined
  }

  #part(value: JsonObject, draft: Draft): string | undefined {
    const item = this.#openItem(value)
    if (typeof item === 'string') return item
    const at = value.content_index ?? value.summary_index
    if (!isIndex(at) || !isObject(value.part)) return 'A part has no index.'
    return this.#begin(item, value.part, at, ['part'], draft)
  }

  #begin(item: Item, part: JsonObject, at: number, path: Path, draft: Draft): string | undefined {
    const [event, growth] = growingAt(stringOf(item.start.type) ?? '', part) ?? []
    if (event === undefined || growth === undefined) return undefined
    return this.#grow(item, event, growth, at, part[growth.whole], [...path, growth.whole], draft)
  }

  #partDone(value: JsonObject, draft: Draft): string | undefined {
    const item = this.#openItem(value)
    if (typeof item === 'string') return item
    const at = value.content_index ?? value.summary_index
    if (!isIndex(at) || !isObject(value.part)) return 'A part has no index.'
    const growth = growingAt(stringOf(item.start.type) ?? '', value.part)?.[1]
    if (growth !== undefined) this.#end(item, channelOf(growth, item, at), draft)
    return undefined
  }

  #shellOutput(type: string, value: JsonObject, draft: Draft): string | undefined {
    const item = this.#openItem(value, 'shell_call_output')
    if (typeof item === 'string') return item
    if (this.#refusals.isResult(item.start)) {
      draft.withheld.push({ path: [] })
      return undefined
    }
    const { command_index, delta } = value
    if (!isIndex(command_index)) return 'An event has no index.'
    for (const pipe of ['stdout', 'stderr'] as const) {
      const channel = `${pipe}:${item.index}:${command_index}`
      if (type.endsWith('.done')) this.#end(item, channel, draft)
      const text = isObject(delta) ? delta[pipe] : undefined
      if (text === undefined || text === null) continue
      if (typeof text !== 'string') return 'A text must be a string.'
      if (item.ended.has(channel)) return 'A text goes on after its end.'
      item.open.add(channel)
      const head = { type, ...placeOf(item), command_index }
      this.#writers.set(channel, (more) => ({ ...head, delta: { [pipe]: more } }))
      pushDelta(draft, { channel, address: { path: ['delta', pipe] }, text, kind: 'text' })
    }
    return undefined
  }

  #close({ item: whole, output_index: index }: JsonObject, draft: Draft): string | undefined {
    if (!isIndex(index) || !isObject(whole)) return 'An output item has no index.'
    const item = this.#items.get(index)
    if (item === undefined || item.closed) return 'An output item ends that is not open.'
    if (item.start.type !== whole.type) return 'An output item changes its type.'
    if (item.start.name !== whole.name) return 'A tool call changes its name.'
    return this.#endAll(item, whole, draft)
  }

  #endAll(item: Item, last: JsonObject | undefined, draft: Draft): string | undefined {
    item.closed = true
    for (const channel of item.open) this.#end(item, channel, draft)
    if (!item.calls) return undefined
    this.#pending.delete(item.index)
    const call = this.#judged.complete(item, last)
    if (call === undefined) return 'A tool call has no name.'
    draft.calls.push(call)
    return undefined
  }

  #snapshot(response: Json | undefined, ends: boolean, draft: Draft): string | undefined {
    if (!isObject(response)) return 'An event has no response.'
    if (ends) {
      this.#ended = true
      draft.terminal = true
      for (const item of this.#items.values()) {
        const wrong = item.closed ? undefined : this.#endAll(item, undefined, draft)
        if (wrong !== undefined) return wrong
      }
    }
    for (const [index, item] of arrayOf(response.output).entries()) {
      const path = ['response', 'output', index]
      const calls = isObject(item) ? this.#judged.unjudged([item], index, path) : []
      if (calls === undefined) return 'A tool call has no name.'
      draft.calls.push(...calls.map((call) => ({ ...call, channel: `snapshot:${index}` })))
    }
    if (this.#stored && response.background !== true) return undefined
    const reported = responsesUsage(response.usage)
    if (reported !== undefined) draft.usage = this.#usage = largerUsage(this.#usage, reported)
    return undefined
  }

  /** A string says what is wrong. `type` is what the event is for. */
  #openItem({ output_index: index, item_id: id }: JsonObject, type?: string): Item | string {
    const item = typeof index === 'number' ? this.#items.get(index) : undefined
    if (item === undefined || item.closed) return 'An event belongs to no open output item.'
    // Some clients go by the index and some by the id.
    if (id !== undefined && id !== null && id !== (item.start.id ?? id)) return 'An event names another output item.'
    if (type !== undefined && item.start.type !== type) return 'An event is of another kind than its output item.'
    return item
  }

  #isPending(index: Json | undefined): boolean {
    return typeof index === 'number' && this.#pending.has(index)
  }
}

/** Transcripts belong to no item. */
const transcript = 'transcript:0:0'

/** The whole event belongs to a call. Where a text grew that is not gathered, it is not kept either. */
function hold(index: number, draft: Draft): void {
  if (draft.grown.length === 0) holdEvent(draft, callChannel(index))
  else draft.withheld.push({ path: [] })
}
