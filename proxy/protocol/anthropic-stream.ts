// Owns the reading of streamed Anthropic messages, event by event. Blocks open, grow and close by index; anything out of
// that order has no single meaning to clients, so it is refused.
import { isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { formatEvent } from '../lib/sse.ts'
import { answerLayout, isToolUse, messagesUsage, standing, toolCall } from './anthropic-messages.ts'
import type { Usage } from './content.ts'
import type { Delta, StreamedCall, StreamReader, StreamStep } from './protocol.ts'
import { isRepeatable } from './repeatable.ts'
import { present, stringOf, wrongMember } from './shape.ts'
import { parseArguments, readTexts } from './texts.ts'
import type { Layout } from './texts.ts'
import { largerUsage } from './usage.ts'

export function openMessagesStream(): StreamReader {
  return new MessagesStream()
}

type Block = { readonly start: JsonObject; readonly channel: string | undefined; arguments: string; open: boolean }
type Draft = {
  deltas: Delta[]
  ends: string[]
  calls: StreamedCall[]
  terminal: boolean
  error: string | undefined
  usage: Usage | undefined
}

const limits = { depthMax: 64, keysMax: 10_000 }

class MessagesStream implements StreamReader {
  readonly #blocks = new Map<number, Block>()
  #usage: Usage | undefined
  #ended = false

  read({ event, data }: { readonly event: string; readonly data: string }): StreamStep {
    if (this.#ended) return { ok: false, message: 'An event follows the end of the stream.' }
    const parsed = parseJsonText(data, limits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    if (!isObject(value) || typeof value.type !== 'string') return { ok: false, message: 'An event has no type.' }
    // Some clients go by the event's name and some by the type inside.
    if (event !== 'message' && event !== value.type) return { ok: false, message: 'An event is named after another.' }
    const draft: Draft = { deltas: [], ends: [], calls: [], terminal: false, error: undefined, usage: undefined }
    const wrong = this.#event(value, draft)
    if (wrong !== undefined) return { ok: false, message: wrong }
    const { parts, uninspected } = readTexts(value, text, eventLayout)
    return {
      ok: true,
      value,
      deltas: draft.deltas,
      ends: draft.ends,
      calls: draft.calls,
      parts,
      ...(uninspected.length === 0 ? undefined : { uninspected }),
      terminal: draft.terminal,
      ...(isRepeatable(draft, parts.length + uninspected.length) && value.type === 'content_block_delta'
        ? { repeatable: true }
        : undefined),
      ...(draft.error === undefined ? undefined : { error: draft.error }),
      ...(draft.usage === undefined ? undefined : { usage: draft.usage }),
    }
  }

  deltaEvent(channel: string, text: string): string {
    const [kind, index] = channel.split(':')
    const delta = kind === 'arguments' ? { type: 'input_json_delta', partial_json: text } : { type: 'text_delta', text }
    const event = { type: 'content_block_delta', index: Number(index), delta }
    return formatEvent('content_block_delta', JSON.stringify(event))
  }

  #event(value: JsonObject, draft: Draft): string | undefined {
    switch (value.type) {
      case 'message_start':
        if (isObject(value.message)) draft.usage = this.#addUsage(value.message.usage)
        return undefined
      case 'content_block_start':
        return this.#start(value, draft)
      case 'content_block_delta':
        return this.#delta(value, draft)
      case 'content_block_stop':
        return this.#stop(value, draft)
      case 'message_delta':
        draft.usage = this.#addUsage(value.usage)
        return undefined
      case 'message_stop':
        return this.#end(draft)
      case 'error':
        draft.error = errorText(value.error)
        return undefined
      default:
        return undefined
    }
  }

  #start(value: JsonObject, draft: Draft): string | undefined {
    const { index, content_block: start } = value
    if (!Number.isSafeInteger(index) || !isObject(start)) return 'A content block has no index.'
    const at = index as number
    if (this.#blocks.has(at)) return 'A content block begins twice.'
    const channel = isToolUse(start) ? `arguments:${at}` : start.type === 'text' ? `text:${at}` : undefined
    this.#blocks.set(at, { start, channel, arguments: '', open: true })
    if (isToolUse(start)) {
      const call = toolCall(start, ['content_block'])
      if (call === undefined) return 'A tool call has no name.'
      // A client may take the input from here, so the call is judged before this leaves, and not again at its stop.
      if (isWhole(start)) draft.calls.push({ ...call, channel: `arguments:${at}` })
    }
    if (start.type === 'text' && channel !== undefined) {
      const wrong = wrongMember(start, 'text', ['string'], 'content_block.')
      if (wrong !== undefined) return wrong
      const text = stringOf(start.text) ?? ''
      const address = { path: ['content_block', 'text'] }
      if (text !== '') draft.deltas.push({ channel, address, text, kind: 'text' })
    }
    return undefined
  }

  #delta(value: JsonObject, draft: Draft): string | undefined {
    const block = this.#openBlock(value.index)
    if (block === undefined) return 'A delta belongs to no open content block.'
    const { delta } = value
    if (!isObject(delta)) return 'A delta is missing.'
    const grows = growing.get(delta.type)
    if (grows === undefined) return undefined
    const { field, kind, channel } = grows
    const text = delta[field]
    if (typeof text !== 'string') return 'A delta has no text.'
    if (block.channel?.startsWith(channel) !== true) return 'A delta is of another kind than its content block.'
    if (kind === 'arguments') block.arguments += text
    if (text !== '') draft.deltas.push({ channel: block.channel, address: { path: ['delta', field] }, text, kind })
    return undefined
  }

  #stop(value: JsonObject, draft: Draft): string | undefined {
    const block = this.#openBlock(value.index)
    return block === undefined ? 'A content block ends that is not open.' : closeBlock(block, draft)
  }

  #end(draft: Draft): string | undefined {
    this.#ended = true
    draft.terminal = true
    for (const block of this.#blocks.values()) {
      const wrong = block.open ? closeBlock(block, draft) : undefined
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  #openBlock(index: Json | undefined): Block | undefined {
    const block = typeof index === 'number' ? this.#blocks.get(index) : undefined
    return block?.open === true ? block : undefined
  }

  #addUsage(usage: Json | undefined): Usage | undefined {
    this.#usage = largerUsage(this.#usage, messagesUsage(usage))
    return this.#usage
  }
}

function closeBlock(block: Block, draft: Draft): string | undefined {
  block.open = false
  if (block.channel === undefined) return undefined
  draft.ends.push(block.channel)
  if (!isToolUse(block.start)) return undefined
  // Clients differ in which of the two they take.
  if (isWhole(block.start)) return block.arguments === '' ? undefined : 'A tool call has its input twice.'
  const args = block.arguments === '' ? block.start.input : parseArguments(block.arguments)
  const call = toolCall(present<JsonObject>({ ...block.start, input: args ?? null }), ['content_block'])
  if (call !== undefined) draft.calls.push({ ...call, channel: block.channel })
  return undefined
}

/** Has the block of a call its input from the start? Mostly it is `{}` there and grows by deltas. */
function isWhole({ input }: JsonObject): boolean {
  return isObject(input) && Object.keys(input).length > 0
}

/** The deltas that grow a channel. Thinking is not read; a citation is whole at once. */
const growing = new Map<Json | undefined, { field: string; kind: Delta['kind']; channel: string }>([
  ['text_delta', { field: 'text', kind: 'text', channel: 'text:' }],
  ['input_json_delta', { field: 'partial_json', kind: 'arguments', channel: 'arguments:' }],
])

function errorText(error: Json | undefined): string {
  return (isObject(error) ? stringOf(error.message) : undefined) ?? 'The upstream reports an error.'
}

/** What #start and #delta read as channels is not read twice; anything unknown is a whole text. */
const eventLayout: Layout = {
  roleAt: answerLayout.roleAt,
  standing(key, owner, path) {
    if (path.length === 2 && typeof owner[key] === 'string') {
      if (path[0] === 'delta' && growing.get(owner.type)?.field === key) return 'handled'
      if (path[0] === 'content_block' && key === 'text' && owner.type === 'text') return 'handled'
    }
    return standing(key, owner, path)
  },
}
