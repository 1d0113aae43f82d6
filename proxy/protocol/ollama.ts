// Owns the Ollama dialect: which paths are served, and how a refusal reads to its clients. Whatever changes the models of
// the host (pull, push, create, copy, delete, blobs) has no adapter. What the bodies mean is in ollama-content.ts.
import { formatLine } from '../lib/ndjson.ts'
import { bodiless } from './bodiless.ts'
import { nameModel, readAnswer, readOtherAnswer, readRequest, refuseCalls } from './ollama-content.ts'
import { openOllamaStream } from './ollama-stream.ts'
import { joinApi } from './paths.ts'
import type { Operation, Protocol } from './protocol.ts'

/** Clients take `error` for a text; an object would be shown as `[object Object]`. */
export const ollamaProtocol: Protocol = {
  name: 'ollama',
  joinPath: joinApi,
  resolve: (method, path) => operations.get(`${method} ${pathOf(path)}`),
  refusal: ({ status, message }) => ({
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify({ error: message }),
  }),
  streamError: ({ message }) => formatLine(JSON.stringify({ error: message })),
}

/** Some base URLs end with the `/api` that clients add. */
function pathOf(path: string): string {
  const rest = path.includes('//') ? path.replaceAll(/\/{2,}/g, '/') : path
  return rest.startsWith('/api/api/') ? rest.slice(4) : rest
}

const operations: ReadonlyMap<string, Operation> = new Map(
  [
    generating('chat', ['messages']),
    generating('generate', ['prompt']),
    reading('embed', ['input']),
    reading('embeddings', ['prompt']),
    reading('show', []),
    bodiless('models.list', '/api/tags', readOtherAnswer),
    bodiless('models.running', '/api/ps', readOtherAnswer),
    bodiless('version', '/api/version', readOtherAnswer),
  ].map((operation) => [`${operation.body === 'none' ? 'GET' : 'POST'} ${operation.path}`, operation]),
)

/** They stream unless told not to. */
function generating(name: string, texts: readonly string[]): Operation {
  return {
    name,
    path: `/api/${name}`,
    action: 'model.call',
    body: 'json',
    idempotent: false,
    readRequest: (body, text) => readRequest(body, text, { streams: true, texts }),
    readAnswer,
    nameModel,
    refuseCalls,
    framing: 'ndjson',
    openStream: openOllamaStream,
  }
}

/** They generate nothing, but name a model, and all but one give it text. */
function reading(name: string, texts: readonly string[]): Operation {
  return {
    name,
    path: `/api/${name}`,
    action: 'model.call',
    body: 'json',
    idempotent: true,
    readRequest: (body, text) => readRequest(body, text, { streams: false, texts }),
    readAnswer: readOtherAnswer,
    nameModel,
  }
}
