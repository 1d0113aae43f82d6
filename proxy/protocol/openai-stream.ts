// Owns the reading of streamed OpenAI chat completions, chunk by chunk. A tool call is complete when its choice is: the
// format has no earlier sign that can be trusted. Of a denied call nothing is written, and the indexes close up.
import { applyEdits } from '../lib/edit.ts'
import type { Edit } from '../lib/edit.ts'
import { FirstMap } from '../lib/first-map.ts'
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Address, Path } from '../lib/pointer.ts'
import { formatEvent } from '../lib/sse.ts'
import type { ToolCall, Usage } from './content.ts'
import { growingTexts } from './openai-chat-deltas.ts'
import { announcesCall, paragraph } from './openai-chat-refusal.ts'
import { answerLayout, chatUsage, chunkHead, isFinish, standing } from './openai-chat.ts'
import type { Delta, Refused, StreamedCall, StreamReader, StreamStep } from './protocol.ts'
import { arrayOf, present, wrongMember } from './shape.ts'
import { emptyStep, newDraft, notePadding, pushDelta, stepOf, type Draft } from './step.ts'
import { parseArguments, readTexts } from './texts.ts'
import type { Layout } from './texts.ts'
import { largerUsage } from './usage.ts'

export function openChatStream(): StreamReader {
  return new ChatStream()
}

type Call = {
  id?: string
  name?: string
  readonly channel: string
  readonly form: Form
  arguments: string
  readonly index: number
}
type Form = 'function' | 'custom' | 'function_call'
type Choice = {
  readonly channels: FirstMap<string, true>
  calls: Map<string, Call> | undefined
  finished: boolean
  /** Whether the client has read any text. */
  said: boolean
  made: number
  refused: number
  /** Where the calls stand in order, by channel; undefined as long as each has an index of its own. */
  ranks: Map<string, number> | undefined
}

class ChatStream implements StreamReader {
  readonly #choices = new FirstMap<number, Choice>()
  /** Where each channel's text goes in a delta. */
  readonly #writers = new FirstMap<string, (text: string) => JsonObject>()
  #head: JsonObject = {}
  #usage: Usage | undefined
  #ended = false

  read({ event, data }: { readonly event: string; readonly data: string }): StreamStep {
    if (data === '') return emptyStep
    if (this.#ended) return { ok: false, message: 'An event follows the end of the stream.' }
    if (data === '[DONE]') return this.#end()
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    if (!isObject(value)) return { ok: false, message: 'A chunk must be an object.' }
    const draft = newDraft()
    const error = value.error ?? (event === 'error' ? value : undefined)
    if (error !== undefined && error !== null) {
      draft.error = true
      return this.#step(value, text, draft, answerLayout)
    }
    draft.repeats = true
    notePadding(draft, value)
    const wrong = this.#chunk(value, draft)
    return wrong === undefined ? this.#step(value, text, draft, chunkLayout(draft)) : { ok: false, message: wrong }
  }

  deltaEvent(channel: string, text: string): string {
    const writer = this.#writers.get(channel)
    if (writer === undefined) throw new Error('No such channel has been read.')
    const index = Number(channel.split(':')[1])
    const choices = [{ index, delta: writer(text), finish_reason: null }]
    return formatEvent('message', JSON.stringify({ ...this.#head, choices }))
  }

  pieceEvent(channel: string, piece: string): string {
    const { index, choice, place } = this.#placeOf(channel)
    const data = JSON.stringify({ ...this.#head, choices: [{ index, delta: {}, finish_reason: null }] })
    const path = ['choices', 0, 'delta']
    if (place === 'function')
      return formatEvent('message', applyEdits(data, [{ address: { path: [...path, 'function_call'] }, json: piece }]))
    const rank = choice.ranks?.get(channel)
    const numbered =
      choice.refused === 0 && rank === undefined
        ? piece
        : applyEdits(piece, [{ address: { path: ['index'] }, json: String((rank ?? Number(place)) - choice.refused) }])
    return formatEvent(
      'message',
      applyEdits(data, [{ address: { path: [...path, 'tool_calls'] }, json: `[${numbered}]` }]),
    )
  }

  refuse({ channel }: StreamedCall, text: string): Refused {
    const { index, choice } = this.#placeOf(channel)
    const before = choice.said ? paragraph : ''
    choice.refused += 1
    choice.said = true
    this.#writers.set(`text:${index}`, (more) => ({ content: more }))
    return { opening: '', channel: `text:${index}`, text: before + text }
  }

  amend(value: Json): readonly Edit[] {
    const edits: Edit[] = []
    for (const [at, choice] of arrayOf(isObject(value) ? value.choices : undefined).entries()) {
      if (!isObject(choice) || !announcesCall(choice.finish_reason)) continue
      const state = this.#choices.get(choice.index as number)
      if (state !== undefined && state.refused > 0 && state.refused === state.made)
        edits.push({ address: { path: ['choices', at, 'finish_reason'] }, text: 'stop' })
    }
    return edits
  }

  #placeOf(channel: string): { readonly index: number; readonly choice: Choice; readonly place: string } {
    const [, index, place = ''] = channel.split(':')
    const choice = this.#choices.get(Number(index))
    if (choice === undefined) throw new Error('No such channel has been read.')
    return { index: Number(index), choice, place }
  }

  #step(value: JsonObject, text: string, draft: Draft, layout: Layout): StreamStep {
    const reported = chatUsage(value.usage)
    this.#usage = largerUsage(this.#usage, reported)
    if (reported !== undefined) draft.usage = this.#usage
    if (draft.held.length > 0) draft.withheld = withheldIn(value, draft)
    return stepOf(value, draft, readTexts(value, text, layout))
  }

  #chunk(value: JsonObject, draft: Draft): string | undefined {
    // Azure's first chunk is about the prompt: its id, object and model are empty.
    if (!this.#head.id && typeof value.id === 'string') this.#head = chunkHead(value)
    const wrong = wrongMember(value, 'choices', ['array'], '')
    if (wrong !== undefined) return wrong
    for (const [at, choice] of arrayOf(value.choices).entries()) {
      const fault = this.#choice(choice, ['choices', at], draft)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  #choice(value: Json, path: Path, draft: Draft): string | undefined {
    if (!isObject(value) || !Number.isSafeInteger(value.index)) return 'A choice has no index.'
    const index = value.index as number
    let choice = this.#choices.get(index)
    if (choice === undefined) {
      choice = openChoice()
      this.#choices.set(index, choice)
    }
    // Nobody would judge calls that stand where a stream does not have them.
    const misplaced = isObject(value.message) && (value.message.tool_calls ?? value.message.function_call)
    if (isObject(misplaced) || Array.isArray(misplaced)) return 'A chunk carries a whole message with tool calls.'
    const wrong = wrongMember(value, 'delta', ['object'], 'choices[].')
    if (wrong !== undefined) return wrong
    if (isObject(value.delta)) {
      const wrong = this.#delta(value.delta, [...path, 'delta'], index, choice, draft)
      if (wrong !== undefined) return wrong
    }
    return isFinish(value.finish_reason) ? finish(choice, draft) : undefined
  }

  #delta(delta: JsonObject, path: Path, index: number, choice: Choice, draft: Draft): string | undefined {
    for (const { channel, path: place, text, writer } of growingTexts(delta, index)) {
      // What was held back of it is out already, so a value that goes on here would not be found.
      if (choice.finished && text !== '') return 'A choice goes on after it has finished.'
      const address = { path: [...path, ...place] }
      draft.grown.push(address.path)
      this.#grow({ channel, address, text, kind: 'text' }, choice, draft, writer)
      if (channel.startsWith('text:') && text !== '') choice.said = true
    }
    if (choice.channels.size > textsMax) return 'A choice has too many texts.'
    if (isObject(delta.function_call)) {
      const wrong = this.#call({ function_call: delta.function_call }, path, `${index}:function`, choice, draft)
      if (wrong !== undefined) return wrong
      draft.held.push({ channel: `arguments:${index}:function`, address: { path: [...path, 'function_call'] } })
      draft.withheld.push({ path: [...path, 'function_call'] })
    }
    const wrong =
      wrongMember(delta, 'tool_calls', ['array'], 'delta.') ?? wrongMember(delta, 'function_call', ['object'], 'delta.')
    if (wrong !== undefined) return wrong
    for (const [at, call] of arrayOf(delta.tool_calls).entries()) {
      if (!isObject(call) || !Number.isSafeInteger(call.index)) return 'A tool call has no index.'
      const key = `${index}:${call.index as number}`
      if (beginsAnother(call, choice.calls?.get(key))) setAside(choice, key)
      const wrong = this.#call(call, [...path, 'tool_calls', at], key, choice, draft)
      if (wrong !== undefined) return wrong
      const channel = choice.calls?.get(key)?.channel ?? ''
      draft.held.push({ channel, address: { path: [...path, 'tool_calls', at] } })
    }
    if (arrayOf(delta.tool_calls).length > 0) draft.withheld.push({ path: [...path, 'tool_calls'] })
    return undefined
  }

  #call(value: JsonObject, path: Path, key: string, choice: Choice, draft: Draft): string | undefined {
    if (choice.finished) return 'A tool call goes on after its choice has finished.'
    const [form, ...others] = forms.filter((name) => isObject(value[name]))
    if (others.length > 0) return 'A tool call is of two kinds.'
    let call = choice.calls?.get(key)
    if (call === undefined) {
      if (form === undefined) return 'A tool call begins without saying what is called.'
      const index = typeof value.index === 'number' ? value.index : 0
      const twin = choice.ranks === undefined ? '' : `:${choice.made}`
      call = { channel: `${form === 'custom' ? 'input' : 'arguments'}:${key}${twin}`, form, arguments: '', index }
      choice.made += 1
      choice.calls ??= new Map()
      choice.calls.set(key, call)
    }
    if (form !== undefined && form !== call.form) return 'A tool call changes its kind.'
    if (typeof value.id === 'string' && value.id !== '') {
      if (call.id !== undefined && call.id !== value.id) return 'A tool call changes its id.'
      call.id = value.id
    }
    const called = form === undefined ? undefined : value[form]
    if (!isObject(called)) return undefined
    if (typeof called.name === 'string' && called.name !== '') {
      // Some clients join the pieces of a name and some take the last one, so only one reading is accepted.
      if (call.name !== undefined && call.name !== called.name) return 'A tool call changes its name.'
      call.name = called.name
    }
    const field = form === 'custom' ? 'input' : 'arguments'
    const text = called[field]
    if (text === undefined || text === null) return undefined
    if (typeof text !== 'string' || form === undefined) return 'The arguments of a tool call must be string.'
    call.arguments += text
    const grown: Delta = { channel: call.channel, address: { path: [...path, form, field] }, text, kind: 'arguments' }
    this.#grow(grown, choice, draft)
    return undefined
  }

  /** Arguments have no writer: they are written inside of their pieces. */
  #grow(delta: Delta, choice: Choice, draft: Draft, writer?: (text: string) => JsonObject): void {
    if (writer !== undefined && !this.#writers.has(delta.channel)) this.#writers.set(delta.channel, writer)
    choice.channels.set(delta.channel, true)
    pushDelta(draft, delta)
  }

  #end(): StreamStep {
    const draft = newDraft()
    this.#ended = true
    for (const choice of this.#choices.values()) {
      const wrong = finish(choice, draft)
      if (wrong !== undefined) return { ok: false, message: wrong }
    }
    return { ...emptyStep, ends: draft.ends, calls: draft.calls, terminal: true }
  }
}

/** Far more than there ever are in a choice. */
const textsMax = 64

const forms = ['function', 'custom', 'function_call'] as const

function openChoice(): Choice {
  const channels = new FirstMap<string, true>()
  return { channels, calls: undefined, finished: false, said: false, made: 0, refused: 0, ranks: undefined }
}

/**
 * Some servers (behind Gemini's and others' OpenAI formats) give all calls of an answer the index 0. One with an id and a name
 * of its own is another call, whatever its index says; clients that go by the index would make one of them.
 */
function beginsAnother(value: JsonObject, call: Call | undefined): boolean {
  if (call?.id === undefined || typeof value.id !== 'string' || value.id === '' || value.id === call.id) return false
  return forms.some((form) => {
    const called = value[form]
    return isObject(called) && typeof called.name === 'string' && called.name !== ''
  })
}

/** What is there under the key is complete; from here on each call of the choice is written under its place among them. */
function setAside(choice: Choice, key: string): void {
  const call = choice.calls?.get(key)
  if (call === undefined) return
  choice.calls?.delete(key)
  choice.calls?.set(`${key} ${choice.made}`, call)
  choice.ranks ??= new Map()
}

/** The choice grows no further, and its calls are as they are. */
function finish(choice: Choice, draft: Draft): string | undefined {
  draft.ends.push(...choice.channels.keys())
  choice.channels.clear()
  // By their indexes, so that what is left of them can close up.
  for (const [rank, call] of [...(choice.calls?.values() ?? [])].sort((a, b) => a.index - b.index).entries()) {
    if (call.name === undefined) return 'A tool call has no name.'
    choice.ranks?.set(call.channel, rank)
    draft.calls.push({ ...finishedCall(call, call.name), channel: call.channel })
  }
  choice.calls = undefined
  choice.finished = true
  return undefined
}

/** The address of a streamed call is that of its arguments' last piece; nothing is ever edited there. */
function finishedCall(call: Call, name: string): ToolCall {
  const args = call.form === 'custom' ? undefined : parseArguments(call.arguments)
  return present<ToolCall>({ address: { path: ['choices'] }, id: call.id, name, args })
}

/** An event that says nothing beside the pieces of calls is withheld as a whole. */
function withheldIn({ choices, usage }: JsonObject, { withheld }: Draft): Address[] {
  const [choice, ...others] = arrayOf(choices)
  if (others.length > 0 || isObject(usage) || !isObject(choice) || isFinish(choice.finish_reason)) return withheld
  const said = isObject(choice.delta) ? Object.keys(choice.delta) : []
  return said.every((key) => key === 'tool_calls' || key === 'function_call') ? [{ path: [] }] : withheld
}

/** What #delta reads as channels is not read twice; anything unknown is a whole text. */
function chunkLayout({ grown }: Draft): Layout {
  return {
    roleAt: answerLayout.roleAt,
    standing: (key, owner, path) =>
      path[2] === 'delta' && typeof owner[key] === 'string' && isChannel(key, path, grown)
        ? 'handled'
        : standing(key, owner, path),
  }
}

/** `path` is below `choices[n].delta`. */
function isChannel(key: string, path: Path, grown: readonly Path[]): boolean {
  if (path[0] !== 'choices') return false
  if (path.length === 5 && path[3] === 'function_call' && key === 'arguments') return true
  if (path.length === 7 && path[3] === 'tool_calls') {
    return (path[5] === 'function' && key === 'arguments') || (path[5] === 'custom' && key === 'input')
  }
  return grown.some((one) => one.length === path.length && one.every((step, at) => step === path[at]))
}
