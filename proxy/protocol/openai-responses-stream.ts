// Owns the reading of streamed OpenAI responses, event by event. Output items open, grow and close by index, and what
// they said is said again by their last events and by the whole response at the end. What does not belong to an open
// item has no single meaning to clients, so it is refused.
import { isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { formatEvent } from '../lib/sse.ts'
import type { Usage } from './content.ts'
import { isCallType, itemCalls, saysSomething } from './openai-responses-calls.ts'
import { growing, growingAt, isKnown, snapshots } from './openai-responses-events.ts'
import type { Growing } from './openai-responses-events.ts'
import { eventLayout, responsesUsage } from './openai-responses.ts'
import type { Delta, StreamedCall, StreamReader, StreamStep } from './protocol.ts'
import { isRepeatable } from './repeatable.ts'
import { arrayOf, stringOf } from './shape.ts'
import { readTexts } from './texts.ts'
import type { Layout } from './texts.ts'
import { largerUsage } from './usage.ts'

/** `stored`: the stream of a response that was made before, which is only counted if nobody waited for it then. */
export function openResponsesStream(stored = false): StreamReader {
  return new ResponsesStream(stored)
}

type Item = {
  start: JsonObject
  readonly index: number
  /** What grows, by channel, with the arguments so far. */
  readonly grows: Map<string, { readonly growth: Growing | undefined; at: number; arguments: string }>
  readonly ended: Set<string>
  open: boolean
}
type Draft = {
  readonly deltas: Delta[]
  readonly ends: string[]
  readonly calls: StreamedCall[]
  terminal: boolean
  error: string | undefined
  usage: Usage | undefined
}
/** The delta event of a channel without its text. */
type Writer = (text: string) => JsonObject

const limits = { depthMax: 64, keysMax: 10_000 }

class ResponsesStream implements StreamReader {
  readonly #stored: boolean
  readonly #items = new Map<number, Item>()
  readonly #writers = new Map<string, Writer>()
  /** Every wording of a call is judged once, wherever it stands. */
  readonly #judged = new Set<string>()
  #usage: Usage | undefined
  #ended = false
  #number: Json | undefined
  #numberBefore: Json | undefined

  constructor(stored: boolean) {
    this.#stored = stored
  }

  read({ event, data }: { readonly event: string; readonly data: string }): StreamStep {
    // Some vendors end every stream like this.
    if (data === '' || data === '[DONE]') return nothing
    if (this.#ended) return { ok: false, message: 'An event follows the end of the stream.' }
    const parsed = parseJsonText(data, limits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    const type = isObject(value) ? (stringOf(value.type) ?? (isObject(value.error) ? 'error' : undefined)) : undefined
    if (!isObject(value) || type === undefined) return { ok: false, message: 'An event has no type.' }
    // Some clients go by the event's name and some by the type inside.
    if (event !== 'message' && event !== type) return { ok: false, message: 'An event is named after another.' }
    this.#numberBefore = this.#number
    this.#number = value.sequence_number
    const draft: Draft = { deltas: [], ends: [], calls: [], terminal: false, error: undefined, usage: undefined }
    const wrong = this.#event(type, value, draft)
    if (wrong !== undefined) return { ok: false, message: wrong }
    const { parts, uninspected } = readTexts(value, text, layoutBeside(draft.deltas))
    const others = parts.length + uninspected.length
    if (others > 0 && !isKnown(type)) return { ok: false, message: 'An event of an unknown type carries text.' }
    return {
      ok: true,
      value,
      deltas: draft.deltas,
      ends: draft.ends,
      calls: draft.calls,
      parts,
      ...(uninspected.length === 0 ? undefined : { uninspected }),
      terminal: draft.terminal,
      // Events that are numbered never repeat.
      ...(isRepeatable(draft, others) && type.endsWith('.delta') && value.sequence_number === undefined
        ? { repeatable: true }
        : undefined),
      ...(draft.error === undefined ? undefined : { error: draft.error }),
      ...(draft.usage === undefined ? undefined : { usage: draft.usage }),
    }
  }

  /** It comes before the event last read, so it has the number of the one before that. */
  deltaEvent(channel: string, text: string): string {
    const writer = this.#writers.get(channel)
    if (writer === undefined) throw new Error('No such channel has been read.')
    const numbered = this.#numberBefore === undefined ? undefined : { sequence_number: this.#numberBefore }
    const event: JsonObject = { ...writer(text), ...numbered }
    return formatEvent(event.type as string, JSON.stringify(event))
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
      case 'response.reasoning_summary_part.added':
        return this.#part(value, draft)
      case 'response.content_part.done':
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
        draft.error = errorText(value)
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
    const channel = channelOf(growth, item, at)
    const wrong = this.#end(item, channel, draft)
    if (wrong !== undefined || growth.kind === 'text') return wrong
    return this.#judge(withArguments(item.start, growth, at, whole), item.index, channel, draft)
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
    const channel = channelOf(growth, item, at)
    if (item.ended.has(channel)) return 'A text goes on after its end.'
    let grown = item.grows.get(channel)
    if (grown === undefined) {
      item.grows.set(channel, (grown = { growth, at, arguments: '' }))
      this.#writers.set(channel, deltaWriter(item, event, growth, at))
    }
    if (growth.kind === 'arguments') grown.arguments += text
    pushDelta(draft, { channel, address: { path }, text, kind: growth.kind })
    return undefined
  }

  /** What was gathered of a call is judged as the client has gathered it. */
  #end(item: Item, channel: string, draft: Draft): string | undefined {
    const grown = item.grows.get(channel)
    item.ended.add(channel)
    if (grown === undefined) return undefined
    item.grows.delete(channel)
    draft.ends.push(channel)
    if (grown.growth?.kind !== 'arguments' || grown.arguments === '') return undefined
    const gathered = withArguments(item.start, grown.growth, grown.at, grown.arguments)
    if (grown.growth.index !== undefined) Object.assign(item.start, gathered)
    return this.#judge(gathered, item.index, channel, draft)
  }

  #judge(item: JsonObject, index: number, channel: string, draft: Draft): string | undefined {
    const calls = itemCalls(item, [])
    if (calls === undefined) return 'A tool call has no name.'
    for (const call of calls) {
      const wording = JSON.stringify([call.id ?? index, call.name, call.args ?? item.arguments ?? item.input ?? null])
      if (this.#judged.has(wording)) continue
      this.#judged.add(wording)
      draft.calls.push({ ...call, channel })
    }
    return undefined
  }

  #open(value: JsonObject, draft: Draft): string | undefined {
    const { item: start, output_index: index } = value
    if (!isIndex(index) || !isObject(start)) return 'An output item has no index.'
    if (this.#items.has(index)) return 'An output item begins twice.'
    const type = stringOf(start.type) ?? ''
    if (itemCalls(start, []) === undefined) return 'A tool call has no name.'
    const item: Item = { start: { ...start }, index, grows: new Map(), ended: new Set(), open: true }
    this.#items.set(index, item)
    for (const list of ['content', 'summary'] as const) {
      for (const [place, part] of arrayOf(start[list]).entries()) {
        const wrong = isObject(part) ? this.#begin(item, part, place, ['item', list, place], draft) : undefined
        if (wrong !== undefined) return wrong
      }
    }
    if (type === 'shell_call') return this.#commands(item, draft)
    const [event, growth] = growingAt(type, undefined) ?? []
    if (event !== undefined && growth !== undefined) {
      return this.#grow(item, event, growth, 0, start[growth.whole], ['item', growth.whole], draft)
    }
    return isCallType(type) && saysSomething(start) ? this.#judge(start, index, `call:${index}:0`, draft) : undefined
  }

  #commands(item: Item, draft: Draft): string | undefined {
    const event = 'response.shell_call_command'
    const growth = growing.get(event)
    const action = item.start.action
    if (growth === undefined || !isObject(action)) return undefined
    for (const [at, command] of arrayOf(action.commands).entries()) {
      if (typeof command !== 'string') return 'A command must be a string.'
      const wrong = this.#grow(item, event, growth, at, command, ['item', 'action', 'commands', at], draft)
      if (wrong !== undefined) return wrong
    }
    item.start = { ...item.start, action: { ...action, commands: [] } }
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
    return growth === undefined ? undefined : this.#end(item, channelOf(growth, item, at), draft)
  }

  #shellOutput(type: string, value: JsonObject, draft: Draft): string | undefined {
    const item = this.#openItem(value, 'shell_call_output')
    if (typeof item === 'string') return item
    const { command_index, delta } = value
    if (!isIndex(command_index)) return 'An event has no index.'
    for (const pipe of ['stdout', 'stderr'] as const) {
      const channel = `${pipe}:${item.index}:${command_index}`
      if (type.endsWith('.done')) this.#end(item, channel, draft)
      const text = isObject(delta) ? delta[pipe] : undefined
      if (text === undefined || text === null) continue
      if (typeof text !== 'string') return 'A text must be a string.'
      if (item.ended.has(channel)) return 'A text goes on after its end.'
      item.grows.set(channel, { growth: undefined, at: command_index, arguments: '' })
      const head = { type, ...placeOf(item), command_index }
      this.#writers.set(channel, (more) => ({ ...head, delta: { [pipe]: more } }))
      pushDelta(draft, { channel, address: { path: ['delta', pipe] }, text, kind: 'text' })
    }
    return undefined
  }

  #close({ item: whole, output_index: index }: JsonObject, draft: Draft): string | undefined {
    if (!isIndex(index) || !isObject(whole)) return 'An output item has no index.'
    const item = this.#items.get(index)
    if (item !== undefined) {
      if (!item.open) return 'An output item ends twice.'
      if (item.start.type !== whole.type) return 'An output item changes its type.'
      const wrong = this.#endAll(item, draft)
      if (wrong !== undefined) return wrong
    } else {
      const ended: Item = { start: whole, index, grows: new Map(), ended: new Set(), open: false }
      this.#items.set(index, ended)
    }
    return this.#judge(whole, index, `call:${index}:0`, draft)
  }

  #endAll(item: Item, draft: Draft): string | undefined {
    item.open = false
    for (const channel of item.grows.keys()) {
      const wrong = this.#end(item, channel, draft)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  #snapshot(response: Json | undefined, ends: boolean, draft: Draft): string | undefined {
    if (!isObject(response)) return 'An event has no response.'
    if (ends) {
      this.#ended = true
      draft.terminal = true
      for (const item of this.#items.values()) {
        const wrong = item.open ? this.#endAll(item, draft) : undefined
        if (wrong !== undefined) return wrong
      }
    }
    for (const [index, item] of arrayOf(response.output).entries()) {
      const wrong = isObject(item) ? this.#judge(item, index, `call:${index}:0`, draft) : undefined
      if (wrong !== undefined) return wrong
    }
    if (this.#stored && response.background !== true) return undefined
    const reported = responsesUsage(response.usage)
    if (reported !== undefined) draft.usage = this.#usage = largerUsage(this.#usage, reported)
    return undefined
  }

  /** A string says what is wrong. `type` is what the event is for. */
  #openItem({ output_index: index, item_id: id }: JsonObject, type?: string): Item | string {
    const item = typeof index === 'number' ? this.#items.get(index) : undefined
    if (item?.open !== true) return 'An event belongs to no open output item.'
    // Some clients go by the index and some by the id.
    if (id !== undefined && id !== null && id !== (item.start.id ?? id)) return 'An event names another output item.'
    if (type !== undefined && item.start.type !== type) return 'An event is of another kind than its output item.'
    return item
  }
}

const nothing: StreamStep = { ok: true, deltas: [], ends: [], calls: [], parts: [], terminal: false }

/** Transcripts belong to no item. */
const transcript = 'transcript:0:0'

/** Far more than there ever are, and few enough to count up to. */
const indexMax = 10_000

function isIndex(value: Json | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= indexMax
}

function pushDelta(draft: Draft, delta: Delta): void {
  if (delta.text !== '') draft.deltas.push(delta)
}

function channelOf({ name }: Growing, { index }: Item, at: number): string {
  return `${name}:${index}:${at}`
}

function placeOf({ start, index }: Item): JsonObject {
  return { ...(typeof start.id === 'string' ? { item_id: start.id } : undefined), output_index: index }
}

function deltaWriter(item: Item, event: string, { index, more }: Growing, at: number): Writer {
  const head = { type: `${event}.delta`, ...placeOf(item), ...(index === undefined ? undefined : { [index]: at }) }
  return (delta) => ({ ...head, delta, ...more })
}

/** The item of a call as it stands with these arguments. */
function withArguments(start: JsonObject, { index, whole }: Growing, at: number, text: string): JsonObject {
  if (index === undefined) return { ...start, [whole]: text }
  const action = isObject(start.action) ? start.action : {}
  const commands = [...arrayOf(action.commands)]
  commands[at] = text
  return { ...start, action: { ...action, commands } }
}

function errorText({ message, error }: JsonObject): string {
  const said = stringOf(message) ?? (isObject(error) ? stringOf(error.message) : stringOf(error))
  return said ?? 'The upstream reports an error.'
}

/** What grows is not read twice; anything else is a whole text. */
function layoutBeside(deltas: readonly Delta[]): Layout {
  if (deltas.length === 0) return eventLayout
  return {
    roleAt: eventLayout.roleAt,
    standing: (key, owner, path) =>
      deltas.some(({ address }) => isSame(address.path, path)) ? 'handled' : eventLayout.standing(key, owner, path),
  }
}

/** A list of texts is handled as one. */
function isSame(grown: Path, path: Path): boolean {
  const length = typeof grown.at(-1) === 'number' ? grown.length - 1 : grown.length
  return path.length === length && path.every((step, index) => step === grown[index])
}
