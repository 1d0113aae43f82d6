// Owns the fault catalogue: every way an exchange can end other than with the upstream's own answer, with the HTTP
// status and what a client may do about it. It does not know how a fault is rendered: that is the protocol's refusal.

/**
 * What a client should do with a refusal.
 * - `never`: the same request will be refused again (`x-should-retry: false`, no `Retry-After`)
 * - `later`: wait for `Retry-After`, then try again
 * - `client`: leave it to the client's own judgement (no hint is sent)
 */
export type RetryHint = 'never' | 'later' | 'client'

/** `kind` is the coarse class that each dialect maps to its own error type. */
export type FaultKind =
  | 'invalid'
  | 'unauthenticated'
  | 'denied'
  | 'not-found'
  | 'too-large'
  | 'limited'
  | 'quota'
  | 'unavailable'
  | 'upstream'
  | 'timeout'
  | 'internal'

type FaultEntry = {
  readonly status: number
  readonly kind: FaultKind
  readonly retry: RetryHint
  readonly message: string
}

function entry(status: number, kind: FaultKind, retry: RetryHint, message: string): FaultEntry {
  return { status, kind, retry, message }
}

/** Code → HTTP status, class, retry hint and the message a client sees when the thrower gives none. */
export const faults = {
  // The head of the request
  'request-malformed': entry(400, 'invalid', 'never', 'The request is not valid HTTP/1.1.'),
  'target-invalid': entry(400, 'invalid', 'never', 'The request target is not acceptable.'),
  'header-invalid': entry(400, 'invalid', 'never', 'A request header is not acceptable.'),
  'headers-too-large': entry(431, 'too-large', 'never', 'The request head is larger than this listener accepts.'),
  'headers-timeout': entry(408, 'timeout', 'client', 'The request head did not arrive in time.'),
  'method-unsupported': entry(405, 'invalid', 'never', 'This method is not served.'),
  'upgrade-refused': entry(400, 'invalid', 'never', 'Protocol upgrades are not served on this route.'),
  'route-not-found': entry(404, 'not-found', 'never', 'No route of this gateway matches the path.'),
  'operation-unsupported': entry(403, 'denied', 'never', 'This operation has no adapter here, so it is refused.'),
  'origin-refused': entry(403, 'invalid', 'never', 'The Origin or Host of the request is not accepted here.'),
  'version-unsupported': entry(400, 'invalid', 'never', 'This protocol version is not served.'),
  'header-mismatch': entry(400, 'invalid', 'never', 'The headers of the request do not agree with its body.'),
  'session-unknown': entry(404, 'not-found', 'never', 'There is no such session.'),
  overloaded: entry(503, 'unavailable', 'later', 'The gateway has no capacity left.'),
  'shutting-down': entry(503, 'unavailable', 'later', 'The gateway is shutting down.'),
  // Identity
  'credentials-missing': entry(401, 'unauthenticated', 'never', 'No agent key was sent.'),
  'credentials-invalid': entry(401, 'unauthenticated', 'never', 'The agent key is not valid.'),
  'source-refused': entry(401, 'unauthenticated', 'never', 'The agent key is not valid from this address.'),
  // Limits
  'rate-limited': entry(429, 'limited', 'later', 'Rate limit reached.'),
  'concurrency-limited': entry(429, 'limited', 'later', 'Too many requests at the same time.'),
  'price-unknown': entry(403, 'denied', 'never', 'The price of the model is not known, and a limit counts costs.'),
  'quota-exhausted': entry(429, 'quota', 'never', 'The quota of this period is used up.'),
  'store-unavailable': entry(503, 'unavailable', 'later', 'The limit store cannot be reached and the limit says deny.'),
  'detector-unavailable': entry(503, 'unavailable', 'later', 'A detector that must look into this does not answer.'),
  // The body of the request
  'body-too-large': entry(413, 'too-large', 'never', 'The request body is larger than this listener accepts.'),
  'body-timeout': entry(408, 'timeout', 'client', 'The request body did not arrive in time.'),
  'key-reused': entry(422, 'invalid', 'never', 'This Idempotency-Key has been used for another request.'),
  'body-malformed': entry(400, 'invalid', 'never', 'The request body is not acceptable JSON.'),
  'body-too-deep': entry(400, 'invalid', 'never', 'The request body is nested too deeply.'),
  'encoding-unsupported': entry(415, 'invalid', 'never', 'This content encoding is not accepted.'),
  'media-type-unsupported': entry(415, 'invalid', 'never', 'This content type cannot be inspected here.'),
  // The decision
  denied: entry(403, 'denied', 'never', 'Denied by policy.'),
  'approval-unserved': entry(403, 'denied', 'never', 'A rule asks for approval, and approvals are not yet served.'),
  'content-blocked': entry(403, 'denied', 'never', 'The content holds data that may not pass.'),
  'answer-denied': entry(403, 'denied', 'never', 'The answer was denied by policy.'),
  // Audit
  'audit-unavailable': entry(503, 'unavailable', 'later', 'The audit log cannot record this request.'),
  // Upstream
  'breaker-open': entry(503, 'unavailable', 'later', 'The upstream is failing; requests to it are suspended.'),
  'upstream-refused-address': entry(
    502,
    'upstream',
    'never',
    'The upstream resolves to an address that may not be reached.',
  ),
  'upstream-unreachable': entry(502, 'upstream', 'client', 'The upstream cannot be reached.'),
  'upstream-timeout': entry(504, 'timeout', 'client', 'The upstream did not answer in time.'),
  'upstream-invalid': entry(502, 'upstream', 'client', 'The upstream sent an answer that cannot be relayed.'),
  'answer-too-large': entry(502, 'upstream', 'never', 'The answer is larger than may be inspected here.'),
  'upstream-truncated': entry(502, 'upstream', 'client', 'The upstream broke off its answer.'),
  // Never sent as a response: only recorded
  'client-aborted': entry(499, 'internal', 'client', 'The client went away.'),
  'client-stalled': entry(499, 'internal', 'client', 'The client stopped reading.'),
  internal: entry(500, 'internal', 'client', 'The gateway failed.'),
} as const satisfies Record<string, FaultEntry>

export type FaultCode = keyof typeof faults

/** Facts about a fault that a refusal may show. Times are milliseconds. */
export type FaultDetails = {
  readonly rule?: string
  readonly limit?: string
  readonly retryAfterMs?: number
  /** Overrides the catalogue's hint, e.g. a breaker that stays open too long to wait for. */
  readonly retry?: RetryHint
  /** Overrides the catalogue's status, e.g. a route's `denyStatus`. */
  readonly status?: number
  readonly cause?: unknown
  /** Of an upstream: nothing was done, or what was may be done again, so another may be asked instead. */
  readonly elsewhere?: boolean
  /** Of a body: it was not read as JSON at all, which JSON-RPC tells from JSON that is no request. */
  readonly unparsed?: true
}

/**
 * The one error class. `message` is public: it is shown to the client, so it never carries content, keys or internal
 * addresses. What only operators may see goes into `cause`.
 */
export class Fault extends Error {
  readonly code: FaultCode
  readonly details: FaultDetails

  constructor(code: FaultCode, message?: string, details: FaultDetails = {}) {
    super(message ?? faults[code].message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Fault'
    this.code = code
    this.details = details
  }

  get status(): number {
    return this.details.status ?? faults[this.code].status
  }

  get kind(): FaultKind {
    return faults[this.code].kind
  }

  get retry(): RetryHint {
    return this.details.retry ?? faults[this.code].retry
  }
}
