// Owns the reading of streamed Anthropic messages, event by event. Blocks open, grow and close by index; anything out of
// that order has no single meaning to clients, so it is refused.
import type { Edit } from '../lib/edit.ts'
import { innerLimits, isObject, parseJsonText } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { formatEvent } from '../lib/sse.ts'
import { answerLayout, isToolUse, messagesUsage, standing, toolCall } from './anthropic-messages.ts'
import { clientCall, isResultOf, textBlock } from './anthropic-refusal.ts'
import type { Usage } from './content.ts'
import type { Delta, Refused, StreamedCall, StreamReader, StreamStep } from './protocol.ts'
import { arrayOf, present, stringOf, wrongMember } from './shape.ts'
import { holdEvent, nearestBefore, newDraft, pushDelta, stepOf, type Draft } from './step.ts'
import { parseArguments, readTexts } from './texts.ts'
import type { Layout } from './texts.ts'
import { largerUsage } from './usage.ts'
import { withheldResult } from './withheld.ts'

export function openMessagesStream(): StreamReader {
  return new MessagesStream()
}

type Block = {
  readonly start: JsonObject
  readonly channel: string | undefined
  arguments: string
  open: boolean
  refused: boolean
  /** Nothing may be added to it. */
  whole: boolean
}

class MessagesStream implements StreamReader {
  readonly #blocks = new Map<number, Block>()
  /** The indexes of calls that are not complete. */
  readonly #pending = new Set<number>()
  readonly #refusedIds = new Set<string>()
  #usage: Usage | undefined
  #ended = false

  read({ event, data }: { readonly event: string; readonly data: string }): StreamStep {
    if (this.#ended) return { ok: false, message: 'An event follows the end of the stream.' }
    const parsed = parseJsonText(data, innerLimits)
    if (!parsed.ok) return { ok: false, message: parsed.message }
    const { value, text } = parsed
    if (!isObject(value) || typeof value.type !== 'string') return { ok: false, message: 'An event has no type.' }
    // Some clients go by the event's name and some by the type inside.
    if (event !== 'message' && event !== value.type) return { ok: false, message: 'An event is named after another.' }
    const draft = newDraft()
    draft.repeats = value.type === 'content_block_delta'
    const before = nearestBefore(value.index, this.#pending)
    if (before !== undefined) draft.behind = `arguments:${before}`
    const wrong = this.#event(value, draft)
    if (wrong !== undefined) return { ok: false, message: wrong }
    const texts = readTexts(value, text, eventLayout)
    if (texts.parts.length > 0 && !isKnown(value)) draft.unknown = 'An event of an unknown type carries text.'
    return stepOf(value, draft, texts)
  }

  deltaEvent(channel: string, text: string): string {
    const event = { type: 'content_block_delta', index: indexOf(channel), delta: { type: 'text_delta', text } }
    return formatEvent('content_block_delta', JSON.stringify(event))
  }

  pieceEvent(_channel: string, piece: string): string {
    return formatEvent((JSON.parse(piece) as { readonly type: string }).type, piece)
  }

  /** The block keeps its place and its stop. */
  refuse({ channel, id }: StreamedCall, text: string): Refused {
    const index = indexOf(channel)
    const block = this.#blocks.get(index)
    if (block !== undefined) block.refused = true
    if (id !== undefined) this.#refusedIds.add(id)
    const start = { type: 'content_block_start', index, content_block: { type: 'text', text: '' } }
    return { opening: formatEvent(start.type, JSON.stringify(start)), channel: `text:${index}`, text }
  }

  amend(value: Json): readonly Edit[] {
    if (!isObject(value)) return []
    if (isObject(value.content_block) && isResultOf(value.content_block, this.#refusedIds))
      return [{ address: { path: ['content_block'] }, json: textBlock(withheldResult) }]
    if (!isObject(value.delta) || value.delta.stop_reason !== clientCall || this.#hasCallsLeft()) return []
    return [{ address: { path: ['delta', 'stop_reason'] }, text: 'end_turn' }]
  }

  #event(value: JsonObject, draft: Draft): string | undefined {
    switch (value.type) {
      case 'message_start':
        return this.#begin(value.message, draft)
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
        draft.error = true
        return undefined
      default:
        return undefined
    }
  }

  #begin(message: Json | undefined, draft: Draft): string | undefined {
    if (!isObject(message)) return undefined
    // Clients take the message as it is, and nobody would judge calls that stand where a stream does not have them.
    if (arrayOf(message.content).some((block) => isObject(block) && isToolUse(block)))
      return 'A message begins with a tool call in it.'
    draft.usage = this.#addUsage(message.usage)
    return undefined
  }

  #start(value: JsonObject, draft: Draft): string | undefined {
    const { index, content_block: start } = value
    if (!Number.isSafeInteger(index) || !isObject(start)) return 'A content block has no index.'
    const at = index as number
    if (this.#blocks.has(at)) return 'A content block begins twice.'
    const channel = isToolUse(start) ? `arguments:${at}` : start.type === 'text' ? `text:${at}` : undefined
    this.#blocks.set(at, { start, channel, arguments: '', open: true, refused: false, whole: false })
    if (isToolUse(start)) {
      const call = toolCall(start, ['content_block'])
      if (call === undefined) return 'A tool call has no name.'
      // A client may take the input from here, so the call is judged before this leaves, and not again at its stop.
      if (isWhole(start)) draft.calls.push({ ...call, channel: `arguments:${at}` })
      else this.#pending.add(at)
      holdEvent(draft, `arguments:${at}`)
    }
    if (start.type === 'text' && channel !== undefined) {
      const wrong = wrongMember(start, 'text', ['string'], 'content_block.')
      if (wrong !== undefined) return wrong
      const text = stringOf(start.text) ?? ''
      const address = { path: ['content_block', 'text'] }
      pushDelta(draft, { channel, address, text, kind: 'text' })
    }
    return undefined
  }

  #delta(value: JsonObject, draft: Draft): string | undefined {
    const block = this.#openBlock(value.index)
    if (block === undefined) return 'A delta belongs to no open content block.'
    if (this.#pending.has(value.index as number)) holdEvent(draft, `arguments:${value.index as number}`)
    else if (block.refused) draft.withheld.push({ path: [] })
    const { delta } = value
    if (!isObject(delta)) return 'A delta is missing.'
    if (delta.type === 'compaction_delta') {
      // It is the whole of its block. Some clients join two, some take the last.
      if (block.whole) return 'A compaction is said twice.'
      block.whole = true
    }
    if (delta.type === 'thinking_delta') draft.unreadBytes = Buffer.byteLength(stringOf(delta.thinking) ?? '')
    const grows = growing.get(delta.type)
    if (grows === undefined) return undefined
    const { field, kind, channel } = grows
    const text = delta[field]
    if (typeof text !== 'string') return 'A delta has no text.'
    if (block.channel?.startsWith(channel) !== true) return 'A delta is of another kind than its content block.'
    if (kind === 'arguments') block.arguments += text
    pushDelta(draft, { channel: block.channel, address: { path: ['delta', field] }, text, kind })
    return undefined
  }

  #stop(value: JsonObject, draft: Draft): string | undefined {
    const block = this.#openBlock(value.index)
    this.#pending.delete(value.index as number)
    return block === undefined ? 'A content block ends that is not open.' : closeBlock(block, draft)
  }

  #end(draft: Draft): string | undefined {
    this.#ended = true
    draft.terminal = true
    this.#pending.clear()
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

  #hasCallsLeft(): boolean {
    for (const { start, refused } of this.#blocks.values()) if (start.type === clientCall && !refused) return true
    return false
  }

  #addUsage(usage: Json | undefined): Usage | undefined {
    this.#usage = largerUsage(this.#usage, messagesUsage(usage))
    return this.#usage
  }
}

function indexOf(channel: string): number {
  return Number(channel.slice(channel.indexOf(':') + 1))
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

/** Of an event or a delta that nobody here knows it cannot be said how its texts go together. */
function isKnown({ type, delta }: JsonObject): boolean {
  if (type !== 'content_block_delta') return knownEvents.has(type)
  return isObject(delta) && knownDeltas.has(delta.type)
}

const knownEvents: ReadonlySet<Json | undefined> = new Set([
  'message_start',
  'message_delta',
  'message_stop',
  'content_block_start',
  'content_block_stop',
  'ping',
  'error',
])

const knownDeltas: ReadonlySet<Json | undefined> = new Set([
  ...growing.keys(),
  'thinking_delta',
  'signature_delta',
  'citations_delta',
  'compaction_delta',
])

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
