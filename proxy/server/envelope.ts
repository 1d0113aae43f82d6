// Owns the strict envelope: what the head of a request must look like before anything else reads it. Ambiguous heads are
// refused, never repaired, because another reader would repair them differently.
import type { IncomingMessage } from 'node:http'
import { Fault } from '../errors.ts'
import type { RequestHead } from '../pipeline/exchange.ts'

export type EnvelopeLimits = {
  readonly headerCountMax: number
  readonly targetBytesMax: number
  readonly publicNames: ReadonlySet<string>
}

export type Envelope = { readonly head: RequestHead; readonly fault: Fault | undefined }

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** RFC 9110 §5.1 allows more, but an underscore or a dot is a hyphen to some readers (CGI). */
const headerName = /^[A-Za-z0-9-]+$/
const hostForm = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?$/
/** Printable ASCII without space, `#` and backslash. */
const targetForm = /^[!-"$-[\]-~]+$/
const absoluteForm = /^http:\/\/([^/?#@]+)(\/[^?]*)?(\?.*)?$/i
/** In a path: what two readers may resolve differently, and control characters. `%25` is a second layer of encoding. */
const ambiguousPath = /%(?:[01][0-9a-f]|7f|2f|5c|25|2e)|%(?![0-9a-f]{2})|;|\/\/|\/\.{1,2}(?:\/|$)/i
const badEscape = /%(?![0-9a-f]{2})|%00/i
const escapes = /%[0-9a-f]{2}/gi
const escapedBeyondAscii = /%[89a-f]/i
/** What may stand bare in a segment, but for `;` `+` `&` `=`, to which some readers give a meaning of their own. */
const needlessEscape = /%(?:2[14789acd]|3[0-9a]|4[0-9a-f]|5[0-9af]|6[1-9a-f]|7[0-9ae])/i

/** These decide framing, routing or identity: two of them are two opinions (RFC 9112 §6.3, RFC 9110 §7.2). */
const singletons = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'expect',
  'upgrade',
  'mcp-session-id',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
])

/** Names that `Connection` may not declare hop-by-hop: stripping them would change who asks or what is meant. */
const protectedNames = new Set(
  [
    ...singletons,
    'accept',
    'baggage',
    'cookie',
    'idempotency-key',
    'origin',
    'range',
    'traceparent',
    'tracestate',
    'forwarded',
    'x-real-ip',
    'x-tenant',
    'x-tenant-id',
  ].filter((name) => name !== 'upgrade' && name !== 'expect'),
)
/** Whole families of them: ours, what proxies say of clients, and what chooses a vendor's version, account or tool. */
const protectedFamily = /^(?:x-gatewright|x-forwarded|anthropic|openai|x-goog|mcp)-/

/**
 * Never throws: a bad head is still an exchange, with a fault to refuse and record. `policyHeaders`, in lower case, are
 * those that rules look at: what decides may not be declared hop-by-hop either.
 */
export function readHead(
  request: IncomingMessage,
  limits: EnvelopeLimits,
  policyHeaders: ReadonlySet<string> = none,
  upgrade = false,
): Envelope {
  const target = request.url ?? ''
  const ip = normaliseIp(request.socket.remoteAddress ?? '')
  const split = splitTarget(target, limits)
  const path = split instanceof Fault ? '' : split.path
  const query = split instanceof Fault ? '' : split.query
  const plain = { method: request.method ?? '', path, query, headers: request.rawHeaders, ip }
  const head: RequestHead = upgrade ? { ...plain, upgrade: 'websocket' } : plain
  return {
    head,
    fault:
      split instanceof Fault ? split : (judgeMethod(request) ?? judgeHeaders(request, head, limits, policyHeaders)),
  }
}

/**
 * Whether a request asks for a WebSocket just as RFC 6455 §4.1 wants it. Any other that says so is refused as an ordinary
 * request: what follows it on the connection may be meant for another reader.
 */
export function asksForSocket({ method, httpVersion, headers }: IncomingMessage): boolean {
  return (
    method === 'GET' &&
    httpVersion === '1.1' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    headers['sec-websocket-version'] === '13' &&
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
    areSubprotocols(headers['sec-websocket-protocol']) &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined
  )
}

/** Tokens, each once. */
function areSubprotocols(offered: string | undefined): boolean {
  if (offered === undefined) return true
  const names = offered.split(',').map((name) => name.trim())
  return names.every((name) => /^[!#-'*+.0-9A-Z^-z|~-]+$/.test(name)) && new Set(names).size === names.length
}

const none: ReadonlySet<string> = new Set()

/** `::ffff:10.0.0.1` is how a dual-stack socket writes 10.0.0.1. */
export function normaliseIp(ip: string): string {
  return ip.startsWith('::ffff:') && ip.includes('.') ? ip.slice(7) : ip
}

/** What a request target means: path and query, the path without needless escapes. */
export function splitTarget(
  target: string,
  limits: Pick<EnvelopeLimits, 'targetBytesMax' | 'publicNames'>,
): { path: string; query: string } | Fault {
  if (target.length > limits.targetBytesMax)
    return new Fault('target-invalid', 'The request target is too long.', { status: 414 })
  if (!targetForm.test(target)) return new Fault('target-invalid')
  const origin = target.startsWith('/') ? target : originForm(target, limits.publicNames)
  if (origin === undefined)
    return new Fault('target-invalid', 'The request target must begin with "/" or name a public name of this listener.')
  const mark = origin.indexOf('?')
  const path = mark === -1 ? origin : origin.slice(0, mark)
  const query = mark === -1 ? '' : origin.slice(mark + 1)
  if (ambiguousPath.test(path))
    return new Fault(
      'target-invalid',
      'The path has dot segments, empty segments, ";" or escapes that readers resolve differently.',
    )
  if (badEscape.test(query)) return new Fault('target-invalid', 'The query has a broken percent escape or a NUL.')
  const canonical = canonicalPath(path)
  return canonical === undefined
    ? new Fault('target-invalid', 'The path has escapes that are not UTF-8.')
    : { path: canonical, query }
}

/** RFC 3986 §6.2.2: rules must see `/%61dmin` as the upstream will. Undefined: overlong or broken UTF-8 (RFC 3629 §3). */
function canonicalPath(path: string): string | undefined {
  if (!path.includes('%')) return path
  if (escapedBeyondAscii.test(path) && !isDecodable(path)) return undefined
  return path.replaceAll(escapes, (escape) =>
    needlessEscape.test(escape) ? decodeURIComponent(escape) : escape.toUpperCase(),
  )
}

function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

function originForm(target: string, publicNames: ReadonlySet<string>): string | undefined {
  const match = absoluteForm.exec(target)
  if (match === null || !publicNames.has((match[1] ?? '').toLowerCase())) return undefined
  return (match[2] ?? '/') + (match[3] ?? '')
}

function judgeMethod(request: IncomingMessage): Fault | undefined {
  return methods.has(request.method ?? '') ? undefined : new Fault('method-unsupported')
}

function judgeHeaders(
  request: IncomingMessage,
  { upgrade }: RequestHead,
  limits: EnvelopeLimits,
  policyHeaders: ReadonlySet<string>,
): Fault | undefined {
  const { rawHeaders } = request
  if (rawHeaders.length / 2 > limits.headerCountMax)
    return new Fault('headers-too-large', `More than ${limits.headerCountMax} headers.`)
  const seen = new Seen()
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const raw = rawHeaders[i] as string
    if (!headerName.test(raw))
      return new Fault('header-invalid', 'A header name has characters other than letters, digits and "-".')
    const name = raw.toLowerCase()
    const value = rawHeaders[i + 1] as string
    if (name === 'connection') seen.connection = seen.connection === undefined ? value : `${seen.connection},${value}`
    else if (singletons.has(name) && !seen.add(name, value))
      return new Fault('header-invalid', `The header ${name} was sent twice.`)
  }
  return (
    judgeHost(request, seen.value('host')) ??
    judgeFraming(request, seen) ??
    judgeConnection(seen, upgrade, policyHeaders)
  )
}

/** The singletons of one head, at most a handful: a list is quicker than a Map. */
class Seen {
  connection: string | undefined
  readonly #list: string[] = []

  /** False when the name is there already. */
  add(name: string, value: string): boolean {
    if (this.value(name) !== undefined) return false
    this.#list.push(name, value)
    return true
  }

  value(name: string): string | undefined {
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) return this.#list[i + 1]
    return undefined
  }
}

function judgeHost(request: IncomingMessage, host: string | undefined): Fault | undefined {
  if (host === undefined)
    return request.httpVersionMinor === 0 ? undefined : new Fault('header-invalid', 'The Host header is missing.')
  return hostForm.test(host)
    ? undefined
    : new Fault('header-invalid', 'The Host header is not a host name with an optional port.')
}

function judgeFraming(request: IncomingMessage, seen: Seen): Fault | undefined {
  if (request.httpVersionMajor !== 1) return new Fault('request-malformed', 'Only HTTP/1.1 is served.', { status: 505 })
  const encoding = seen.value('transfer-encoding')
  const length = seen.value('content-length')
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== 'chunked')
      return new Fault('header-invalid', 'Transfer-Encoding may only be "chunked".', { status: 501 })
    if (length !== undefined)
      return new Fault('header-invalid', 'Content-Length and Transfer-Encoding exclude each other.')
    if (request.httpVersionMinor === 0) return new Fault('header-invalid', 'HTTP/1.0 has no Transfer-Encoding.')
  }
  if (length !== undefined && !/^[0-9]{1,15}$/.test(length))
    return new Fault('header-invalid', 'Content-Length is not a number.')
  const expect = seen.value('expect')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    return new Fault('header-invalid', 'Only "Expect: 100-continue" is served.', { status: 417 })
  return undefined
}

function judgeConnection(
  seen: Seen,
  upgrade: RequestHead['upgrade'],
  policyHeaders: ReadonlySet<string>,
): Fault | undefined {
  if (seen.connection !== undefined) {
    for (const token of seen.connection.split(',')) {
      const name = token.trim().toLowerCase()
      if (protectedNames.has(name) || protectedFamily.test(name) || policyHeaders.has(name))
        return new Fault('header-invalid', 'The Connection header names a header that may not be removed.')
    }
  }
  // h2c and the like are dropped with the other hop-by-hop headers; a WebSocket client would wait for its answer.
  if (upgrade === undefined && seen.value('upgrade')?.toLowerCase().includes('websocket') === true)
    return new Fault(
      'upgrade-refused',
      'An upgrade to a WebSocket is a GET with version 13, a key, sound subprotocols and no body.',
    )
  return undefined
}
