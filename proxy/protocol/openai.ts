// Owns the OpenAI dialect: which paths are served, and how a refusal reads to its SDKs. What the bodies mean is in
// the other files of its name.
import type { FaultKind } from '../errors.ts'
import { formatEvent } from '../lib/sse.ts'
import { speech } from './openai-audio.ts'
import { azurePath, onAzure } from './openai-azure.ts'
import { refuseChatCalls } from './openai-chat-refusal.ts'
import { readChatAnswer, readChatRequest } from './openai-chat.ts'
import { completions } from './openai-completions.ts'
import { embeddings } from './openai-embeddings.ts'
import { filesOperation } from './openai-files.ts'
import { imageGenerations } from './openai-images.ts'
import { moderations } from './openai-moderations.ts'
import { responsesOperation } from './openai-responses-operations.ts'
import { openChatStream } from './openai-stream.ts'
import { whyUnserved } from './openai-unserved.ts'
import { joinOpenai, listing, pathBelowVersion } from './paths.ts'
import type { FaultView, Operation, Protocol } from './protocol.ts'

export const openaiProtocol: Protocol = {
  name: 'openai',
  joinPath: joinOpenai,
  resolve(method, path) {
    const azure = azurePath(path)
    if (azure === undefined) return served(method, pathBelowVersion(path))
    const operation = served(method, pathBelowVersion(azure.rest))
    return operation === undefined ? undefined : onAzure(operation, azure)
  },
  whyUnserved: (method, path) => whyUnserved(method, pathBelowVersion(azurePath(path)?.rest ?? path)),
  refusal: (fault) => ({
    status: fault.status,
    headers: { 'content-type': 'application/json', 'x-request-id': fault.requestId },
    body: JSON.stringify(errorBody(fault)),
  }),
  streamError: (fault) => formatEvent('message', JSON.stringify(errorBody(fault))),
}

function served(method: string, rest: string): Operation | undefined {
  const called = method === 'POST' ? posts.get(rest) : method === 'GET' ? listing(rest) : undefined
  return called ?? responsesOperation(method, rest) ?? filesOperation(method, rest)
}

const chatCompletions: Operation = {
  name: 'chat.completions',
  path: '/v1/chat/completions',
  action: 'model.call',
  body: 'json',
  idempotent: false,
  readRequest: readChatRequest,
  readAnswer: readChatAnswer,
  refuseCalls: refuseChatCalls,
  openStream: openChatStream,
}

const posts: ReadonlyMap<string, Operation> = new Map([
  ['/chat/completions', chatCompletions],
  ['/completions', completions],
  ['/embeddings', embeddings],
  ['/moderations', moderations],
  ['/images/generations', imageGenerations],
  ['/audio/speech', speech],
])

function errorBody(fault: FaultView): unknown {
  const { type, code } = fault.preset === 'codex' ? invalidPrompt : errorTypes[fault.kind]
  return {
    error: {
      message: fault.message,
      type,
      param: null,
      code: code ?? fault.code,
      ...(fault.rule === undefined ? undefined : { rule: fault.rule }),
      request_id: fault.requestId,
    },
  }
}

/** The one error that Codex shows at once and as it is; after any other it reconnects five times. */
const invalidPrompt = { type: 'invalid_request_error', code: 'invalid_prompt' } as const

/** Types and codes that OpenAI's own API uses, where it has one; without a code the fault's own is shown. */
const errorTypes: Readonly<Record<FaultKind, { readonly type: string; readonly code?: string }>> = {
  invalid: { type: 'invalid_request_error' },
  unauthenticated: { type: 'invalid_request_error', code: 'invalid_api_key' },
  denied: { type: 'permission_error', code: 'policy_denied' },
  'not-found': { type: 'invalid_request_error' },
  'too-large': { type: 'invalid_request_error' },
  limited: { type: 'rate_limit_error', code: 'rate_limit_exceeded' },
  quota: { type: 'insufficient_quota', code: 'insufficient_quota' },
  unavailable: { type: 'server_error' },
  upstream: { type: 'server_error' },
  timeout: { type: 'server_error' },
  internal: { type: 'server_error' },
}
