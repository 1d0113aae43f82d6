import * as anthropicSdk from '@anthropic-ai/sdk'
import * as openaiSdk from 'openai'
import { Stream as AnthropicStream } from '@anthropic-ai/sdk/core/streaming'
import { Stream as OpenAIStream } from 'openai/core/streaming'
import t from 'tap'
import { Fault, faults } from '../../../proxy/errors.ts'
import type { FaultCode } from '../../../proxy/errors.ts'
import { anthropicProtocol } from '../../../proxy/protocol/anthropic.ts'
import { httpProtocol } from '../../../proxy/protocol/http.ts'
import { openaiProtocol } from '../../../proxy/protocol/openai.ts'
import type { FaultView, Protocol } from '../../../proxy/protocol/protocol.ts'

type ErrorClass = abstract new (...args: never[]) => Error

function view(code: FaultCode, rule?: string): FaultView {
  const { status, kind, message, retry } = new Fault(code)
  return { code, kind, status, message, retry, requestId: 'gw-7', ...(rule === undefined ? undefined : { rule }) }
}

function refused(
  protocol: Protocol,
  code: FaultCode,
  rule?: string,
): { status: number; headers: Headers; body: object } {
  const { status, headers, body } = protocol.refusal(view(code, rule))
  return { status, headers: new Headers(headers), body: JSON.parse(body) as object }
}

t.test('the OpenAI SDK raises its own errors', async (t) => {
  const rows: [FaultCode, ErrorClass, string, string][] = [
    ['denied', openaiSdk.PermissionDeniedError, 'permission_error', 'policy_denied'],
    ['content-blocked', openaiSdk.PermissionDeniedError, 'permission_error', 'policy_denied'],
    ['credentials-invalid', openaiSdk.AuthenticationError, 'invalid_request_error', 'invalid_api_key'],
    ['rate-limited', openaiSdk.RateLimitError, 'rate_limit_error', 'rate_limit_exceeded'],
    ['quota-exhausted', openaiSdk.RateLimitError, 'insufficient_quota', 'insufficient_quota'],
    ['body-malformed', openaiSdk.BadRequestError, 'invalid_request_error', 'body-malformed'],
    ['route-not-found', openaiSdk.NotFoundError, 'invalid_request_error', 'route-not-found'],
    ['breaker-open', openaiSdk.InternalServerError, 'server_error', 'breaker-open'],
  ]
  for (const [code, kind, type, shown] of rows) {
    const { status, headers, body } = refused(openaiProtocol, code)
    const error = openaiSdk.APIError.generate(status, body, undefined, headers)
    t.ok(error instanceof kind, code)
    const { message } = faults[code]
    t.match(error, { type, code: shown, requestID: 'gw-7', message: `${status} ${message}`, param: null }, code)
  }
  const expected = { message: 'Denied by policy.', type: 'permission_error', param: null, code: 'policy_denied' }
  t.same(refused(openaiProtocol, 'denied', 'r1').body, { error: { ...expected, rule: 'r1', request_id: 'gw-7' } })
})

t.test('the Anthropic SDK raises its own errors', async (t) => {
  const rows: [FaultCode, ErrorClass, string, string][] = [
    ['denied', anthropicSdk.PermissionDeniedError, 'permission_error', 'policy_denied'],
    ['credentials-missing', anthropicSdk.AuthenticationError, 'authentication_error', 'credentials-missing'],
    ['rate-limited', anthropicSdk.RateLimitError, 'rate_limit_error', 'rate-limited'],
    ['quota-exhausted', anthropicSdk.RateLimitError, 'rate_limit_error', 'quota-exhausted'],
    ['body-too-large', anthropicSdk.APIError, 'request_too_large', 'body-too-large'],
    ['route-not-found', anthropicSdk.NotFoundError, 'not_found_error', 'route-not-found'],
    ['breaker-open', anthropicSdk.InternalServerError, 'overloaded_error', 'breaker-open'],
    ['upstream-timeout', anthropicSdk.InternalServerError, 'timeout_error', 'upstream-timeout'],
    ['upstream-unreachable', anthropicSdk.InternalServerError, 'api_error', 'upstream-unreachable'],
  ]
  for (const [code, kind, type, errorCode] of rows) {
    const { status, headers, body } = refused(anthropicProtocol, code)
    const error = anthropicSdk.APIError.generate(status, body, undefined, headers)
    t.ok(error instanceof kind, code)
    t.match(error, { type, errorCode, requestID: 'gw-7', apiMessage: faults[code].message }, code)
  }
  t.match(refused(anthropicProtocol, 'denied', 'r1').body, {
    type: 'error',
    error: { message: 'Denied by policy.', details: { rule: 'r1' } },
    request_id: 'gw-7',
  })
})

t.test('plain HTTP gets a problem document', async (t) => {
  const { status, headers, body } = refused(httpProtocol, 'denied', 'r1')
  t.equal(status, 403)
  t.equal(headers.get('content-type'), 'application/problem+json')
  const expected = {
    type: 'about:blank',
    title: 'Forbidden',
    status: 403,
    detail: 'Denied by policy.',
    instance: 'gw-7',
  }
  t.same(body, { ...expected, code: 'denied', rule: 'r1' })
})

t.test('every fault has a rendering in every dialect', async (t) => {
  for (const code of Object.keys(faults) as FaultCode[]) {
    for (const protocol of [openaiProtocol, anthropicProtocol, httpProtocol]) {
      const { status, body } = refused(protocol, code)
      t.equal(status, faults[code].status)
      t.match(JSON.stringify(body), /gw-7/)
      t.notMatch(JSON.stringify(body), /undefined/)
    }
  }
})

t.test('a failure in mid-stream is an error to the SDKs', async (t) => {
  const half = {
    openai: 'data: {"choices":[]}\n\n',
    anthropic: 'event: message_start\ndata: {"type":"message_start"}\n\n',
  }
  const openai = new Response(half.openai + openaiProtocol.streamError(view('upstream-truncated')))
  const readOpenai = async () => {
    for await (const _ of OpenAIStream.fromSSEResponse(openai, new AbortController())) continue
  }
  await t.rejects(readOpenai(), { code: 'upstream-truncated', message: /broke off/ })
  const anthropic = new Response(half.anthropic + anthropicProtocol.streamError(view('answer-denied')))
  const readAnthropic = async () => {
    for await (const _ of AnthropicStream.fromSSEResponse(anthropic, new AbortController())) continue
  }
  await t.rejects(readAnthropic(), { message: /denied by policy/ })
  t.match(httpProtocol.streamError(view('internal')), /^event: error\ndata: \{.*"code":"internal"\}\n\n$/)
})
