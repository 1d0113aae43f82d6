// Owns the Gemini dialect: which paths are served, of the Gemini API and of Vertex AI alike, and how a refusal reads to
// Google's SDKs. What the bodies mean is in gemini-content.ts and gemini-stream.ts.
import type { FaultKind } from '../errors.ts'
import { isObject } from '../lib/json.ts'
import { queryPairs } from '../lib/query-pairs.ts'
import { formatEvent } from '../lib/sse.ts'
import { bodiless } from './bodiless.ts'
import { nameModel, readGenerateAnswer, readOtherAnswer, readRequest, resourceName } from './gemini-content.ts'
import { RefusedParts } from './gemini-refusal.ts'
import { openGenerateStream } from './gemini-stream.ts'
import { withoutTools } from './gemini-tools.ts'
import { whyUnserved } from './gemini-unserved.ts'
import { joinVersioned } from './paths.ts'
import type { FaultView, Operation, Protocol } from './protocol.ts'

export const geminiProtocol: Protocol = {
  name: 'gemini',
  joinPath: joinVersioned,
  resolve(method, path, query = '') {
    const { version, rest } = versionOf(path)
    if (method === 'GET') return listing(version, rest)
    if (method !== 'POST') return undefined
    const called = resourceOf(rest)
    if (called?.verb === undefined) return undefined
    const operation = operations[called.verb]?.(called, version)
    return operation?.name !== streaming || asksForEvents(query) ? operation : { ...operation, unserved: listed }
  },
  whyUnserved: (_method, path) => whyUnserved(versionOf(path).rest),
  refusal: (fault) => ({
    status: fault.status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(errorBody(fault)),
  }),
  streamError: (fault) => formatEvent('message', JSON.stringify(errorBody(fault))),
}

const streaming = 'streamGenerateContent'
const listed =
  'Without alt=sse it answers with one list, in which nobody sees what is split over its entries: ask with ?alt=sse.'

/** `$alt` is the same to Google, and of two values it may believe either. */
function asksForEvents(query: string): boolean {
  const parameters = queryPairs(query)
  const forms = [...parameters.getAll('alt'), ...parameters.getAll('$alt')]
  return forms.length > 0 && forms.every((form) => form === 'sse')
}

const versionForm = /^\/(v1(?:alpha|beta1?)?)(?=\/)/

/**
 * Of two versions the second is the SDK's own, the first part of a base URL. A missing one becomes the one that has
 * every field: v1 does not know system instructions and tools everywhere.
 */
function versionOf(path: string): { readonly version: string; readonly rest: string } {
  let rest = path.includes('//') ? path.replaceAll(/\/{2,}/g, '/') : path
  let version: string | undefined
  for (let count = 0; count < 2; count += 1) {
    const found = versionForm.exec(rest)?.[1]
    if (found === undefined) break
    version = found
    rest = rest.slice(found.length + 1)
  }
  return { version: version ?? (/^\/(?:projects|publishers)\//.test(rest) ? 'v1beta1' : 'v1beta'), rest }
}

type Resource = {
  readonly parent: string
  readonly kind: string
  readonly model: string
  readonly verb: string | undefined
}

const resourceForm =
  /^\/((?:projects\/\w[\w.:-]*\/locations\/\w[\w-]*\/)?(?:publishers\/google\/)?)(models|tunedModels|endpoints)\/(\w[\w.@-]*)(?::([A-Za-z]+))?$/

/** Rules see a base model by its bare name, and what its owner has trained under the name of its kind. */
function resourceOf(rest: string): Resource | undefined {
  const [, parent = '', kind = '', id = '', verb] = resourceForm.exec(rest) ?? []
  const published = parent.endsWith('publishers/google/')
  if (kind === 'models') return parent === '' || published ? { parent, kind, model: id, verb } : undefined
  const owned = kind === 'tunedModels' ? parent === '' : kind === 'endpoints' && parent !== '' && !published
  return owned ? { parent, kind, model: `${kind}/${id}`, verb } : undefined
}

/** A model by the name that rules would see, or by all of its name, where another of the same owner was asked for. */
function resourceBeside(parent: string, model: string): string {
  if (/^(?:projects|publishers)\//.test(model)) return model
  const owner = parent.replace(/publishers\/google\/$/, '')
  const resource = resourceName(model)
  return parent !== '' && resource.startsWith('models/') ? `${owner}publishers/google/${resource}` : owner + resource
}

const lists: Readonly<Record<string, string>> = {
  '/models': 'models.list',
  '/publishers/google/models': 'models.list',
  '/tunedModels': 'tunedModels.list',
}

function listing(version: string, rest: string): Operation | undefined {
  const one = resourceOf(rest)
  const name = one === undefined ? lists[rest] : one.kind === 'endpoints' ? undefined : `${one.kind}.get`
  if (name === undefined || one?.verb !== undefined) return undefined
  // Tuned models have their owners' texts.
  return bodiless(name, `/${version}${rest}`, readOtherAnswer)
}

type Open = (called: Resource, version: string) => Operation

const operations: Readonly<Record<string, Open | undefined>> = Object.assign(Object.create(null) as object, {
  generateContent: generating('generateContent', false),
  [streaming]: generating(streaming, true),
  countTokens: counting('countTokens', ['contents', 'generateContentRequest']),
  embedContent: counting('embedContent', ['content']),
  batchEmbedContents: counting('batchEmbedContents', ['requests']),
})

/** Either can answer with events, where the query says `alt=sse`. */
function generating(name: string, stream: boolean): Open {
  const needs = ['contents']
  return (called, version) => ({
    ...ofModel(name, called, version),
    idempotent: false,
    readRequest: (body, text) => readRequest(body, text, { model: called.model, stream, needs }),
    readAnswer: readGenerateAnswer,
    refuseCalls: (answer, refused) => (isObject(answer) ? new RefusedParts().edits(answer, refused) : []),
    openStream: openGenerateStream,
  })
}

/** They generate nothing, but the provider sees the content all the same. */
function counting(name: string, needs: readonly string[]): Open {
  return (called, version) => ({
    ...ofModel(name, called, version),
    idempotent: true,
    readRequest: (body, text) => readRequest(body, text, { model: called.model, stream: false, needs }),
    readAnswer: readOtherAnswer,
  })
}

type OfModel = Pick<Operation, 'name' | 'path' | 'action' | 'body' | 'pathFor' | 'nameModel' | 'withdrawTools'>

function ofModel(name: string, { parent, model, verb }: Resource, version: string): OfModel {
  const resourceFor = (other: string): string => resourceBeside(parent, other)
  const pathFor = (other: string): string => `/${version}/${resourceFor(other)}:${verb}`
  return {
    name,
    path: pathFor(model),
    action: 'model.call',
    body: 'json',
    pathFor,
    nameModel: (body, other) => nameModel(body, resourceFor(other)),
    withdrawTools: withoutTools,
  }
}

/** A google.rpc.Status with an ErrorInfo, whose metadata holds strings only. */
function errorBody(fault: FaultView): unknown {
  const reason = fault.kind === 'denied' ? 'POLICY_DENIED' : fault.code.toUpperCase().replaceAll('-', '_')
  const metadata = { requestId: fault.requestId, ...(fault.rule === undefined ? undefined : { rule: fault.rule }) }
  return {
    error: {
      code: fault.status,
      message: fault.message,
      status: statuses[fault.kind],
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'gatewright', metadata }],
    },
  }
}

/** Names of google.rpc.Code. */
const statuses: Readonly<Record<FaultKind, string>> = {
  invalid: 'INVALID_ARGUMENT',
  unauthenticated: 'UNAUTHENTICATED',
  denied: 'PERMISSION_DENIED',
  'not-found': 'NOT_FOUND',
  'too-large': 'INVALID_ARGUMENT',
  limited: 'RESOURCE_EXHAUSTED',
  quota: 'RESOURCE_EXHAUSTED',
  unavailable: 'UNAVAILABLE',
  upstream: 'UNAVAILABLE',
  timeout: 'DEADLINE_EXCEEDED',
  internal: 'INTERNAL',
}
