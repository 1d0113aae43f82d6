// Owns how a fault is said in OpenAI's words, wherever it is said.
import type { FaultKind } from '../errors.ts'
import type { FaultView } from './protocol.ts'

export type OpenaiError = {
  readonly message: string
  readonly type: string
  readonly param: null
  readonly code: string
  readonly rule?: string
  readonly request_id: string
}

export function openaiError(fault: FaultView): OpenaiError {
  const { type, code } = fault.preset === 'codex' ? invalidPrompt : errorTypes[fault.kind]
  return {
    message: fault.message,
    type,
    param: null,
    code: code ?? fault.code,
    ...(fault.rule === undefined ? undefined : { rule: fault.rule }),
    request_id: fault.requestId,
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
