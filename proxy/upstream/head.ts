// Owns the heads that cross this hop: what of a request's head is sent, what of an answer's head is relayed. Everything
// that belongs to one connection stays behind (RFC 9110 section 7.6.1), and so does the framing, which is always ours.
import type { IncomingHttpHeaders } from 'node:http'
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
const notForwarded: ReadonlySet<string> = new Set([...ofTheConnection, 'host', 'content-length', 'expect'])

/** The caller's head without what is ours to say, and the credential as the last step. */
export function requestHeaders(headers: readonly string[], credential: Credential | undefined): string[] {
  const sent: string[] = []
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? ''
    const lower = name.toLowerCase()
    if (notForwarded.has(lower) || lower === credential?.name) continue
    sent.push(name, headers[index + 1] ?? '')
  }
  if (credential !== undefined) sent.push(credential.name, credential.value)
  return sent
}

/** `parsed`: names in lower case, values of repeated names in order. A header that shows the credential is dropped. */
export function answerHead(
  status: number,
  parsed: IncomingHttpHeaders,
  credential: Credential | undefined,
): AnswerHead {
  const headers: string[] = []
  for (const name of Object.keys(parsed)) {
    const value = parsed[name]
    if (value === undefined || name === 'content-length' || ofTheConnection.has(name)) continue
    if (typeof value === 'string') keep(headers, name, value, credential)
    else for (const one of value) keep(headers, name, one, credential)
  }
  const contentLength = parsed['content-length']
  // Typed as one string, but two Connection headers arrive as two.
  const connection = parsed.connection as string | readonly string[] | undefined
  const listed = typeof connection === 'object' ? connection.join(',') : (connection ?? '')
  return {
    status,
    headers: listed === '' ? headers : withoutListed(headers, listed),
    contentLength: contentLength === undefined ? undefined : Number(contentLength),
    closeDelimited:
      contentLength === undefined && parsed['transfer-encoding'] === undefined && status !== 204 && status !== 304,
  }
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
