// Owns the reading of Ollama's bodies: requests to chat, generate, embed and show, and their answers. It does not know
// streams.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Role, ToolCall, ToolDefinition, Usage } from './content.ts'
import type { Reading, RefusedCall } from './protocol.ts'
import { readingOf } from './reading.ts'
import { arrayOf, foldName, maximumOf, present, stringOf, wrongMember } from './shape.ts'
import { readTexts } from './texts.ts'
import type { Label, Layout, Standing } from './texts.ts'
import { tokenCount, usageFrom } from './usage.ts'

/** What the operation says of a request. `texts`: the fields that hold what the model is given. */
export type Subject = { readonly streams: boolean; readonly texts: readonly string[] }

export function readRequest(body: Json, text: string, { streams, texts }: Subject): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const wrong = wrongRequest(body)
  if (wrong !== undefined) return { ok: false, message: wrong }
  const tools = toolDefinitions(body)
  if (typeof tools === 'string') return { ok: false, message: tools }
  return readingOf(readTexts(body, text, { roleAt: (path) => requestRole(body, path, texts), standing }), {
    model: stringOf(body.model) || stringOf(body.name),
    stream: streams && body.stream !== false,
    // Negative numbers mean no limit, and so does zero.
    maxTokens: isObject(body.options) ? maximumOf(body.options.num_predict) : undefined,
    messages: texts.includes('messages') ? arrayOf(body.messages).length : undefined,
    tools,
  })
}

/** By either of its names. */
export function nameModel(body: Json, model: string): Edit[] {
  if (!isObject(body)) return []
  return ['model', 'name'].flatMap((key) => {
    const named = stringOf(body[key])
    return named === undefined || named === '' ? [] : [{ address: { path: [key] }, text: model, was: named }]
  })
}

/** Of chat and generate, as a whole or as the last line of a stream. */
export function readAnswer(body: Json, text: string): Reading {
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  const toolCalls = callsIn(body)
  return typeof toolCalls === 'string' ? { ok: false, message: toolCalls } : answer(body, text, toolCalls)
}

/** Embeddings, listings and descriptions of models. */
export function readOtherAnswer(body: Json, text: string): Reading {
  return isObject(body) ? answer(body, text, []) : { ok: false, message: 'The answer must be an object.' }
}

export function usageOf(body: JsonObject): Usage | undefined {
  return usageFrom({
    input: tokenCount(body.prompt_eval_count),
    output: tokenCount(body.eval_count),
    cacheRead: undefined,
    cacheWrite: undefined,
  })
}

/** Those of a chat's message and those of a completion. A string says what is wrong. */
export function callsIn(body: JsonObject): ToolCall[] | string {
  const wrong = wrongMember(body, 'message', ['object'], '')
  if (wrong !== undefined) return wrong
  const calls: ToolCall[] = []
  for (const [owner, path] of [[body.message, ['message']] as const, [body, []] as const]) {
    if (!isObject(owner)) continue
    const fault = wrongMember(owner, 'tool_calls', ['array'], '')
    if (fault !== undefined) return fault
    for (const [index, call] of arrayOf(owner.tool_calls).entries()) {
      const called = isObject(call) ? call.function : undefined
      if (!isObject(call) || !isObject(called) || typeof called.name !== 'string' || called.name === '')
        return 'A tool call has no name.'
      const args = called.arguments ?? {}
      calls.push(
        present<ToolCall>({
          address: { path: [...path, 'tool_calls', index] },
          id: stringOf(call.id),
          name: called.name,
          args: isObject(args) ? args : undefined,
        }),
      )
    }
  }
  return calls
}

/** The edits by which denied calls leave; an empty list of calls is none. */
export function removeCalls(body: JsonObject, refused: readonly RefusedCall[]): Edit[] {
  return [body.message, body].flatMap((owner, at) => {
    if (!isObject(owner)) return []
    const gone = refused.filter(({ call }) => (call.address.path[0] === 'message') === (at === 0))
    const list: Path = at === 0 ? ['message', 'tool_calls'] : ['tool_calls']
    if (gone.length > 0 && gone.length === arrayOf(owner.tool_calls).length)
      return [{ address: { path: list }, remove: true } as const]
    return gone.map(({ call: { address } }) => ({ address, remove: true }) as const)
  })
}

/** Between what the model said and what is said in its place. */
export const paragraph = '\n\n'

export function refuseCalls(body: Json, refused: readonly RefusedCall[]): Edit[] {
  if (!isObject(body)) return []
  const { message } = body
  const said = stringOf(isObject(message) ? message.content : body.response) ?? ''
  const text = [...(said === '' ? [] : [said]), ...refused.map((one) => one.text)].join(paragraph)
  const path = isObject(message) ? ['message', 'content'] : ['response']
  return [...removeCalls(body, refused), { address: { path }, json: JSON.stringify(text) }]
}

/** What must not change or cannot be read; everything else is inspected. */
export function standing(key: string, owner: JsonObject, path: Path): Standing {
  const fixed = standings.get(key)
  if (fixed !== undefined) return fixed
  const parent = path.at(-2)
  switch (key) {
    case 'images':
      return arrayOf(owner.images).every((one) => typeof one === 'string' && base64.test(one)) ? image : 'inspected'
    case 'logprobs':
      // In a request it is a switch.
      return typeof owner.logprobs === 'boolean' ? 'inspected' : logprobs
    case 'name':
      return parent === 'function' || path[0] === 'models' || path.length === 1 ? 'identifier' : 'inspected'
    case 'arguments':
    case 'parameters':
      return parent === 'function' ? 'free' : 'inspected'
    case 'format':
      return path.length === 1 && isObject(owner.format) ? 'free' : 'identifier'
    default:
      return key.endsWith('parameter_count') ? 'number' : 'inspected'
  }
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/
/** They repeat the text piece by piece, so no value in them is whole. */
const logprobs: Label = { label: 'logprobs', how: 'skip' }
const image: Label = { label: 'image', how: 'skip' }

const standings = new Map<string, Standing>([
  ...[
    'created_at',
    'digest',
    'done_reason',
    'expires_at',
    'families',
    'family',
    'id',
    'keep_alive',
    'model',
    'modified_at',
    'parameter_size',
    'quantization_level',
    'role',
    'think',
    'tool_call_id',
    'tool_name',
    'type',
    'version',
  ].map((key) => [key, 'identifier'] as const),
  ...['eval_duration', 'load_duration', 'prompt_eval_duration', 'seed', 'size', 'size_vram', 'total_duration'].map(
    (key) => [key, 'number'] as const,
  ),
  // An earlier conversation as the model's own tokens; only numbers can be that.
  ['context', { label: 'context', how: 'walk' }],
])

export const answerLayout: Layout = {
  roleAt: ([member]) =>
    member === 'message' || member === 'response' || member === 'thinking' || member === 'tool_calls'
      ? 'assistant'
      : 'other',
  standing,
}

function answer(body: JsonObject, text: string, toolCalls: readonly ToolCall[]): Reading {
  return readingOf(readTexts(body, text, answerLayout), {
    model: stringOf(body.model),
    toolCalls,
    usage: usageOf(body),
  })
}

function requestRole(body: JsonObject, path: Path, texts: readonly string[]): Role {
  const [member, index] = path
  if (member === 'messages' && typeof index === 'number') {
    const message = arrayOf(body.messages)[index]
    return (isObject(message) ? roles.get(message.role) : undefined) ?? 'other'
  }
  if (member === 'system' || member === 'template') return 'system'
  if (member === 'tools' || member === 'format') return 'definition'
  return member === 'suffix' || texts.includes(String(member)) ? 'user' : 'other'
}

const roles = new Map<Json | undefined, Role>([
  ['system', 'system'],
  ['user', 'user'],
  ['assistant', 'assistant'],
  ['tool', 'tool'],
])

function wrongRequest(body: JsonObject): string | undefined {
  const wrong =
    wrongCase(body, '') ??
    wrongMember(body, 'model', ['string'], '', body.name === undefined) ??
    wrongMember(body, 'name', ['string'], '') ??
    wrongMember(body, 'messages', ['array'], '') ??
    wrongMember(body, 'stream', ['boolean'], '') ??
    wrongMember(body, 'tools', ['array'], '') ??
    wrongMember(body, 'options', ['object'], '')
  if (wrong !== undefined) return wrong
  // An older name of the same.
  if (stringOf(body.model) && stringOf(body.name) && body.model !== body.name)
    return 'model and name are different models.'
  for (const [index, message] of arrayOf(body.messages).entries()) {
    const place = `messages[${index}]`
    if (!isObject(message)) return `${place} must be an object.`
    const fault =
      wrongCase(message, `${place}.`) ??
      wrongMember(message, 'role', ['string'], `${place}.`, true) ??
      wrongMember(message, 'content', ['string'], `${place}.`) ??
      wrongMember(message, 'images', ['array'], `${place}.`) ??
      wrongMember(message, 'tool_calls', ['array'], `${place}.`)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** Ollama takes `Tools` for `tools`, and what is read here is not what would be done. */
function wrongCase(owner: JsonObject, place: string): string | undefined {
  const wrong = Object.keys(owner).some((key) => key !== foldName(key))
  return wrong ? `${place === '' ? 'The body' : place.slice(0, -1)} has a field that is not in lower case.` : undefined
}

/** A string says what is wrong. */
function toolDefinitions(body: JsonObject): ToolDefinition[] | string {
  const definitions: ToolDefinition[] = []
  for (const [index, tool] of arrayOf(body.tools).entries()) {
    const described = isObject(tool) ? tool.function : undefined
    if (!isObject(described) || typeof described.name !== 'string') return `tools[${index}] is not a tool.`
    definitions.push(
      present<ToolDefinition>({
        address: { path: ['tools', index] },
        name: described.name,
        description: stringOf(described.description),
      }),
    )
  }
  return definitions
}
