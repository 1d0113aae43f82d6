// Owns the heads that cross this hop: what of a request's head is sent, what of an answer's head is relayed. Everything
// that belongs to one connection stays behind (RFC 9110 section 7.6.1), and so does the framing, which is always ours.
import { reveals, type Credential } from './credential.ts'

export type AnswerHead = {
  readonly status: number
  /** Flat list in wire order, names in lower case. */
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

/** `raw`: flat list of bytes as they came. A header that shows the credential is dropped. */
export function answerHead(status: number, raw: readonly Buffer[], credential: Credential | undefined): AnswerHead {
  const headers: string[] = []
  let listed: string | undefined
  let contentLength: number | undefined
  let chunked = false
  for (let index = 0; index + 1 < raw.length; index += 2) {
    // Header bytes are Latin-1 on the wire and stay as they are.
    const name = String(raw[index]?.toString('latin1')).toLowerCase()
    const value = String(raw[index + 1]?.toString('latin1'))
    if (name === 'content-length') contentLength = Number(value)
    else if (name === 'connection') listed = listed === undefined ? value : `${listed},${value}`
    else if (name === 'transfer-encoding') chunked = true
    else if (!ofTheConnection.has(name) && (credential === undefined || !reveals(credential, value)))
      headers.push(name, value)
  }
  return {
    status,
    headers: listed === undefined ? headers : withoutListed(headers, listed),
    contentLength,
    closeDelimited: contentLength === undefined && !chunked && status !== 204 && status !== 304,
  }
}

/** Drops the headers that `Connection` names. */
function withoutListed(headers: string[], listed: string): string[] {
  if (/^(keep-alive|close)$/i.test(listed)) return headers
  const names = new Set(listed.split(',').map((name) => name.trim().toLowerCase()))
  return headers.filter((_, index) => !names.has(headers[index - (index % 2)] ?? ''))
}
