// Owns what a request of the admin API must be before anything is done for it. Whoever can reach the listener may look;
// changing something takes a program on this host, and no page in a browser.
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { gather } from '../lib/gather.ts'
import { parseJson, type Json } from '../lib/json.ts'

export type ApiRequest = {
  readonly method: 'GET' | 'POST'
  /** Without the leading `/v1/`, unescaped. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
  /** Of a POST. */
  readonly body: Json | undefined
  readonly ip: string
}

/** `csv` is sent in the place of the body. */
export type ApiReply = { readonly status: number; readonly body: Json; readonly csv?: string }

/** Undefined: not one of its paths. */
export type ApiRoute = (request: ApiRequest) => ApiReply | undefined
export type AsyncApiRoute = (request: ApiRequest) => Promise<ApiReply> | undefined

/** Every path of the API begins with one of these. */
export const apiSections = ['breakers', 'usage'] as const
export type Api = { readonly [Section in (typeof apiSections)[number]]?: ApiRoute | AsyncApiRoute }

export const apiPrefix = '/v1/'
const bodyBytesMax = 4096

/** Whether something below this path can be changed; everything else is only read. */
export function mayChange(path: string): boolean {
  return path.startsWith(`${apiPrefix}breakers/`)
}

export async function answerApi(request: IncomingMessage, api: Api): Promise<ApiReply> {
  const read = await readRequest(request)
  if ('status' in read) return read
  const section = apiSections.find((name) => name === read.segments[0])
  const reply = section === undefined ? undefined : api[section]?.(read)
  return reply ?? refusal(404, 'not found')
}

export function refusal(status: number, error: string): ApiReply {
  return { status, body: { error } }
}

async function readRequest(request: IncomingMessage): Promise<ApiRequest | ApiReply> {
  const [path = '', search = ''] = (request.url ?? '').split('?')
  const query = new URLSearchParams(search)
  const segments = unescaped(path.slice(apiPrefix.length).split('/'))
  if (segments === undefined) return refusal(400, 'the path is not properly escaped')
  const ip = request.socket.remoteAddress ?? ''
  // A page whose name was made to point here (DNS rebinding) asks under that name.
  if (isLoopback(ip) && !isOwnName(request.headers.host ?? ''))
    return refusal(403, 'from this host it is asked by address, or as localhost')
  if (request.method !== 'POST') return { method: 'GET', segments, query, body: undefined, ip }
  if (!isLoopback(ip)) return refusal(403, 'changes are taken from this host only')
  // A page cannot send this type elsewhere without asking first, and is told nothing when it asks.
  if (request.headers.origin !== undefined) return refusal(403, 'changes are not taken from pages in a browser')
  const [type = ''] = (request.headers['content-type'] ?? '').split(';')
  if (type.trim().toLowerCase() !== 'application/json') return refusal(415, 'the body must be application/json')
  const bytes = await gather(request, bodyBytesMax)
  if (bytes === undefined) return refusal(413, `the body is larger than ${bodyBytesMax} bytes`)
  const parsed = parseJson(bytes, { depthMax: 4, keysMax: 16 })
  return parsed.ok ? { method: 'POST', segments, query, body: parsed.value, ip } : refusal(400, 'the body is not JSON')
}

function unescaped(segments: readonly string[]): string[] | undefined {
  try {
    return segments.map((segment) => decodeURIComponent(segment))
  } catch {
    return undefined
  }
}

function isLoopback(ip: string): boolean {
  return ip === '::1' || /^(?:::ffff:)?127\./.test(ip)
}

function isOwnName(host: string): boolean {
  const name = host.replace(/:[0-9]+$/, '').toLowerCase()
  return name === 'localhost' || name.endsWith('.localhost') || isIP(name.replace(/^\[(.*)\]$/, '$1')) !== 0
}
