// Owns the OpenAI dialect: which paths are served, and how a refusal reads to its SDKs. What the bodies mean is in
// openai-chat.ts and openai-stream.ts.
import type { FaultKind } from '../errors.ts'
import { formatEvent } from '../lib/sse.ts'
import { refuseChatCalls } from './openai-chat-refusal.ts'
import { readChatAnswer, readChatRequest } from './openai-chat.ts'
import { responsesOperation } from './openai-responses-operations.ts'
import { openChatStream } from './openai-stream.ts'
import { listing, pathBelowVersion } from './paths.ts'
import type { FaultView, Operation, Protocol } from './protocol.ts'

export const openaiProtocol: Protocol = {
  name: 'openai',
  resolve(method, path) {
    const rest = pathBelowVersion(path)
    if (method === 'POST' && rest === '/chat/completions') return chatCompletions
    return responsesOperation(method, rest) ?? (method === 'GET' ? listing(rest) : undefined)
  },
  refusal: (fault) => ({
    status: fault.status,
    headers: { 'content-type': 'application/json', 'x-request-id': fault.requestId },
    body: JSON.stringify(errorBody(fault)),
  }),
  streamError: (fault) => formatEvent('message', JSON.stringify(errorBody(fault))),
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
