// Owns the Anthropic dialect: which paths are served, and how a refusal reads to its SDKs. What the bodies mean is in
// anthropic-messages.ts and anthropic-stream.ts.
import type { FaultKind } from '../errors.ts'
import { formatEvent } from '../lib/sse.ts'
import { readMessagesAnswer, readMessagesRequest, readTokenCount } from './anthropic-messages.ts'
import { withoutMessagesTools } from './anthropic-offers.ts'
import { refuseMessagesCalls } from './anthropic-refusal.ts'
import { openMessagesStream } from './anthropic-stream.ts'
import { whyUnserved } from './anthropic-unserved.ts'
import { joinVersioned, listing, pathBelowVersion } from './paths.ts'
import type { FaultView, Operation, Protocol } from './protocol.ts'

export const anthropicProtocol: Protocol = {
  name: 'anthropic',
  cachedInputApart: true,
  joinPath: joinVersioned,
  resolve(method, path) {
    const rest = pathBelowVersion(path)
    if (method === 'POST') return rest === '/messages' ? messages : rest === countTokensRest ? countTokens : undefined
    return method === 'GET' ? listing(rest) : undefined
  },
  whyUnserved: (_method, path) => whyUnserved(pathBelowVersion(path)),
  refusal: (fault) => ({
    status: fault.status,
    headers: { 'content-type': 'application/json', 'request-id': fault.requestId },
    body: JSON.stringify(errorBody(fault)),
  }),
  streamError: (fault) => formatEvent('error', JSON.stringify(errorBody(fault))),
}

const countTokensRest = '/messages/count_tokens'

const messages: Operation = {
  name: 'messages',
  path: '/v1/messages',
  action: 'model.call',
  body: 'json',
  idempotent: false,
  readRequest: readMessagesRequest,
  readAnswer: readMessagesAnswer,
  refuseCalls: refuseMessagesCalls,
  withdrawTools: withoutMessagesTools,
  openStream: openMessagesStream,
}

/** It generates nothing, but the provider sees the content all the same. */
const countTokens: Operation = {
  name: 'messages.count_tokens',
  path: '/v1/messages/count_tokens',
  action: 'model.call',
  body: 'json',
  idempotent: true,
  readRequest: readMessagesRequest,
  readAnswer: readTokenCount,
  withdrawTools: withoutMessagesTools,
}

/** `details.error_code` is where the SDK looks for a code. */
function errorBody(fault: FaultView): unknown {
  const denied = fault.kind === 'denied'
  const details = {
    error_code: denied ? 'policy_denied' : fault.code,
    ...(fault.rule === undefined ? undefined : { rule: fault.rule }),
  }
  return {
    type: 'error',
    error: { type: errorTypes[fault.kind], message: fault.message, details },
    request_id: fault.requestId,
  }
}

const errorTypes: Readonly<Record<FaultKind, string>> = {
  invalid: 'invalid_request_error',
  unauthenticated: 'authentication_error',
  denied: 'permission_error',
  'not-found': 'not_found_error',
  'too-large': 'request_too_large',
  limited: 'rate_limit_error',
  quota: 'rate_limit_error',
  unavailable: 'overloaded_error',
  upstream: 'api_error',
  timeout: 'timeout_error',
  internal: 'api_error',
}
