// Owns the reading of OpenAI chat completions, request and answer, as every vendor of that format sends them. It does
// not know streams.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Role, ToolCall, ToolDefinition, Usage } from './content.ts'
import { modelsOfTool, otherModels, standIns } from './openai-models.ts'
import { pluginTools, wrongPlugins } from './openai-plugins.ts'
import type { Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { arrayOf, lookalikeIn, maximumOf, namesOf, present, stringOf, wrongMember } from './shape.ts'
import { parseArguments, readTexts } from './texts.ts'
import type { Label, Layout, Standing } from './texts.ts'
import { outputWithin, tokenCount, usageFrom } from './usage.ts'

export function readChatRequest(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const wrong = wrongRequest(body)
  if (wrong !== undefined) return { ok: false, message: wrong }
  const tools = toolDefinitions(body)
  if (typeof tools === 'string') return { ok: false, message: tools }
  return readingOf(readTexts(body, text, { roleAt: (path) => requestRole(body, path), standing }), {
    model: stringOf(body.model),
    stream: body.stream === true,
    maxTokens: largest(maximumOf(body.max_completion_tokens), maximumOf(body.max_tokens)),
    messages: arrayOf(body.messages).length,
    tools,
  })
}

export function readChatAnswer(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  const wrong = wrongAnswer(body)
  if (wrong !== undefined) return { ok: false, message: wrong }
  const toolCalls = arrayOf(body.choices).flatMap((choice, index) => choiceCalls(choice, index))
  if (toolCalls.some((call) => call === undefined))
    return { ok: false, message: 'A tool call has no name, or is of two kinds.' }
  return readingOf(readTexts(body, text, answerLayout), {
    model: stringOf(body.model),
    toolCalls: toolCalls.filter((call) => call !== undefined),
    usage: chatUsage(body.usage),
  })
}

/** `prompt_tokens` includes the cached ones, as OpenAI counts. */
export function chatUsage(usage: Json | undefined): Usage | undefined {
  if (!isObject(usage)) return undefined
  const details = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {}
  const input = tokenCount(usage.prompt_tokens)
  return usageFrom({
    input,
    output: outputWithin(tokenCount(usage.completion_tokens), input, tokenCount(usage.total_tokens)),
    cacheRead: tokenCount(details.cached_tokens),
    cacheWrite: undefined,
  })
}

/** What all chunks of a stream have in common, of completions as well. */
export function chunkHead({ id, object, created, model }: JsonObject): JsonObject {
  return present<JsonObject>({ id, object, created, model })
}

/** Whether a choice of a stream, of completions as well, is over. Some servers say an empty reason until it is. */
export function isFinish(reason: Json | undefined): boolean {
  return typeof reason === 'string' && reason !== ''
}

/** What must not change or cannot be read; everything else is inspected. */
export function standing(key: string, owner: JsonObject, path: Path): Standing {
  const fixed = standings.get(key)
  if (fixed !== undefined) return fixed
  const parent = path.at(-2)
  if (key === 'name') return isToolName(path) ? 'identifier' : 'inspected'
  if (key === 'data') return parent === 'input_audio' || parent === 'audio' ? audio : 'inspected'
  if (key === 'url') return parent === 'image_url' ? image : 'inspected'
  if (key === 'image_url') return typeof owner[key] === 'string' ? image : 'inspected'
  if (key === 'logprobs' || key === 'prompt_logprobs') return holdsAny(owner[key]) ? logprobs : 'inspected'
  if (key === 'token_ids' || key === 'prompt_token_ids') return hasTokens(owner[key]) ? tokens : 'inspected'
  return 'inspected'
}

const audio: Label = { label: 'audio', how: 'encoded' }
const image: Label = { label: 'image', how: 'encoded' }
/** They repeat the text piece by piece, so no value in them is whole. */
const logprobs: Label = { label: 'logprobs', how: 'skip' }
/** What they say is known to the model's own vocabulary. */
export const tokens: Label = { label: 'tokens', how: 'walk' }

/** Token numbers, or lists of them, among the texts. */
export function hasTokens(value: Json | undefined): boolean {
  return arrayOf(value).some((entry) => typeof entry === 'number' || Array.isArray(entry))
}

/** Of an object or a list; some servers write one whose members are all empty. */
function holdsAny(value: Json | undefined): boolean {
  if (Array.isArray(value)) return value.some((entry) => entry !== null)
  return isObject(value) && Object.values(value).some((member) => !isEmpty(member))
}

function isEmpty(value: Json): boolean {
  return value === null || (Array.isArray(value) && value.length === 0)
}

const standings = new Map<string, Standing>([
  ...[
    'role',
    'type',
    'id',
    'object',
    'model',
    'tool_call_id',
    'finish_reason',
    'system_fingerprint',
    'service_tier',
    'obfuscation',
  ].map((key) => [key, 'identifier'] as const),
  ...['created', 'expires_at', 'seed'].map((key) => [key, 'number'] as const),
  ...['parameters', 'schema', 'metadata', 'logit_bias'].map((key) => [key, 'free'] as const),
  ['file_id', { label: 'file', how: 'walk' }],
  ['file_data', { label: 'file', how: 'encoded' }],
  ['encrypted_content', { label: 'encrypted', how: 'encoded' }],
])

/** Where a tool is offered, chosen or called; a participant's name stands elsewhere. */
function isToolName(path: Path): boolean {
  const parent = path.at(-2)
  if (parent === 'function' || parent === 'custom' || parent === 'function_call') return true
  return path.length === 3 && path[0] === 'functions'
}

function requestRole(body: JsonObject, path: Path): Role {
  const [member, index] = path
  if (member === 'messages' && typeof index === 'number') {
    const message = arrayOf(body.messages)[index]
    return (isObject(message) ? roles.get(message.role) : undefined) ?? 'other'
  }
  if (member === 'tools' || member === 'functions' || member === 'response_format') return 'definition'
  return member === 'prediction' ? 'assistant' : 'other'
}

const roles = new Map<Json | undefined, Role>([
  ['system', 'system'],
  ['developer', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
  ['function', 'tool'],
])

export const answerLayout: Layout = {
  roleAt: (path) => (path[0] === 'choices' ? 'assistant' : 'other'),
  standing,
}

const members = namesOf(
  'model',
  'messages',
  'tools',
  'tool_choice',
  'functions',
  'function_call',
  'plugins',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'n',
  ...standIns,
)

function wrongRequest(body: JsonObject): string | undefined {
  const wrong =
    lookalikeIn(body, members) ??
    otherModels(body) ??
    wrongMember(body, 'model', ['string'], '', true) ??
    wrongMember(body, 'messages', ['array'], '', true) ??
    wrongMember(body, 'stream', ['boolean'], '') ??
    wrongMember(body, 'max_tokens', ['number'], '') ??
    wrongMember(body, 'max_completion_tokens', ['number'], '') ??
    wrongMember(body, 'tools', ['array'], '') ??
    wrongMember(body, 'functions', ['array'], '') ??
    wrongPlugins(body)
  if (wrong !== undefined) return wrong
  for (const [index, message] of arrayOf(body.messages).entries()) {
    const place = `messages[${index}]`
    if (!isObject(message)) return `${place} must be an object.`
    const fault =
      wrongMember(message, 'role', ['string'], `${place}.`, true) ??
      wrongMember(message, 'content', ['string', 'array'], `${place}.`) ??
      wrongMember(message, 'tool_calls', ['array'], `${place}.`)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** A string says what is wrong. */
function toolDefinitions(body: JsonObject): ToolDefinition[] | string {
  const definitions: ToolDefinition[] = []
  for (const member of ['tools', 'functions'] as const) {
    for (const [index, tool] of arrayOf(body[member]).entries()) {
      const definition = isObject(tool) ? toolDefinition(tool, member, index) : undefined
      if (definition === undefined) return `${member}[${index}] is not a tool.`
      definitions.push(definition)
    }
  }
  // The provider searches by itself, without a call that could be judged.
  if ((body.web_search_options ?? null) !== null)
    definitions.push({ address: { path: ['web_search_options'] }, name: 'web_search' })
  return [...definitions, ...pluginTools(body)]
}

/** A tool of the provider's own (web search and the like) is known by its type. */
function toolDefinition(tool: JsonObject, member: 'tools' | 'functions', index: number): ToolDefinition | undefined {
  if ((tool.function ?? null) !== null && (tool.custom ?? null) !== null) return undefined
  const described = member === 'functions' ? tool : (tool.function ?? tool.custom ?? { name: tool.type ?? null })
  if (!isObject(described) || typeof described.name !== 'string') return undefined
  return present<ToolDefinition>({
    address: { path: [member, index] },
    name: described.name,
    description: stringOf(described.description),
    models: modelsOfTool(tool),
  })
}

/** Nobody would judge a call that stands where the format has none. */
function wrongAnswer(body: JsonObject): string | undefined {
  const wrong = wrongMember(body, 'choices', ['array'], '')
  if (wrong !== undefined) return wrong
  for (const [index, choice] of arrayOf(body.choices).entries()) {
    const place = `choices[${index}]`
    if (!isObject(choice)) return `${place} must be an object.`
    const { message } = choice
    const fault =
      wrongMember(choice, 'message', ['object'], `${place}.`) ??
      (isObject(message)
        ? (wrongMember(message, 'tool_calls', ['array'], `${place}.message.`) ??
          wrongMember(message, 'function_call', ['object'], `${place}.message.`))
        : undefined)
    if (fault !== undefined) return fault
  }
  return undefined
}

function choiceCalls(choice: Json, index: number): (ToolCall | undefined)[] {
  const message = isObject(choice) ? choice.message : undefined
  if (!isObject(message)) return []
  const path = ['choices', index, 'message']
  const calls = arrayOf(message.tool_calls).map((call, at) =>
    // Of two kinds some clients take the one and some the other.
    isObject(call) && ((call.function ?? null) === null || (call.custom ?? null) === null)
      ? toolCall(call, call.function ?? call.custom, [...path, 'tool_calls', at])
      : undefined,
  )
  const legacy = message.function_call
  return isObject(legacy) ? [...calls, toolCall({}, legacy, [...path, 'function_call'])] : calls
}

/** A custom tool's `input` is free text, so it has no arguments that a rule could rely on. */
function toolCall(call: JsonObject, called: Json | undefined, path: Path): ToolCall | undefined {
  if (!isObject(called) || typeof called.name !== 'string' || called.name === '') return undefined
  return present<ToolCall>({
    address: { path },
    id: stringOf(call.id),
    name: called.name,
    args: typeof called.arguments === 'string' ? parseArguments(called.arguments) : undefined,
  })
}

function largest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b)
}
