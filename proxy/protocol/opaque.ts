// Owns the operation that stands for whatever a model provider offers and no adapter knows, on routes that let such pass.
// JSON and text in it are read as those of a plain HTTP tool are; what any of it means is known to nobody here.
import { readDocument } from './http.ts'
import type { Operation } from './protocol.ts'

export function opaqueOperation(method: string, path: string): Operation {
  return {
    name: 'opaque',
    opaque: true,
    path,
    action: 'model.call',
    emits: false,
    body: 'any',
    idempotent: method === 'GET' || method === 'HEAD',
    readRequest: (body, text) => readDocument(body, text, 'other'),
    readAnswer: (body, text) => readDocument(body, text, 'tool'),
  }
}
