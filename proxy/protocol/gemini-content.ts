// Owns the reading of Gemini contents: requests to generate, count and embed, and their answers. The model's name comes
// from the path, so whatever in a body could name another one is refused. It does not know streams.
import type { Edit } from '../lib/edit.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Path } from '../lib/pointer.ts'
import type { Role, ToolCall, Usage } from './content.ts'
import { camelName, fieldLayout, fieldOf, itemsOf, keyOf } from './gemini-fields.ts'
import { toolDefinitions } from './gemini-tools.ts'
import type { Reading } from './protocol.ts'
import { readingOf } from './reading.ts'
import { countOf, maximumOf, present, stringOf, wrongMember } from './shape.ts'
import type { Kind } from './shape.ts'
import { readTexts } from './texts.ts'
import type { Layout } from './texts.ts'
import { outputWithin, tokenCount, usageFrom } from './usage.ts'

/** What the path says of a request. `needs`: the fields of which it must have one. */
export type Subject = { readonly model: string; readonly stream: boolean; readonly needs: readonly string[] }

export function readRequest(body: Json, text: string, { model, stream, needs }: Subject): Reading {
  if (!isObject(body)) return { ok: false, message: 'The body must be an object.' }
  const layout = fieldLayout((path) => requestRole(body, path))
  const texts = readTexts(body, text, layout)
  const wrong = layout.ambiguous() ?? wrongRequest(body, model, needs)
  if (wrong !== undefined) return { ok: false, message: wrong }
  const tools = toolDefinitions(body)
  if (typeof tools === 'string') return { ok: false, message: tools }
  const contents = fieldOf(body, 'contents')
  const config = fieldOf(body, 'generationConfig')
  return readingOf(texts, {
    model,
    stream,
    maxTokens: isObject(config) ? maximumOf(tokensOf(fieldOf(config, 'maxOutputTokens'))) : undefined,
    messages: contents === undefined ? undefined : itemsOf(contents, []).length,
    tools,
  })
}

export function readGenerateAnswer(body: Json, text: string): Reading {
  if (Array.isArray(body)) return { ok: false, message: listed }
  if (!isObject(body)) return { ok: false, message: 'The answer must be an object.' }
  const toolCalls: ToolCall[] = []
  const wrong = eachPart(body, (part, path) => {
    const calls = callsIn(part, path)
    if (typeof calls === 'string') return calls
    toolCalls.push(...calls)
    return undefined
  })
  return wrong === undefined ? answer(body, text, toolCalls) : { ok: false, message: wrong }
}

/** Counts and embeddings: numbers, and whatever else there may be. */
export function readOtherAnswer(body: Json, text: string): Reading {
  return isObject(body) ? answer(body, text, []) : { ok: false, message: 'The answer must be an object.' }
}

export const answerRole: Layout['roleAt'] = (path) => {
  const [member] = path
  return typeof member === 'string' && camelName(member) === 'usageMetadata' ? 'other' : 'assistant'
}

/** Thoughts are output, and what tools put into the prompt is input: neither is in the count beside it. */
export function generateUsage(usage: Json | undefined): Usage | undefined {
  if (!isObject(usage)) return undefined
  const count = (name: string) => tokenCount(fieldOf(usage, name))
  const input = sumOf(count('promptTokenCount'), count('toolUsePromptTokenCount'))
  const written = sumOf(count('candidatesTokenCount'), count('thoughtsTokenCount'))
  return usageFrom({
    input,
    output: outputWithin(written, input, count('totalTokenCount')),
    cacheRead: count('cachedContentTokenCount'),
    cacheWrite: undefined,
  })
}

/** Calls back with each part of each candidate, until something is wrong. */
export function eachPart(
  body: JsonObject,
  visit: (part: JsonObject, path: Path, candidate: JsonObject, at: number) => string | undefined,
): string | undefined {
  const list = keyOf(body, 'candidates')
  const wrong = wrongMember(body, list, ['array'], '')
  if (wrong !== undefined) return wrong
  for (const [at, { item: candidate, path }] of itemsOf(body[list], [list]).entries()) {
    if (!isObject(candidate)) return `candidates[${at}] must be an object.`
    const fault =
      wrongMember(candidate, 'content', ['object'], `candidates[${at}].`) ??
      (isObject(candidate.content)
        ? wrongContent(candidate.content, `candidates[${at}].content`, ['array'])
        : undefined)
    if (fault !== undefined) return fault
    if (!isObject(candidate.content)) continue
    for (const part of itemsOf(candidate.content.parts, [...path, 'content', 'parts'])) {
      const wrong = visit(part.item as JsonObject, part.path, candidate, at)
      if (wrong !== undefined) return wrong
    }
  }
  return undefined
}

/** The calls of a part: the client's own tools, and those that the provider runs itself. A string says what is wrong. */
export function callsIn(part: JsonObject, path: Path): ToolCall[] | string {
  const calls: ToolCall[] = []
  for (const [field, nameOf] of callFields) {
    const key = keyOf(part, field)
    const call = part[key]
    if (call === undefined || call === null) continue
    const name = isObject(call) ? nameOf(call) : undefined
    if (!isObject(call) || name === undefined || name === '') return `A ${field} calls no tool by name.`
    const unfinished = fieldOf(call, 'willContinue') === true || itemsOf(fieldOf(call, 'partialArgs'), []).length > 0
    if (unfinished) return `A ${field} has its arguments in pieces; ask without streamFunctionCallArguments.`
    const args = field === 'executableCode' ? call : argsOf(call.args)
    calls.push(present<ToolCall>({ address: { path: [...path, key] }, id: stringOf(call.id), name, args }))
  }
  // A part is one thing; of two, whoever answers the call would have to drop the other.
  return calls.length > 1 || (calls.length === 1 && part.text !== undefined && part.text !== '')
    ? 'A part is of two kinds.'
    : calls
}

const callFields: readonly (readonly [string, (call: JsonObject) => string | undefined])[] = [
  ['functionCall', (call) => stringOf(call.name)],
  ['toolCall', (call) => providerTool(stringOf(fieldOf(call, 'toolType')))],
  ['executableCode', () => 'codeExecution'],
]

/** By the name under which it was offered: GOOGLE_SEARCH_WEB is a googleSearch. */
function providerTool(type: string | undefined): string | undefined {
  if (type === undefined) return undefined
  return type.startsWith('GOOGLE_SEARCH') ? 'googleSearch' : camelName(type.toLowerCase())
}

/** A call without arguments has none, and clients take that for an empty object. */
function argsOf(args: Json | undefined): Json | undefined {
  if (args === undefined || args === null) return {}
  return isObject(args) ? args : undefined
}

function answer(body: JsonObject, text: string, toolCalls: readonly ToolCall[]): Reading {
  const layout = fieldLayout(answerRole)
  const texts = readTexts(body, text, layout)
  const ambiguous = layout.ambiguous()
  if (ambiguous !== undefined) return { ok: false, message: ambiguous }
  return readingOf(texts, {
    model: stringOf(fieldOf(body, 'modelVersion')),
    toolCalls,
    usage: generateUsage(fieldOf(body, 'usageMetadata')),
  })
}

const listed = 'It is a list of chunks; a stream is inspected as server-sent events only: ask for it with ?alt=sse.'

function sumOf(first: number | undefined, second: number | undefined): number | undefined {
  return first === undefined && second === undefined ? undefined : (first ?? 0) + (second ?? 0)
}

/** Protobuf's JSON takes numbers in strings, too. */
function tokensOf(value: Json | undefined): number | undefined {
  return countOf(typeof value === 'string' && value !== '' ? Number(value) : value)
}

function requestRole(body: JsonObject, path: Path): Role {
  const [owner, steps] = nearestRequest(body, path)
  const [member, index] = steps
  switch (typeof member === 'string' ? camelName(member) : '') {
    case 'systemInstruction':
      return 'system'
    case 'tools':
    case 'toolConfig':
      return 'definition'
    case 'generationConfig':
      return typeof index === 'string' && camelName(index).endsWith('Schema') ? 'definition' : 'other'
    case 'content':
      return 'user'
    case 'contents':
      return contentRole(itemOf(fieldOf(owner, 'contents'), index), steps)
    default:
      return 'other'
  }
}

/** Requests stand in others: the one that is counted, and those of a batch. */
function nearestRequest(body: JsonObject, path: Path): [JsonObject, Path] {
  const [member, index] = path
  const name = typeof member === 'string' ? camelName(member) : ''
  if (name !== 'generateContentRequest' && name !== 'requests') return [body, path]
  const inner = itemOf(fieldOf(body, name), index)
  return isObject(inner) ? [inner, path.slice(typeof index === 'number' ? 2 : 1)] : [body, path]
}

function itemOf(value: Json | undefined, index: string | number | undefined): Json | undefined {
  return Array.isArray(value) ? value[Number(index)] : value
}

function contentRole(content: Json | undefined, steps: Path): Role {
  if (steps.slice(1, 5).some((step) => typeof step === 'string' && camelName(step) === 'functionResponse'))
    return 'tool'
  const role = isObject(content) ? content.role : undefined
  if (role === 'model') return 'assistant'
  if (role === 'function') return 'tool'
  return role === undefined || role === null || role === 'user' ? 'user' : 'other'
}

function wrongRequest(body: JsonObject, model: string, needs: readonly string[]): string | undefined {
  if (!needs.some((name) => (fieldOf(body, name) ?? null) !== null)) return `${needs.join(' or ')} is missing.`
  const inner = keyOf(body, 'generateContentRequest')
  const wrong =
    wrongMember(body, inner, ['object'], '') ??
    wrongMember(body, 'requests', ['array'], '') ??
    wrongFields(body, model, '')
  if (wrong !== undefined) return wrong
  for (const { item, path } of [...itemsOf(body[inner], [inner]), ...itemsOf(body.requests, ['requests'])]) {
    const place = path.length === 1 ? inner : `requests[${path[1]}]`
    if (!isObject(item)) return `${place} must be an object.`
    const fault = wrongFields(item, model, `${place}.`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function wrongFields(owner: JsonObject, model: string, place: string): string | undefined {
  const wrong =
    wrongMember(owner, 'model', ['string'], place) ??
    wrongMember(owner, 'tools', ['array', 'object'], place) ??
    wrongMember(owner, keyOf(owner, 'toolConfig'), ['object'], place) ??
    wrongMember(owner, keyOf(owner, 'generationConfig'), ['object'], place) ??
    wrongContents(owner, 'contents', ['array', 'object'], place) ??
    wrongContents(owner, 'content', ['object'], place) ??
    wrongContents(owner, 'systemInstruction', ['object'], place)
  if (wrong !== undefined) return wrong
  const named = stringOf(owner.model)
  if (named !== undefined && named !== '' && !isNameOf(named, model)) return `${place}model is another than the path's.`
  return (
    wrongConfig(fieldOf(owner, 'generationConfig'), place) ??
    wrongCalling(fieldOf(owner, 'toolConfig'), place) ??
    wrongRanking(owner.tools, place)
  )
}

/** Bodies give a resource name: `models/x`, or the whole way to it. */
function isNameOf(named: string, model: string): boolean {
  const resource = resourceName(model)
  return named === model || named === resource || named.endsWith(`/${resource}`)
}

/** Below whatever owns it. */
export function resourceName(model: string): string {
  return model.includes('/') ? model : `models/${model}`
}

/** Wherever a request names a model it is the path's, so `resource`, the one that takes its place, is in all of them. */
export function nameModel(body: Json, resource: string): Edit[] {
  if (!isObject(body)) return []
  const inner = keyOf(body, 'generateContentRequest')
  const requests = [{ item: body, path: [] }, ...itemsOf(body[inner], [inner]), ...itemsOf(body.requests, ['requests'])]
  return requests.flatMap(({ item, path: at }) => {
    const named = isObject(item) ? stringOf(item.model) : undefined
    return named === undefined || named === ''
      ? []
      : [{ address: { path: [...at, 'model'] }, text: resource, was: named }]
  })
}

function wrongConfig(config: Json | undefined, place: string): string | undefined {
  if (!isObject(config)) return undefined
  for (const name of ['routingConfig', 'modelConfig']) {
    if ((fieldOf(config, name) ?? null) !== null)
      return `${place}generationConfig.${name} lets another model answer than the path names.`
  }
  const key = keyOf(config, 'maxOutputTokens')
  const wrong = wrongMember(config, key, ['number', 'string'], `${place}generationConfig.`)
  if (wrong !== undefined || config[key] === undefined || config[key] === null) return wrong
  return tokensOf(config[key]) === undefined ? `${place}generationConfig.${key} is not a count.` : undefined
}

function wrongCalling(config: Json | undefined, place: string): string | undefined {
  const calling = isObject(config) ? fieldOf(config, 'functionCallingConfig') : undefined
  return isObject(calling) && fieldOf(calling, 'streamFunctionCallArguments') === true
    ? `${place}toolConfig asks for arguments in pieces, which cannot be judged; leave out streamFunctionCallArguments.`
    : undefined
}

/** What is found is given to a model to be ranked. */
const ranking = ['retrieval', 'vertexRagStore', 'ragRetrievalConfig', 'ranking', 'llmRanker']

function wrongRanking(tools: Json | undefined, place: string): string | undefined {
  const asks = itemsOf(tools, []).some(
    ({ item }) => (ranking.reduce<Json | undefined>(memberOf, item) ?? null) !== null,
  )
  return asks ? `${place}tools has an llmRanker, another model than the path names.` : undefined
}

function memberOf(owner: Json | undefined, name: string): Json | undefined {
  return isObject(owner) ? fieldOf(owner, name) : undefined
}

function wrongContents(owner: JsonObject, name: string, kinds: readonly Kind[], place: string): string | undefined {
  const key = keyOf(owner, name)
  const wrong = wrongMember(owner, key, kinds, place)
  if (wrong !== undefined) return wrong
  for (const { item, path } of itemsOf(owner[key], [])) {
    const at = path.length === 0 ? `${place}${key}` : `${place}${key}[${path[0]}]`
    if (!isObject(item)) return `${at} must be an object.`
    const fault = wrongContent(item, at, ['array', 'object'])
    if (fault !== undefined) return fault
  }
  return undefined
}

function wrongContent(content: JsonObject, place: string, kinds: readonly Kind[]): string | undefined {
  const wrong =
    wrongMember(content, 'role', ['string'], `${place}.`) ?? wrongMember(content, 'parts', kinds, `${place}.`)
  if (wrong !== undefined) return wrong
  for (const [index, { item }] of itemsOf(content.parts, []).entries()) {
    if (!isObject(item)) return `${place}.parts[${index}] must be an object.`
    const fault = wrongMember(item, 'text', ['string'], `${place}.parts[${index}].`)
    if (fault !== undefined) return fault
  }
  return undefined
}
