// Owns what the methods of MCP ask for, from the client and from the server, in every version that is served. A method
// that is not in these tables is unknown, and an unknown method never passes.
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import type { Act, Asked } from './content.ts'
import type { Id } from './mcp-message.ts'
import { judgedUri } from './mcp-uri.ts'
import { arrayOf, countOf, lookalikeIn, namesOf, present, stringOf, wrongMember } from './shape.ts'

type Acts = readonly Act[]
/** A string says what is wrong with the parameters. */
type ReadActs = (params: JsonObject) => Acts | string

export function askedOfServer(method: string, id: Id, params: JsonObject): Asked | string {
  return asked(clientMethods, method, id, params)
}

export function askedOfClient(method: string, id: Id, params: JsonObject): Asked | string {
  return asked(serverMethods, method, id, params)
}

/** Requests of the server that stand in a result (2026-07-28: `input_required`). They have no ids of their own. */
export function askedForInput(inputRequests: JsonObject): Asked | string {
  const acts: Act[] = []
  for (const request of Object.values(inputRequests)) {
    if (!isObject(request) || typeof request['method'] !== 'string') return 'an input request has no method.'
    const params = request['params'] ?? {}
    if (!isObject(params)) return 'the params of an input request must be an object.'
    const read = serverMethods.get(request['method'])
    if (read === undefined) return { operation: 'unknown', acts: [], unknown: true }
    const found = read(params)
    if (typeof found === 'string') return found
    acts.push(...found)
  }
  return { operation: 'input.required', acts }
}

/** Pages that a user must visit first, in an error (2025-11-25: code -32042). */
export function askedForPages(elicitations: readonly Json[]): Asked | string {
  const acts: Act[] = []
  for (const page of elicitations) {
    if (!isObject(page)) return 'an elicitation must be an object.'
    const found = elicitation(page)
    if (typeof found === 'string') return found
    acts.push(...found)
  }
  return { operation: 'input.required', acts }
}

function asked(methods: ReadonlyMap<string, ReadActs>, method: string, id: Id, params: JsonObject): Asked | string {
  const read = methods.get(method)
  if (read === undefined) return { operation: 'unknown', id, acts: [], unknown: true }
  const lookalike = lookalikeIn(params, parameters)
  if (lookalike !== undefined) return lookalike
  const acts = read(params)
  if (typeof acts === 'string') return acts
  const standing = method === 'subscriptions/listen' ? ({ standing: true } as const) : undefined
  return { operation: method.replaceAll('/', '.'), id, acts, ...standing }
}

/** The parameters that a decision rests on. */
const parameters = namesOf(
  'name',
  'arguments',
  'uri',
  'ref',
  'notifications',
  'protocolVersion',
  'messages',
  'modelPreferences',
  'maxTokens',
  'tools',
  'mode',
  'url',
)

function nothing(): Acts {
  return []
}

const clientMethods: ReadonlyMap<string, ReadActs> = new Map<string, ReadActs>([
  ['tools/call', toolCall],
  ['resources/read', resource],
  ['resources/subscribe', resource],
  ['resources/unsubscribe', resource],
  ['prompts/get', (params) => promptNamed(params['name'])],
  ['completion/complete', completion],
  ['subscriptions/listen', subscriptions],
  ...[
    'initialize',
    'ping',
    'server/discover',
    'tools/list',
    'resources/list',
    'resources/templates/list',
    'prompts/list',
    'logging/setLevel',
    'tasks/get',
    'tasks/list',
    'tasks/result',
    'tasks/update',
    'tasks/cancel',
  ].map((method) => [method, nothing] as const),
])

const serverMethods: ReadonlyMap<string, ReadActs> = new Map<string, ReadActs>([
  ['sampling/createMessage', sampling],
  ['elicitation/create', elicitation],
  ['roots/list', () => [{ type: 'tool.call', tool: 'roots/list', args: {} }]],
  ...['ping', 'tasks/get', 'tasks/list', 'tasks/result', 'tasks/cancel'].map((method) => [method, nothing] as const),
])

function toolCall(params: JsonObject): Acts | string {
  const wrong =
    wrongMember(params, 'name', ['string'], 'params.', true) ?? wrongMember(params, 'arguments', ['object'], 'params.')
  if (wrong !== undefined) return wrong
  const { name, arguments: args } = params
  const tool = stringOf(name) ?? ''
  if (tool === '' || /\p{C}/u.test(tool)) return 'params.name is empty or has characters that cannot be seen.'
  return [{ type: 'tool.call', tool, args: args ?? {} }]
}

function resource(params: JsonObject): Acts | string {
  const written = stringOf(params['uri']) ?? ''
  if (written === '') return 'params.uri must be a string.'
  const uri = judgedUri(written)
  return uri === undefined ? unresolved : [{ type: 'resource.read', uri }]
}

const unresolved = 'the URI has dot segments or characters that readers resolve differently.'

function promptNamed(name: Json | undefined): Acts | string {
  const prompt = stringOf(name) ?? ''
  return prompt === '' ? 'the prompt has no name.' : [{ type: 'prompt.get', name: prompt }]
}

function completion({ ref }: JsonObject): Acts | string {
  if (!isObject(ref)) return 'params.ref must be an object.'
  if (ref['type'] === 'ref/prompt') return promptNamed(ref['name'])
  return ref['type'] === 'ref/resource' ? resource(ref) : 'params.ref is of no known type.'
}

function subscriptions({ notifications }: JsonObject): Acts | string {
  if (notifications !== undefined && !isObject(notifications)) return 'params.notifications must be an object.'
  const uris = notifications?.['resourceSubscriptions']
  if (uris !== undefined && !Array.isArray(uris)) return 'resourceSubscriptions must be an array.'
  const acts: Act[] = []
  for (const written of uris ?? []) {
    if (typeof written !== 'string' || written === '') return 'a resource subscription must be a URI.'
    const uri = judgedUri(written)
    if (uri === undefined) return unresolved
    acts.push({ type: 'resource.read', uri })
  }
  return acts
}

/** The client may take any of the models that are hinted at, so each is an act of its own. */
function sampling(params: JsonObject): Acts | string {
  const wrong =
    wrongMember(params, 'messages', ['array'], 'params.', true) ??
    wrongMember(params, 'modelPreferences', ['object'], 'params.') ??
    wrongMember(params, 'tools', ['array'], 'params.')
  if (wrong !== undefined) return wrong
  const preferences = params['modelPreferences']
  const hints = isObject(preferences) ? arrayOf(preferences['hints']) : []
  const models = hints.flatMap((hint) => (isObject(hint) && typeof hint['name'] === 'string' ? [hint['name']] : []))
  const act = (model: string | undefined): Act =>
    present<Extract<Act, { type: 'model.call' }>>({
      type: 'model.call',
      operation: 'sampling.createMessage',
      model,
      maxTokens: countOf(params['maxTokens']),
      messages: arrayOf(params['messages']).length,
      tools: arrayOf(params['tools']).flatMap((tool) => (isObject(tool) ? [stringOf(tool['name']) ?? ''] : [])),
    })
  return models.length === 0 ? [act(undefined)] : models.map(act)
}

/** A page that the user is sent to is fetched by a browser: nothing but a web address will do. */
function elicitation(params: JsonObject): Acts | string {
  if (params['mode'] === 'url' && !/^https?:\/\//i.test(stringOf(params['url']) ?? ''))
    return 'a page to visit must have an http or https address.'
  return [{ type: 'tool.call', tool: 'elicitation/create', args: params }]
}
