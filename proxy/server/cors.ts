// Owns what a browser is told about who may read answers: nothing, unless the operator named origins (the CORS protocol of
// the Fetch standard). It decides nothing about the request: keys, limits and rules are the pipeline's.
import type { IncomingMessage, ServerResponse } from 'node:http'

/** Lower case, exact. */
export type Origins = ReadonlySet<string>

/** Headers for every answer. Keys travel in headers, so no page needs its cookies sent: credentials are not allowed. */
export function corsHeaders(request: IncomingMessage, origins: Origins): readonly string[] {
  if (origins.size === 0) return none
  const { origin } = request.headers
  if (origin === undefined || !origins.has(origin.toLowerCase())) return vary
  return ['vary', 'Origin', 'access-control-allow-origin', origin, 'access-control-expose-headers', exposed]
}

/** Answers a browser's question whether a page may ask at all. False: it is no such question, or not of a known origin. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse, origins: Origins): boolean {
  const { origin, 'access-control-request-method': method, 'access-control-request-headers': names } = request.headers
  if (origins.size === 0 || request.method !== 'OPTIONS' || origin === undefined || method === undefined) return false
  if (!origins.has(origin.toLowerCase())) return false
  const headers = ['vary', 'Origin, Access-Control-Request-Headers', 'access-control-allow-origin', origin]
  headers.push('access-control-allow-methods', methods, 'access-control-max-age', maxAgeSeconds)
  // A wildcard would not cover Authorization; the names are the page's own, and which are good is judged when they come.
  if (names !== undefined && headerNames.test(names)) headers.push('access-control-allow-headers', names)
  response.writeHead(204, headers)
  response.end()
  return true
}

const none: readonly string[] = []
const vary: readonly string[] = ['vary', 'Origin']
const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE'
const maxAgeSeconds = '600'
const headerNames = /^[A-Za-z0-9-]+(?: *, *[A-Za-z0-9-]+)*$/

/** What our own headers tell, and the upstreams' names of a request, which SDKs put into their errors. */
const exposed = [
  'x-gatewright-request-id',
  'x-gatewright-decision',
  'x-gatewright-rule',
  'x-gatewright-redactions',
  'x-gatewright-open',
  'x-gatewright-uninspected',
  'x-should-retry',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'x-request-id',
  'request-id',
  'Mcp-Session-Id',
].join(', ')
