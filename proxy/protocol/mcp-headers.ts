// Owns the agreement between the headers of an MCP request and its body (2026-07-28: `Mcp-Method`, `Mcp-Name`,
// `Mcp-Param-*`, the version; SEP-2243). Headers decide nothing here, but something behind us may route by them, so a
// request whose headers and body differ is refused.
import type { FaultCode } from '../errors.ts'
import { isObject } from '../lib/json.ts'
import type { Json, JsonObject } from '../lib/json.ts'
import { decodeUtf8 } from '../lib/utf8.ts'
import type { Message } from './mcp-message.ts'
import { isStateless, sessionVersions, versions } from './mcp-versions.ts'
import type { HeaderMirror } from './protocol.ts'
import { stringOf } from './shape.ts'

export type Checked =
  | { readonly ok: true; readonly version: string | undefined }
  | { readonly ok: false; readonly message: string; readonly fault: FaultCode; readonly version: string | undefined }

export function checkHeaders(message: Message, headers: readonly string[]): Checked {
  const named = new Named(headers)
  const inHeader = named.one('mcp-protocol-version')
  const inBody = claimIn(message)
  const version = inBody ?? inHeader
  const refused = (fault: FaultCode, why: string, of = version): Checked => ({
    ok: false,
    fault,
    message: why,
    version: of,
  })
  if (version !== undefined && !versions.includes(version)) return refused('version-unsupported', unserved(version))
  if (message.kind === 'request' && message.method === 'initialize') {
    const wrong = wrongInitialize(message.params, version)
    if (wrong !== undefined)
      return refused(wrong.fault, wrong.message, version ?? stringOf(message.params['protocolVersion']))
  }
  if (inBody !== undefined && inHeader !== undefined && inBody !== inHeader)
    return refused('header-mismatch', 'MCP-Protocol-Version names another version than the body.')
  if (inBody !== undefined && !isStateless(inBody))
    return refused('body-malformed', 'Requests of this version do not name it in _meta.')
  const missing = isStateless(version) ? missingIn(message, inHeader, named) : undefined
  if (missing !== undefined) return refused(missing.fault, missing.message)
  const different = disagreement(message, named)
  return different === undefined ? { ok: true, version } : refused('header-mismatch', different)
}

/** Of a request without a body. Only the versions with sessions have any. */
export function checkHead(headers: readonly string[]): Checked {
  const version = new Named(headers).one('mcp-protocol-version')
  return version === undefined || versions.includes(version)
    ? { ok: true, version }
    : { ok: false, message: unserved(version), fault: 'version-unsupported', version }
}

function unserved(version: string): string {
  return `Protocol version ${shown(version)} is not served; served are ${versions.join(', ')}.`
}

const claimKey = 'io.modelcontextprotocol/protocolVersion'
const capabilitiesKey = 'io.modelcontextprotocol/clientCapabilities'

type Wrong = { readonly fault: FaultCode; readonly message: string }

function metaOf(message: Message): JsonObject | undefined {
  const meta = message.kind === 'response' ? undefined : message.params['_meta']
  return isObject(meta) ? meta : undefined
}

function claimIn(message: Message): string | undefined {
  return stringOf(metaOf(message)?.[claimKey])
}

/** The handshake belongs to the versions with sessions; one for another version cannot be read afterwards. */
function wrongInitialize(params: JsonObject, version: string | undefined): Wrong | undefined {
  const wanted = params['protocolVersion']
  if (isStateless(version)) return { fault: 'operation-unsupported', message: 'This version has no initialize.' }
  if (typeof wanted !== 'string')
    return { fault: 'body-malformed', message: 'params.protocolVersion must be a string.' }
  if (sessionVersions.has(wanted)) return undefined
  return { fault: 'version-unsupported', message: unserved(wanted) }
}

/** Only requests must have the headers: of what else may be posted the specification says nothing. */
function missingIn(message: Message, inHeader: string | undefined, named: Named): Wrong | undefined {
  if (message.kind === 'response')
    return { fault: 'body-malformed', message: 'This version has no requests by the server, so nothing to respond to.' }
  if (message.kind === 'notification') return undefined
  if (inHeader === undefined) return { fault: 'header-mismatch', message: 'MCP-Protocol-Version is missing.' }
  if (claimIn(message) === undefined || !isObject(metaOf(message)?.[capabilitiesKey]))
    return { fault: 'body-malformed', message: `params._meta must hold ${claimKey} and ${capabilitiesKey}.` }
  if (named.one('mcp-method') === undefined) return { fault: 'header-mismatch', message: 'Mcp-Method is missing.' }
  if (nameIn(message) !== undefined && named.one('mcp-name') === undefined)
    return { fault: 'header-mismatch', message: 'Mcp-Name is missing.' }
  return undefined
}

/** What is there must be right, in every version: whoever reads these headers does not ask for the version first. */
function disagreement(message: Message, named: Named): string | undefined {
  if (named.repeated !== undefined) return `${named.repeated} was sent twice.`
  if (message.kind === 'response') return undefined
  const method = named.one('mcp-method')
  if (method !== undefined && method !== message.method) return 'Mcp-Method names another method than the body.'
  const name = named.one('mcp-name')
  if (name !== undefined) {
    const decoded = decodeHeader(name)
    if (decoded === undefined) return 'Mcp-Name is not encoded as it says.'
    // Empty where there is nothing to name.
    if (decoded !== (nameIn(message) ?? '')) return 'Mcp-Name names something else than the body.'
  }
  return parameterDisagreement(message.method, message.params, named)
}

/** Which member of `params` the header `Mcp-Name` repeats. */
const namedBy = new Map<string, string>([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['resources/subscribe', 'uri'],
  ['resources/unsubscribe', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

function nameIn(message: Message): string | undefined {
  if (message.kind === 'response') return undefined
  const member = namedBy.get(message.method)
  return member === undefined ? undefined : stringOf(message.params[member])
}

/**
 * The tool's schema says which argument a header repeats. Without it a header is compared with the argument of its name,
 * at any depth and whatever the case; one that names none is the server's to judge.
 */
function parameterDisagreement(method: string, params: JsonObject, named: Named): string | undefined {
  const args = params['arguments']
  for (const [header, value] of named.parameters) {
    const decoded = decodeHeader(value)
    if (decoded === undefined) return `Mcp-Param-${header} is not encoded as it says.`
    if (method !== 'tools/call' || !isObject(args)) continue
    const values = valuesNamed(header, args)
    if (values.length > 0 && !values.some((argument) => isSame(argument, decoded)))
      return `Mcp-Param-${header} has another value than the argument.`
  }
  return undefined
}

function valuesNamed(header: string, args: JsonObject): (string | number | boolean)[] {
  const plain = plainName(header)
  const found: (string | number | boolean)[] = []
  const open: Json[] = [args]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (!isObject(next)) continue
    for (const [key, value] of Object.entries(next)) {
      if (typeof value === 'object') open.push(value)
      else if (plainName(key) === plain) found.push(value)
    }
  }
  return found
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, '')
}

/** Numbers are compared as numbers: `42.0` is 42. */
function isSame(argument: string | number | boolean, text: string): boolean {
  if (typeof argument === 'number' && /^-?\d+(\.\d+)?$/.test(text)) return Number(text) === argument
  return String(argument) === text
}

/** `=?base64?…?=` holds UTF-8. Undefined: it says so and does not, or a value has bytes that no header may have. */
export function decodeHeader(value: string): string | undefined {
  if (!value.startsWith('=?base64?') || !value.endsWith('?=') || value.length < 11)
    return /^[\t -~]*$/.test(value) ? value : undefined
  const encoded = value.slice(9, -2)
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) return undefined
  return decodeUtf8(Buffer.from(encoded, 'base64'))
}

/** Plain where RFC 9110 section 5.5 lets it be and nobody could take it for encoded. */
function encodeHeader(text: string): string {
  return /^(?![ \t]|=\?)[\t -~]*(?<![ \t])$/.test(text) ? text : `=?base64?${Buffer.from(text).toString('base64')}?=`
}

export const headerMirror: HeaderMirror = {
  read(name, value) {
    const repeats = name === 'mcp-name'
    if (!repeats && !name.startsWith('mcp-param-')) return undefined
    const text = decodeHeader(value.trim())
    return text === undefined ? undefined : { text, repeats }
  },
  write: encodeHeader,
}

function shown(version: string): string {
  return /^[\w.-]{1,32}$/.test(version) ? version : '(unreadable)'
}

/** The headers of MCP by name. */
class Named {
  readonly parameters = new Map<string, string>()
  repeated: string | undefined
  readonly #values = new Map<string, string>()

  constructor(headers: readonly string[]) {
    for (let at = 0; at + 1 < headers.length; at += 2) {
      const name = (headers[at] as string).toLowerCase()
      if (!name.startsWith('mcp-')) continue
      if (this.#values.has(name)) this.repeated = name
      const value = (headers[at + 1] as string).trim()
      this.#values.set(name, value)
      if (name.startsWith('mcp-param-')) this.parameters.set(name.slice(10), value)
    }
  }

  one(name: string): string | undefined {
    return this.#values.get(name)
  }
}
