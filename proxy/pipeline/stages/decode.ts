// Owns the step from bytes to content. The body is read only if some rule, redaction or limit needs it; what cannot be
// read although it must be is refused, never guessed.
import { enforces } from '../../detect/redaction.ts'
import { Fault } from '../../errors.ts'
import { decodeBody } from '../../lib/encoding.ts'
import { headerValue } from '../../lib/headers.ts'
import { htmlFlaw } from '../../lib/html-charset.ts'
import { parseJson } from '../../lib/json.ts'
import { decodeUtf8 } from '../../lib/utf8.ts'
import { xmlFlaw } from '../../lib/xml-text.ts'
import type { Content } from '../../protocol/content.ts'
import type { Reading } from '../../protocol/protocol.ts'
import { readCarried } from '../carried-json.ts'
import type { Client } from '../client.ts'
import { grow, noteUninspected, type Admitted, type Body, type Decoded } from '../exchange.ts'
import type { Route, Runtime } from '../runtime.ts'
import { isConversation } from '../sockets.ts'
import { settleLength } from './admit.ts'

export async function decode(x: Admitted, runtime: Runtime, client: Client): Promise<Decoded> {
  const body = unreadBody(x, client) ?? (await readBody(x, runtime, client))
  const content = contentOf(x, body)
  return grow(x, { body, content, asked: content?.asked })
}

/** Once values were put in the place of tokens: the body that is judged and sent from then on, read like the first. */
export function reread(x: Decoded, runtime: Runtime, text: string): void {
  const body = formOf(x, Buffer.from(text), runtime)
  const content = contentOf(x, body)
  grow(x, { body, content, asked: content?.asked })
}

/** Undefined: there is a body, and it must be read. */
function unreadBody(x: Admitted, client: Client): Body | undefined {
  if (!client.hasBody) {
    if (x.operation.body === 'json')
      throw new Fault('body-malformed', 'This operation needs a JSON body.', { unparsed: true })
    return { form: 'none' }
  }
  if (x.operation.body === 'none') throw new Fault('body-malformed', 'This operation takes no body.')
  const { route } = x
  const needed =
    route.needs.body ||
    route.request.scanner !== undefined ||
    route.restoresTokens ||
    route.limitsBody ||
    (route.needs.method && mayHideMethod(x))
  return needed || route.keepsBody === true ? undefined : { form: 'unread' }
}

/** See http-args.ts. */
function mayHideMethod({ head, headers }: Admitted): boolean {
  return head.method === 'POST' && mediaTypeOf(headerValue(headers, 'content-type')) === 'form'
}

async function readBody(x: Admitted, runtime: Runtime, client: Client): Promise<Body> {
  const { bodyBytesMax } = runtime.limits
  const waitStartMs = runtime.clock.monotonic()
  let raw: Uint8Array
  try {
    raw = await client.readBody(bodyBytesMax)
    settleLength(x, runtime, raw.length)
  } finally {
    x.trace.waitedMs += runtime.clock.monotonic() - waitStartMs
  }
  if (raw.length === 0 && x.operation.body === 'any') return { form: 'none' }
  const decoding = decodeBody(raw, headerValue(x.headers, 'content-encoding'), bodyBytesMax)
  const decoded = decoding instanceof Promise ? await decoding : decoding
  if (!decoded.ok) throw new Fault(decoded.code, decoded.message)
  x.trace.digestRequest = runtime.audit.digest(decoded.bytes)
  return formOf(x, decoded.bytes, runtime)
}

function formOf(x: Admitted, bytes: Uint8Array, runtime: Runtime): Body {
  const mediaType = mediaTypeOf(headerValue(x.headers, 'content-type'))
  if (mediaType === 'json') {
    const parsed = parseJson(bytes, { depthMax: runtime.limits.jsonDepthMax, keysMax: runtime.limits.jsonKeysMax })
    if (!parsed.ok)
      throw new Fault(
        parsed.code,
        `The body is not acceptable JSON: ${parsed.message.replace(/\.$/, '')} (at character ${parsed.offset}).`,
        { unparsed: true },
      )
    return { form: 'json', bytes, text: parsed.text, value: parsed.value }
  }
  if (x.operation.body === 'json') throw new Fault('media-type-unsupported', 'This operation takes application/json.')
  if (mediaType === 'form' || mediaType === 'ndjson') {
    const read = readCarried(mediaType, bytes, runtime)
    if (!read.ok) throw new Fault(read.code, `The body is not acceptable ${formats[mediaType]}: ${read.message}.`)
    return { form: 'json', bytes, text: read.text, value: read.value, carried: read }
  }
  if (mediaType === 'text' || mediaType === 'xml' || mediaType === 'html') {
    const text = decodeUtf8(bytes)
    if (text === undefined) throw new Fault('body-malformed', 'The body is not valid UTF-8.')
    const flaw = flawOf(mediaType, text)
    const markup = mediaType === 'text' ? undefined : { markup: mediaType }
    if (flaw === undefined) return { form: 'text', bytes, text, ...markup }
    if (mustInspect(x.route)) throw new Fault('body-malformed', flaw)
  }
  refuseOpaque(x.route)
  noteUninspected(x.trace, 'request:body')
  return { form: 'opaque', bytes }
}

const formats = { form: 'form data', ndjson: 'JSON lines' } as const

/** What could not be read for one upstream of a route must not go to another that wants it redacted. */
export function refuseUnread({ body, route }: Decoded): void {
  if (body.form === 'opaque') refuseOpaque(route)
}

/** A redaction that cannot look must not let pass, but where the route says so. One that only watches stops nothing. */
function refuseOpaque(route: Route): void {
  if (!mustInspect(route)) return
  throw new Fault(
    'media-type-unsupported',
    'Redaction applies to this route, and this content type cannot be inspected.',
  )
}

function mustInspect({ request, posture }: Route): boolean {
  return enforces(request.plan) && posture === 'inspect'
}

export type MediaKind = 'json' | 'form' | 'ndjson' | 'text' | 'xml' | 'html' | 'event-stream' | 'other'

const kinds: ReadonlyMap<string, MediaKind> = new Map<string, MediaKind>([
  ['application/json', 'json'],
  ['application/x-www-form-urlencoded', 'form'],
  ['text/event-stream', 'event-stream'],
  ['text/html', 'html'],
  ...kindOfAll(
    'ndjson',
    'application/x-ndjson application/ndjson application/jsonl application/x-jsonlines application/jsonlines',
  ),
  ...kindOfAll('xml', 'application/xml text/xml'),
  ...kindOfAll('text', 'text/plain text/markdown text/x-markdown text/csv text/tab-separated-values text/css'),
  ...kindOfAll(
    'text',
    'text/yaml text/x-yaml application/yaml application/x-yaml application/toml application/graphql',
  ),
  ...kindOfAll('text', 'text/javascript application/javascript application/sql text/x-log text/x-python text/x-sh'),
])

function kindOfAll(kind: MediaKind, types: string): [string, MediaKind][] {
  return types.split(' ').map((type) => [type, kind])
}

/** Charsets other than UTF-8 are not inspected: another reader would see another text. */
export function mediaTypeOf(contentType: string | undefined): MediaKind {
  if (contentType === 'application/json') return 'json'
  if (contentType === undefined) return 'other'
  const [type = '', ...parameters] = contentType.toLowerCase().split(';')
  const charsets = parameters
    .map((parameter) => parameter.trim())
    .filter((parameter) => /^charset\*?\s*=/.test(parameter))
  if (charsets.length > 1 || (charsets[0] !== undefined && !/^charset="?(utf-8|utf8|us-ascii)"?$/.test(charsets[0])))
    return 'other'
  const name = type.trim()
  return kinds.get(name) ?? kindBySuffix(name)
}

/** RFC 6839. Only of a name that no reader takes for the beginning of another: some read it to a comma, a space or a `+`. */
function kindBySuffix(name: string): MediaKind {
  const [, stem = '', suffix] = suffixed.exec(name) ?? []
  if (suffix === undefined || kinds.has(stem) || stem.startsWith('multipart/')) return 'other'
  return suffix === 'json' ? 'json' : 'xml'
}

/** Tokens of RFC 9110 §5.6.2, in lower case. */
const suffixed = /^([!#$%&'*+.^_`|~0-9a-z-]+\/[!#$%&'*+.^_`|~0-9a-z-]+)\+(json|xml)$/

/** Why the text must not be taken for what another reader sees; undefined: nothing. */
export function flawOf(kind: MediaKind, text: string): string | undefined {
  if (kind === 'xml') return xmlFlaw(text)
  if (kind === 'html') return htmlFlaw(text)
  // No text has NUL, but UTF-16 of Latin letters has one beside each, and is valid UTF-8.
  return text.includes('\0') ? 'The text is in another encoding than UTF-8.' : undefined
}

function contentOf(x: Admitted, body: Body): Content | undefined {
  if (body.form === 'text') {
    const part = { address: { path: [] }, text: body.text, role: 'user', form: 'string' } as const
    return { parts: [part], toolCalls: [], tools: [], uninspected: [] }
  }
  // Of a conversation nothing is said yet but what its address says.
  if (isConversation(x.operation)) return x.operation.content
  if (body.form === 'none') {
    const wrong = x.operation.readHead?.(x.headers)
    if (wrong !== undefined) throw unread(x, wrong)
  }
  if (body.form !== 'json') return undefined
  const reading = x.operation.readRequest(body.value, body.text, x.headers)
  if (!reading.ok) throw unread(x, reading)
  for (const what of reading.content.uninspected) noteUninspected(x.trace, `request:${what}`)
  return reading.content
}

/** Whoever waits for an answer by its id is to get one. */
function unread(x: Admitted, { message, fault, asked }: Extract<Reading, { ok: false }>): Fault {
  grow(x, { asked })
  return new Fault(
    fault ?? 'body-malformed',
    fault === undefined ? `The body is not an acceptable ${x.operation.name} request: ${message}` : message,
  )
}
