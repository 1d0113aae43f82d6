// Owns the heads that cross this hop: what of a request's head is sent, what of an answer's head is relayed. Everything
// that belongs to one connection stays behind (RFC 9110 section 7.6.1), and so does the framing, which is always ours.
import type { IncomingHttpHeaders } from 'node:http'
import { decodableOf } from '../lib/encoding.ts'
import { reveals, type Credential } from './credential.ts'

export type AnswerHead = {
  readonly status: number
  /** Flat list, names in lower case. */
  readonly headers: readonly string[]
  readonly contentLength: number | undefined
  /** Neither a length nor chunks: the answer ends when the connection does. */
  readonly closeDelimited: boolean
}

const ofTheConnection: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])
const notForwarded: ReadonlySet<string> = new Set([
  ...ofTheConnection,
  'host',
  'content-length',
  'expect',
  // These make some servers do another method or path than the one that rules have judged.
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-method',
  'x-original-uri',
  'x-original-url',
  'x-rewrite-url',
  'x-host',
  'x-original-host',
  'x-real-ip',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'cf-connecting-ip',
  'x-retry',
  'x-timeout',
])
/** What other gateways and meshes take for orders: where to send it, with what key, how often (CVE-2025-66405). */
const ordersToProxies = /^(?:x-upstream|x-portkey|x-envoy|x-litellm|l5d|helicone|cf-aig)-/

/** Beyond this an answer is not relayed; the largest of the well-known providers send a third of it. */
const answerHeadersMax = 200

/**
 * The caller's head without what is ours to say, and the credential as the last step. Cookies are between a browser and
 * one site: where `cookies` is false, none crosses in either direction. `keyHeaders` are those of other credentials.
 */
export function requestHeaders(
  headers: readonly string[],
  credential: Credential | undefined,
  cookies = true,
  keyHeaders?: ReadonlySet<string>,
): string[] {
  const sent: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? ''
    const lower = name.toLowerCase()
    if (notForwarded.has(lower) || lower === credential?.name || ordersToProxies.test(lower)) continue
    if ((!cookies && lower === 'cookie') || keyHeaders?.has(lower) === true) continue
    const value = headers[index + 1] ?? ''
    // An answer in which the credential could not be looked for would be refused.
    sent.push(name, credential !== undefined && lower === 'accept-encoding' ? decodableOf(value) : value)
  }
  if (credential !== undefined) sent.push(credential.name, credential.value)
  return sent
}

/**
 * False: more fields than anybody needs, a transfer coding that nobody here would undo and no client be told of, or a switch
 * to another protocol that nobody asked for: what follows may not be HTTP (CVE-2024-23326). An offer of HTTP/2, which Apache
 * makes of itself, is no switch.
 */
export function isRelayable(parsed: IncomingHttpHeaders): boolean {
  let count = 0
  for (const name of Object.keys(parsed)) {
    const value = parsed[name]
    count += typeof value === 'object' ? value.length : 1
  }
  if (count > answerHeadersMax) return false
  if (!/^(?:chunked|identity)?$/i.test(joined(parsed['transfer-encoding']))) return false
  if (!/(?:^|,)\s*upgrade\s*(?:,|$)/i.test(joined(parsed.connection))) return true
  return /^\s*h2c?(?:\s*,\s*h2c?)*\s*$/i.test(joined(parsed.upgrade))
}

/** `parsed`: names in lower case, values of repeated names in order. A header that shows the credential is dropped. */
export function answerHead(
  status: number,
  parsed: IncomingHttpHeaders,
  credential: Credential | undefined,
  cookies = true,
): AnswerHead {
  const headers: string[] = []
  for (const name of Object.keys(parsed)) {
    const value = parsed[name]
    if (value === undefined || name === 'content-length' || ofTheConnection.has(name)) continue
    // Which pages of which sites may read an answer is for this listener to say, not for whoever stands behind it.
    if (name.startsWith('access-control-') || (!cookies && name === 'set-cookie')) continue
    if (typeof value === 'string') keep(headers, name, value, credential)
    else for (const one of value) keep(headers, name, one, credential)
  }
  const contentLength = parsed['content-length']
  const listed = joined(parsed.connection)
  return {
    status,
    headers: listed === '' ? headers : withoutListed(headers, listed),
    contentLength: contentLength === undefined ? undefined : Number(contentLength),
    closeDelimited:
      contentLength === undefined && parsed['transfer-encoding'] === undefined && status !== 204 && status !== 304,
  }
}

/** The parser's types know one line of each, but two Connection headers arrive as two. */
function joined(value: string | readonly string[] | undefined): string {
  return typeof value === 'object' ? value.join(',') : (value ?? '')
}

function keep(headers: string[], name: string, value: string, credential: Credential | undefined): void {
  if (credential === undefined || !reveals(credential, value)) headers.push(name, value)
}

/** Drops the headers that `Connection` names. */
function withoutListed(headers: string[], listed: string): string[] {
  if (/^(keep-alive|close)$/i.test(listed)) return headers
  const names = new Set(listed.split(',').map((name) => name.trim().toLowerCase()))
  return headers.filter((_, index) => !names.has(headers[index - (index % 2)] ?? ''))
}
