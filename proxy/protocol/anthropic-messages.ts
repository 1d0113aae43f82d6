// Owns the reading of Anthropic messages, request and answer. Thinking is left alone: it must go back byte for byte, so
// it counts as uninspected. It does not know streams.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import { offeredTools } from './anthropic-offers.ts'
import type { Alternate, Role, ToolCall, Usage } from './content.ts'
import type { Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { arrayOf, countOf, lookalikeIn, namesOf, present, stringOf, wrongMember } from './shape.ts'
import { readTexts } from './texts.ts'
import type { Label, Layout, Standing } from './texts.ts'
import { largerUsage, sumUsage, tokenCount, usageFrom } from './usage.ts'

export function readMessagesRequest(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const wrong = wrongRequest(body)
  if (wrong !== undefined) return { ok: false, message: wrong }
  const tools = offeredTools(body)
  if (typeof tools === 'string') return { ok: false, message: tools }
  return readingOf(readTexts(body, text, { roleAt: (path) => requestRole(body, path), standing }), {
    model: stringOf(body.model),
    stream: body.stream === true,
    maxTokens: longest(body),
    messages: arrayOf(body.messages).length,
    tools,
    alternates: alternatesOf(body),
  })
}

/** Who answers in the place of another may have a maximum of its own. */
function longest({ max_tokens: asked, fallbacks }: JsonObject): number | undefined {
  const counts = [asked, ...arrayOf(fallbacks).map((one) => (isObject(one) ? one.max_tokens : undefined))]
  const known = counts.flatMap((count) => countOf(count) ?? [])
  return known.length === 0 ? undefined : Math.max(...known)
}

/** Models that answer where the one that was asked declines: those of a list, or the provider's choice. */
function alternatesOf({ fallbacks }: JsonObject): Alternate[] | undefined {
  if (typeof fallbacks === 'string') return [{ address: { path: ['fallbacks'] } }]
  if (!Array.isArray(fallbacks)) return undefined
  return fallbacks.map((one, index) =>
    present<Alternate>({
      address: { path: ['fallbacks', index] },
      model: isObject(one) ? stringOf(one.model) : undefined,
    }),
  )
}

export function readMessagesAnswer(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  const wrong = wrongMember(body, 'content', ['array'], '')
  if (wrong !== undefined) return { ok: false, message: wrong }
  const toolCalls: ToolCall[] = []
  for (const [index, block] of arrayOf(body.content).entries()) {
    if (!isObject(block) || !isToolUse(block)) continue
    const call = toolCall(block, ['content', index])
    if (call === undefined) return { ok: false, message: `content[${index}] calls no tool by name.` }
    toolCalls.push(call)
  }
  return readingOf(readTexts(body, text, answerLayout), {
    model: stringOf(body.model),
    toolCalls,
    usage: messagesUsage(body.usage),
  })
}

/** The answer of count_tokens: a number, and whatever else there may be. */
export function readTokenCount(body: Json, text: string): Reading {
  const count = isObject(body) ? countOf(body.input_tokens) : undefined
  if (count === undefined) return { ok: false, message: 'The answer must be an object with input_tokens.' }
  return readingOf(readTexts(body, text, answerLayout))
}

/**
 * The report's own counts are without what a compaction took, which `iterations` has beside what is in them:
 * so the sum of those is never less, where it is there.
 */
export function messagesUsage(usage: Json | undefined): Usage | undefined {
  if (!isObject(usage)) return undefined
  let rounds: Usage | undefined
  for (const round of arrayOf(usage.iterations)) {
    const counts = isObject(round) ? countsOf(round) : undefined
    if (counts !== undefined) rounds = sumUsage(rounds ?? {}, counts)
  }
  return largerUsage(countsOf(usage), rounds)
}

/** `input_tokens` is without what came from or went into the cache, as Anthropic counts. */
function countsOf(usage: JsonObject): Usage | undefined {
  return usageFrom({
    input: tokenCount(usage.input_tokens),
    output: tokenCount(usage.output_tokens),
    cacheRead: tokenCount(usage.cache_read_input_tokens),
    cacheWrite: tokenCount(usage.cache_creation_input_tokens),
  })
}

/** Calls of the client's tools, of the provider's own and of MCP servers alike. */
export function isToolUse(block: JsonObject): boolean {
  return typeof block.type === 'string' && block.type.endsWith('tool_use')
}

export function toolCall(block: JsonObject, path: Path): ToolCall | undefined {
  if (typeof block.name !== 'string' || block.name === '') return undefined
  const args = isObject(block.input) ? block.input : undefined
  return present<ToolCall>({ address: { path }, id: stringOf(block.id), name: block.name, args })
}

/** What must not change or cannot be read; everything else is inspected. */
export function standing(key: string, owner: JsonObject, path: Path): Standing {
  const fixed = standings.get(key)
  if (fixed !== undefined) return fixed
  const type = typeof owner.type === 'string' ? owner.type : ''
  switch (key) {
    case 'thinking':
      return type === 'thinking' || type === 'thinking_delta' ? thinking : 'inspected'
    case 'signature':
      return type === 'thinking' || type === 'signature_delta' ? thinking : encrypted
    case 'data':
      if (type === 'redacted_thinking') return thinking
      return type === 'base64' ? { label: mediaLabel(owner.media_type), how: 'encoded' } : 'inspected'
    case 'token':
      return path.at(-2) === 'fallback_credit_token' ? encrypted : 'inspected'
    case 'source':
      return type === 'image' || type === 'document' ? sourceStanding(owner[key], type) : 'inspected'
    case 'name':
      return type.endsWith('tool_use') || path[0] === 'tools' || path[0] === 'tool_choice' ? 'identifier' : 'inspected'
    case 'input':
      return type.endsWith('tool_use') ? 'free' : 'inspected'
    case 'previous_message_id':
      return path.at(-2) === 'thread' ? history : 'inspected'
    default:
      return 'inspected'
  }
}

const thinking: Label = { label: 'thinking', how: 'skip' }
const encrypted: Label = { label: 'encrypted', how: 'encoded' }
/** What was said before, which the provider adds from what it keeps. */
const history: Label = { label: 'history', how: 'walk' }

const standings = new Map<string, Standing>([
  ...['type', 'id', 'role', 'model', 'tool_use_id', 'tool_name', 'stop_reason', 'media_type', 'service_tier'].map(
    (key) => [key, 'identifier'] as const,
  ),
  ...['input_schema', 'input_examples', 'schema'].map((key) => [key, 'free'] as const),
  ...['encrypted_content', 'encrypted_index', 'encrypted_stdout', 'fallback_credit_token'].map(
    (key) => [key, encrypted] as const,
  ),
  ['file_id', { label: 'file', how: 'walk' }],
])

function mediaLabel(mediaType: Json | undefined): string {
  return typeof mediaType === 'string' && mediaType.startsWith('image/') ? 'image' : 'file'
}

/** A document that is text is read; an image, or a document elsewhere, is not, though the reference to it is. */
function sourceStanding(source: Json | undefined, type: 'image' | 'document'): Standing {
  const from = isObject(source) ? source.type : undefined
  if (from === 'url' || from === 'file') return { label: type === 'image' ? 'image' : 'file', how: 'walk' }
  return 'inspected'
}

function requestRole(body: JsonObject, path: Path): Role {
  const [member, index, , block] = path
  if (member === 'system') return 'system'
  if (member === 'tools' || member === 'output_config') return 'definition'
  if (member !== 'messages' || typeof index !== 'number') return 'other'
  const message = arrayOf(body.messages)[index]
  if (!isObject(message)) return 'other'
  return typeof block === 'number' && isToolResult(arrayOf(message.content)[block]) ? 'tool' : roleOf(message.role)
}

function roleOf(role: Json | undefined): Role {
  return role === 'user' || role === 'assistant' || role === 'system' ? role : 'other'
}

function isToolResult(block: Json | undefined): boolean {
  return isObject(block) && typeof block.type === 'string' && block.type.endsWith('tool_result')
}

export const answerLayout: Layout = {
  roleAt: (path) => (path[0] === 'usage' ? 'other' : 'assistant'),
  standing,
}

const members = namesOf(
  'model',
  'messages',
  'system',
  'tools',
  'tool_choice',
  'mcp_servers',
  'container',
  'stream',
  'max_tokens',
  'fallbacks',
  'thread',
)

function wrongRequest(body: JsonObject): string | undefined {
  const wrong =
    lookalikeIn(body, members) ??
    wrongMember(body, 'model', ['string'], '', true) ??
    wrongMember(body, 'messages', ['array'], '', true) ??
    wrongMember(body, 'system', ['string', 'array'], '') ??
    wrongMember(body, 'stream', ['boolean'], '') ??
    wrongMember(body, 'max_tokens', ['number'], '') ??
    wrongMember(body, 'tools', ['array'], '') ??
    wrongMember(body, 'thread', ['object'], '') ??
    wrongMember(body, 'fallbacks', ['string', 'array'], '') ??
    wrongBlocks(body.system, 'system')
  if (wrong !== undefined) return wrong
  for (const [index, message] of arrayOf(body.messages).entries()) {
    const place = `messages[${index}]`
    if (!isObject(message)) return `${place} must be an object.`
    const fault =
      wrongMember(message, 'role', ['string'], `${place}.`, true) ??
      wrongMember(message, 'content', ['string', 'array'], `${place}.`, true) ??
      wrongBlocks(message.content, `${place}.content`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function wrongBlocks(blocks: Json | undefined, place: string): string | undefined {
  const wrong = arrayOf(blocks).findIndex((block) => !isObject(block) || typeof block.type !== 'string')
  return wrong === -1 ? undefined : `${place}[${wrong}] must be an object with a type.`
}
