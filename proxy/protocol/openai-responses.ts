// Owns the reading of OpenAI's Responses format: what is asked, what is answered, and what is kept at the provider and
// fetched later. It does not know streams. What the provider keeps and adds by itself (an earlier response, a
// conversation, a stored prompt) is never seen here, so it counts as uninspected.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Content, Role, ToolCall, ToolDefinition, Usage } from './content.ts'
import { modelsOfTool, otherModels, standIns } from './openai-models.ts'
import { itemCalls } from './openai-responses-calls.ts'
import { itemRole, standing } from './openai-responses-fields.ts'
import { pluginTools, wrongPlugins } from './openai-plugins.ts'
import type { Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { arrayOf, countOf, lookalikeIn, namesOf, present, stringOf, wrongMember } from './shape.ts'
import { readTexts } from './texts.ts'
import type { Label, Layout, Standing } from './texts.ts'
import { outputWithin, tokenCount, usageFrom } from './usage.ts'

export function readResponsesRequest(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const wrong = wrongRequest(body)
  if (wrong !== undefined) return { ok: false, message: wrong }
  const tools = offeredTools(body)
  if (typeof tools === 'string') return { ok: false, message: tools }
  return readingOf(readTexts(body, text, { roleAt: (path) => requestRole(body, path), standing: requestStanding }), {
    model: stringOf(body.model),
    stream: body.stream === true,
    maxTokens: countOf(body.max_output_tokens),
    messages: typeof body.input === 'string' ? 1 : arrayOf(body.input).length,
    tools,
  })
}

/** A response, whether it is new or was kept at the provider. */
export function readResponse(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  const wrong = wrongMember(body, 'output', ['array'], '')
  if (wrong !== undefined) return { ok: false, message: wrong }
  const toolCalls: ToolCall[] = []
  for (const [index, item] of arrayOf(body.output).entries()) {
    const calls = isObject(item) ? itemCalls(item, ['output', index]) : []
    if (calls === undefined) return { ok: false, message: `output[${index}] calls no tool by name.` }
    toolCalls.push(...calls)
  }
  return readingOf(readTexts(body, text, { roleAt: (path) => answerRole(body, path), standing }), {
    model: stringOf(body.model),
    toolCalls,
    usage: responsesUsage(body.usage),
  })
}

/** What made a response was paid for when it was made, unless nobody waited for it then. */
export function readStoredResponse(body: Json, text: string): Reading {
  const reading = readResponse(body, text)
  if (!reading.ok || (isObject(body) && body.background === true)) return reading
  return { ok: true, content: present<Content>({ ...reading.content, usage: undefined }) }
}

/** The items that a stored response was made from: what was said, so no call in them is new. */
export function readStoredItems(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  const texts = readTexts(body, text, { roleAt: (path) => roleIn(body, 'data', path) ?? 'other', standing })
  return readingOf(texts)
}

/** `input_tokens` includes the cached ones, as OpenAI counts. */
export function responsesUsage(usage: Json | undefined): Usage | undefined {
  if (!isObject(usage)) return undefined
  const details = isObject(usage.input_tokens_details) ? usage.input_tokens_details : {}
  const input = tokenCount(usage.input_tokens)
  return usageFrom({
    input,
    output: outputWithin(tokenCount(usage.output_tokens), input, tokenCount(usage.total_tokens)),
    cacheRead: tokenCount(details.cached_tokens),
    cacheWrite: tokenCount(details.cache_write_tokens),
  })
}

export const eventLayout: Layout = { roleAt: () => 'assistant', standing }

const history: Label = { label: 'history', how: 'walk' }

/** What the provider adds from what it keeps is named at the place that asks for it. */
function requestStanding(key: string, owner: JsonObject, path: Path): Standing {
  if (path.length === 1) {
    if (key === 'previous_response_id' || key === 'conversation') return history
    if (key === 'prompt') return { label: 'prompt', how: 'walk' }
  }
  if (path.length === 3 && path[0] === 'input' && key === 'id' && isReference(owner)) return history
  return standing(key, owner, path)
}

/** Its type may be left out, and then the id is all there is. */
function isReference(item: JsonObject): boolean {
  return item.type === 'item_reference' || Object.keys(item).length === 1
}

function requestRole(body: JsonObject, path: Path): Role {
  const [member] = path
  if (member === 'input') return typeof body.input === 'string' ? 'user' : (roleIn(body, 'input', path) ?? 'other')
  if (member === 'instructions') return 'system'
  if (member === 'prompt') return path[1] === 'variables' ? 'user' : 'other'
  return member === 'tools' || member === 'text' || member === 'tool_choice' ? 'definition' : 'other'
}

function answerRole(body: JsonObject, path: Path): Role {
  const [member] = path
  if (member === 'instructions') return 'system'
  if (member === 'tools' || member === 'text' || member === 'tool_choice') return 'definition'
  return member === 'output_text' ? 'assistant' : (roleIn(body, 'output', path) ?? 'other')
}

function roleIn(body: JsonObject, list: string, [member, index]: Path): Role | undefined {
  const item = member === list && typeof index === 'number' ? arrayOf(body[list])[index] : undefined
  return isObject(item) ? itemRole(item) : undefined
}

const members = namesOf(
  'model',
  'input',
  'instructions',
  'prompt',
  'tools',
  'tool_choice',
  'stream',
  'max_output_tokens',
  'previous_response_id',
  'conversation',
  'background',
  'store',
  'plugins',
  ...standIns,
)

function wrongRequest(body: JsonObject): string | undefined {
  const wrong =
    lookalikeIn(body, members) ??
    otherModels(body) ??
    wrongMember(body, 'model', ['string'], '') ??
    wrongMember(body, 'input', ['string', 'array'], '') ??
    wrongMember(body, 'instructions', ['string', 'array'], '') ??
    wrongMember(body, 'prompt', ['object'], '') ??
    wrongMember(body, 'stream', ['boolean'], '') ??
    wrongMember(body, 'max_output_tokens', ['number'], '') ??
    wrongMember(body, 'tools', ['array'], '') ??
    wrongPlugins(body)
  if (wrong !== undefined) return wrong
  for (const [index, item] of arrayOf(body.input).entries()) {
    const place = `input[${index}]`
    if (!isObject(item)) return `${place} must be an object.`
    const fault =
      wrongMember(item, 'type', ['string'], `${place}.`) ??
      wrongMember(item, 'role', ['string'], `${place}.`) ??
      (item.role === undefined ? undefined : wrongMember(item, 'content', ['string', 'array'], `${place}.`))
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Some items of the input bring tools of their own. A string says what is wrong. */
function offeredTools(body: JsonObject): ToolDefinition[] | string {
  const offered = toolDefinitions(body.tools, ['tools'])
  if (typeof offered === 'string') return offered
  for (const [index, item] of arrayOf(body.input).entries()) {
    if (!isObject(item) || !bringsTools.has(item.type)) continue
    const more = toolDefinitions(item.tools, ['input', index, 'tools'])
    if (typeof more === 'string') return more
    offered.push(...more)
  }
  return [...offered, ...pluginTools(body)]
}

const bringsTools: ReadonlySet<Json | undefined> = new Set(['additional_tools', 'tool_search_output'])

/**
 * A string says what is wrong. A tool of the provider's own is known by its type; a namespace offers the tools in it.
 */
function toolDefinitions(tools: Json | undefined, path: Path): ToolDefinition[] | string {
  const definitions: ToolDefinition[] = []
  for (const [index, tool] of arrayOf(tools).entries()) {
    const at = [...path, index]
    const type = isObject(tool) ? stringOf(tool.type) : undefined
    if (!isObject(tool) || type === undefined) return `${path.join('.')}[${index}] is not a tool.`
    if (type === 'namespace') {
      const inner = toolDefinitions(tool.tools, [...at, 'tools'])
      if (typeof inner === 'string') return inner
      definitions.push(...inner)
      continue
    }
    const name = type === 'function' || type === 'custom' ? stringOf(tool.name) : type
    if (name === undefined) return `${path.join('.')}[${index}] has no name.`
    const description = stringOf(tool.description) ?? stringOf(tool.server_description)
    definitions.push(present<ToolDefinition>({ address: { path: at }, name, description, models: modelsOfTool(tool) }))
  }
  return definitions
}
