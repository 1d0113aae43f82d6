// Owns the reading of what the server says in OpenAI's realtime conversations, event by event. Items open, grow and close
// by their ids; what they said is said again by their last events, by the conversation and by the whole response. What
// does not belong to an open item has no single meaning to clients, so it is refused.
import type { Edit } from '../lib/edit.ts'
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { formatLine } from '../lib/ndjson.ts'
import { valueAt } from '../lib/pointer.ts'
import type { Path } from '../lib/pointer.ts'
import type { Usage } from './content.ts'
import { Answers } from './openai-realtime-answers.ts'
import { JudgedCalls } from './openai-realtime-calls.ts'
import { growing, growingIn, isKnown, isOld, wholeItems } from './openai-realtime-events.ts'
import type { Growing } from './openai-realtime-events.ts'
import { transcriptionModels } from './openai-realtime-client.ts'
import { Heard, isHeard } from './openai-realtime-heard.ts'
import { serverLayout } from './openai-realtime-fields.ts'
import { answerPlaceOf, callChannel, channelOf, idOf, toldBy, type Item } from './openai-realtime-item.ts'
import { isSame, OpenItems } from './openai-realtime-items.ts'
import { messageEvents, Refusals } from './openai-realtime-refusal.ts'
import { addedUsage, usageIn } from './openai-realtime-usage.ts'
import { itemCalls, saysSomething } from './openai-responses-calls.ts'
import { isIndex, layoutBeside, type Writer } from './openai-responses-item.ts'
import type { Refused, RefusedCall, StreamedCall, StreamReader, StreamStep } from './protocol.ts'
import { arrayOf, stringOf } from './shape.ts'
import type { AnswerEvent } from './socket.ts'
import { holdEvent, newDraft, pushDelta, stepOf, type Draft } from './step.ts'
import { readTexts } from './texts.ts'

export class RealtimeServer implements StreamReader {
  readonly #items = new OpenItems()
  readonly #writers = new Map<string, Writer>()
  readonly #judged = new JudgedCalls()
  readonly #heard = new Heard()
  readonly #refusals = new Refusals()
  readonly #answers = new Answers()
  #usage: Usage | undefined
  #model: string | undefined
  #old = false
  #eventCount = 0

  /** The model that the server last said it uses. */
  get model(): string | undefined {
    return this.#model
  }

  /** In an id of its own, because clients tell events apart by it. */
  write(event: JsonObject): string {
    this.#eventCount += 1
    return formatLine(JSON.stringify({ event_id: `event_gatewright_${this.#eventCount}`, ...event }))
  }

  answers(): readonly AnswerEvent[] {
    return this.#answers.take()
  }

  boundAnswer(event: Json, tokensMax: number): readonly Edit[] {
    return this.#answers.bound(event, tokensMax)
  }

  cancelAnswer(id: string | undefined): string {
    return JSON.stringify({ type: 'response.cancel', ...(id === undefined ? undefined : { response_id: id }) })
  }

  noteHistory(items: readonly JsonObject[]): void {
    this.#judged.noteHistory(items)
  }

  read({ data }: { readonly data: string }): StreamStep {
    for (const { ended } of this.#items.leave()) for (const channel of ended) this.#writers.delete(channel)
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    const type = isObject(value) ? stringOf(value.type) : undefined
    if (!isObject(value) || type === undefined) return { ok: false, message: 'An event has no type.' }
    if (isOld(type)) this.#old = true
    const draft = newDraft()
    const before = this.#items.pendingIn(value)
    const behind = this.#items.pendingBefore(value)
    const wrong = this.#event(type, value, draft)
    if (wrong !== undefined) return { ok: false, message: wrong }
    this.#answers.note(type, value)
    const usage = addedUsage(this.#usage, usageIn(type, value))
    if (usage !== undefined) draft.usage = this.#usage = usage
    const held = before ?? this.#items.pendingIn(value)
    if (held !== undefined) holdEvent(draft, callChannel(held.id))
    if (behind !== undefined) draft.behind = callChannel(behind.id)
    const texts = readTexts(value, text, layoutBeside(draft, serverLayout))
    if (texts.parts.length + texts.uninspected.length > 0 && !isKnown(type))
      return { ok: false, message: 'An event of an unknown type carries text.' }
    return stepOf(value, draft, texts)
  }

  deltaEvent(channel: string, text: string): string {
    const event = this.#writers.get(channel)?.(text) ?? this.#heard.deltaOf(channel, text)
    if (event === undefined) throw new Error('No such channel has been read.')
    return this.write(event)
  }

  pieceEvent(_channel: string, piece: string): string {
    return formatLine(piece)
  }

  /** The events of a call are withheld to its last one, so a whole message can stand for them. */
  refuse({ channel }: StreamedCall, text: string): Refused | undefined {
    const item = this.#items.ofChannel(channel)
    if (item === undefined) return undefined
    const events = messageEvents(item, this.#refusals.add(item.id, text), this.#old)
    return { opening: events.map((event) => this.write(event)).join(''), channel, text: '' }
  }

  amend(value: Json, refused: readonly RefusedCall[]): readonly Edit[] {
    if (!isObject(value)) return []
    for (const { call, text } of refused) {
      const again = valueAt(value, call.address.path)
      if (isObject(again) && typeof again.id === 'string') this.#refusals.add(again.id, text)
    }
    const output = isObject(value.response) ? value.response.output : undefined
    return [
      ...this.#refusals.edits(value.item, ['item'], this.#old),
      ...this.#refusals.edits(output, ['response', 'output'], this.#old),
    ]
  }

  #event(type: string, value: JsonObject, draft: Draft): string | undefined {
    if (wholeItems.has(type)) return this.#whole(type, value, draft)
    if (isHeard(type)) return this.#heard.read(type, value, draft)
    switch (type) {
      case 'session.created':
      case 'session.updated':
      case 'transcription_session.updated':
        return this.#settings(value.session)
      case 'session.closed':
        this.#heard.close(draft)
        return undefined
      case 'response.created':
      case 'response.done':
        return this.#snapshot(type, value.response, draft)
      case 'response.output_item.added':
        return this.#open(value, draft)
      case 'response.output_item.done':
        return this.#close(value, draft)
      case 'response.content_part.added':
      case 'response.content_part.done':
        return this.#part(type, value, draft)
      case 'error':
        draft.error = true
        return undefined
      default:
        return this.#growth(type, value, draft)
    }
  }

  /** A key in the settings would lead past whoever stands between. */
  #settings(session: Json | undefined): string | undefined {
    if (!isObject(session)) return 'An event has no session.'
    const { client_secret: secret } = session
    if (secret !== undefined && secret !== null && !(isObject(secret) && (secret.value ?? '') === ''))
      return 'The session carries a key to the provider.'
    if (session.type === undefined && session.modalities !== undefined) this.#old = true
    this.#model = stringOf(session.model) ?? transcriptionModels(session)[0] ?? this.#model
    return undefined
  }

  #growth(type: string, value: JsonObject, draft: Draft): string | undefined {
    const dot = type.lastIndexOf('.')
    const growth = growing.get(type.slice(0, dot))
    if (growth === undefined) return undefined
    const item = this.#items.at(value, growth.item)
    if (typeof item === 'string') return item
    const at = growth.kind === 'arguments' ? 0 : value.content_index
    if (!isIndex(at)) return 'An event has no index.'
    const step = type.slice(dot + 1)
    if (step === 'delta') return this.#grow(item, [type, growth], at, value.delta, ['delta'], draft)
    if (step !== 'done') return undefined
    const whole = value[growth.whole]
    if (typeof whole !== 'string') return 'A text is missing where it is whole.'
    if (growth.kind === 'text') this.#end(item, channelOf(growth, item, at), draft)
    else {
      if ((value.name ?? item.start.name) !== item.start.name) return 'A tool call changes its name.'
      if ((value.call_id ?? item.start.call_id) !== item.start.call_id) return 'A tool call changes its id.'
      item.worded.push({ ...item.start, arguments: whole })
    }
    return undefined
  }

  /** `event` is what a delta of the text is written as. */
  #grow(
    item: Item,
    [event, growth]: readonly [string, Growing],
    at: number,
    text: Json | undefined,
    path: Path,
    draft: Draft,
  ): string | undefined {
    if (text === undefined || text === null) return path[0] === 'delta' ? 'A delta has no text.' : undefined
    if (typeof text !== 'string') return 'A text must be a string.'
    if (growth.kind === 'arguments') {
      item.arguments += text
      pushDelta(draft, { channel: callChannel(item.id), address: { path }, text, kind: 'arguments' })
      return undefined
    }
    const channel = channelOf(growth, item, at)
    if (item.ended.has(channel)) return 'A text goes on after its end.'
    item.open.add(channel)
    const head = { type: event, ...answerPlaceOf(item), item_id: item.id, content_index: at }
    if (path[0] === 'delta' || !this.#writers.has(channel)) this.#writers.set(channel, (delta) => ({ ...head, delta }))
    pushDelta(draft, { channel, address: { path }, text, kind: 'text' })
    return undefined
  }

  #end(item: Item, channel: string, draft: Draft): void {
    item.ended.add(channel)
    if (item.open.delete(channel)) draft.ends.push(channel)
  }

  #part(type: string, value: JsonObject, draft: Draft): string | undefined {
    const item = this.#items.at(value)
    if (typeof item === 'string') return item
    const { content_index: at, part } = value
    if (!isIndex(at) || !isObject(part)) return 'A part has no index.'
    if (type.endsWith('.added')) return this.#begin(item, part, at, ['part'], draft)
    for (const growth of growing.values()) this.#end(item, channelOf(growth, item, at), draft)
    return undefined
  }

  #begin(item: Item, part: JsonObject, at: number, path: Path, draft: Draft): string | undefined {
    if (item.calls) return 'A tool call has a text.'
    for (const [event, growth] of growingIn(part, this.#old)) {
      const entry = [`${event}.delta`, growth] as const
      const wrong = this.#grow(item, entry, at, part[growth.whole], [...path, growth.whole], draft)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  #open(value: JsonObject, draft: Draft): string | undefined {
    const { item: start, output_index: index } = value
    if (!isIndex(index) || !isObject(start)) return 'An output item has no index.'
    const place = { responseId: idOf(value.response_id), index }
    const item = this.#items.open(start, place)
    if (typeof item === 'string') return item
    if (item.calls) {
      if (saysSomething(start)) item.worded.push(start)
      return undefined
    }
    for (const [at, part] of arrayOf(start.content).entries()) {
      const wrong = isObject(part) ? this.#begin(item, part, at, ['item', 'content', at], draft) : undefined
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  #whole(type: string, value: JsonObject, draft: Draft): string | undefined {
    const { item } = value
    if (!isObject(item)) return 'An event has no item.'
    const calls = itemCalls(item, ['item'])
    if (calls === undefined) return 'A tool call has no name.'
    const open = this.#items.get(item.id)
    if (open !== undefined && !isSame(open.start, item)) return 'An item changes what it is.'
    if (calls.length === 0) return undefined
    if (open === undefined || open.closed) {
      if (open !== undefined || isWhole(item)) return this.#judge(item, ['item'], draft)
      const begun = this.#items.open(item, undefined)
      if (typeof begun === 'string') return begun
      begun.told.push(toldBy(type, value))
      return undefined
    }
    open.told.push(toldBy(type, value))
    if (saysSomething(item)) open.worded.push(item)
    return type.endsWith('.done') && open.place === undefined ? this.#endAll(open, item, draft) : undefined
  }

  #judge(item: JsonObject, path: Path, draft: Draft): string | undefined {
    const calls = this.#judged.unjudged([item], path)
    if (calls === undefined) return 'A tool call has no name.'
    // What would stand in its place goes by its id.
    if (calls.length > 0 && idOf(item.id) === undefined) return 'A tool call has no id.'
    draft.calls.push(...calls.map((call) => ({ ...call, channel: `whole:${path.join('/')}` })))
    return undefined
  }

  #close({ item: whole, output_index: index }: JsonObject, draft: Draft): string | undefined {
    if (!isIndex(index) || !isObject(whole)) return 'An output item has no index.'
    const item = this.#items.get(whole.id)
    if (item?.place?.index !== index || item.closed) return 'An output item ends that is not open.'
    if (!isSame(item.start, whole)) return 'An item changes what it is.'
    return this.#endAll(item, whole, draft)
  }

  #endAll(item: Item, last: JsonObject | undefined, draft: Draft): string | undefined {
    this.#items.close(item)
    for (const channel of item.open) this.#end(item, channel, draft)
    if (item.place === undefined) this.#items.letGo(item)
    if (!item.calls) return undefined
    const call = this.#judged.complete(item, last)
    if (call === undefined) return 'A tool call has no name.'
    draft.calls.push(call)
    return undefined
  }

  #snapshot(type: string, response: Json | undefined, draft: Draft): string | undefined {
    if (!isObject(response)) return 'An event has no response.'
    if (type === 'response.done') {
      for (const item of this.#items.ofAnswer(response.id)) {
        const wrong = item.closed ? undefined : this.#endAll(item, undefined, draft)
        if (wrong !== undefined) return wrong
        this.#items.letGo(item)
      }
    }
    for (const [index, item] of arrayOf(response.output).entries()) {
      const wrong = isObject(item) ? this.#judge(item, ['response', 'output', index], draft) : undefined
      if (wrong !== undefined) return wrong
    }
    return undefined
  }
}

/** Whether an item that belongs to no answer says its call already; else it will be said again. */
function isWhole(item: JsonObject): boolean {
  return (
    item.status === 'completed' || item.status === 'incomplete' || saysSomething(item) || idOf(item.id) === undefined
  )
}
