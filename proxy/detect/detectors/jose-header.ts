// Owns the headers of JSON Web Tokens (RFC 7515, 7516): whether one is an object of JSON, and how many parts it announces.
// `JSON.parse` would say so as well, but it throws where there is none, which takes as long as reading a page of text, and
// a page of text has room for a thousand beginnings of headers. It does not know where a token ends.

export type JoseHeader = {
  readonly parts: number
  /** Changed or cut by whoever printed it: what is left may still be secret. */
  readonly isBroken: boolean
}

export const partsOfSigned = 3
const partsOfEncrypted = 5

/** The beginning of a header (IANA, JSON Object Signing and Encryption: header parameters), which may be cut. */
export const joseParameter =
  /^\{\s*"(?:alg|apu|apv|aud|b64|crit|cty|enc|epk|iss|iv|jku|jwk|key_ops|kid|kty|nonce|p2c|p2s|ppt|sub|svt|tag|typ|url|use|ver|version|x5c|x5t|x5t#S256|x5u|zip)"/

/** `text` is base64url. Three parts when the header says how the token is signed, five when it says how it is encrypted. */
export function readJoseHeader(text: string): JoseHeader | undefined {
  const header = decodedHeader(text)
  const names = namesOf(header)
  if (names === undefined) return joseParameter.test(header) ? { parts: partsOfSigned, isBroken: true } : undefined
  if (names.includes('enc')) return { parts: partsOfEncrypted, isBroken: false }
  return names.includes('alg') ? { parts: partsOfSigned, isBroken: false } : undefined
}

const bytes = Buffer.alloc(512)

/** One unit for each byte: what is looked at is ASCII. */
export function decodedHeader(text: string): string {
  if (text.length > bytes.length) return Buffer.from(text, 'base64url').toString('latin1')
  return bytes.toString('latin1', 0, bytes.write(text, 'base64url'))
}

/** The names of the members of an object; undefined where the text is none. */
function namesOf(text: string): string[] | undefined {
  const names: string[] = []
  const end = text.charCodeAt(0) === 0x7b ? objectEnd(text, 0, depthMax, names) : none
  return end !== none && skipSpace(text, end) === text.length ? names : undefined
}

const none = -1
/** Objects and arrays in one another; keys in headers have one more. */
const depthMax = 16

/** The index after the value that begins at `start`; `none` where there is none. */
function valueEnd(text: string, start: number, depth: number): number {
  const code = text.charCodeAt(start)
  if (code === 0x22) return stringEnd(text, start)
  if (code === 0x7b || code === 0x5b) {
    if (depth === 0) return none
    return code === 0x7b ? objectEnd(text, start, depth - 1) : arrayEnd(text, start, depth - 1)
  }
  scalar.lastIndex = start
  return scalar.test(text) ? scalar.lastIndex : none
}

const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[Ee][+-]?\d+)?)/y
const escapes = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y

function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code < 0x20) return none
    if (code !== 0x5c) continue
    escapes.lastIndex = at
    if (!escapes.test(text)) return none
    at = escapes.lastIndex - 1
  }
  return none
}

function objectEnd(text: string, start: number, depth: number, names?: string[]): number {
  let at = skipSpace(text, start + 1)
  if (text.charCodeAt(at) === 0x7d) return at + 1
  for (;;) {
    if (text.charCodeAt(at) !== 0x22) return none
    const nameEnd = stringEnd(text, at)
    if (nameEnd === none) return none
    const colon = skipSpace(text, nameEnd)
    if (text.charCodeAt(colon) !== 0x3a) return none
    names?.push(String(JSON.parse(text.slice(at, nameEnd))))
    const end = valueEnd(text, skipSpace(text, colon + 1), depth)
    if (end === none) return none
    at = skipSpace(text, end)
    const code = text.charCodeAt(at)
    if (code === 0x7d) return at + 1
    if (code !== 0x2c) return none
    at = skipSpace(text, at + 1)
  }
}

function arrayEnd(text: string, start: number, depth: number): number {
  let at = skipSpace(text, start + 1)
  if (text.charCodeAt(at) === 0x5d) return at + 1
  for (;;) {
    const end = valueEnd(text, at, depth)
    if (end === none) return none
    at = skipSpace(text, end)
    const code = text.charCodeAt(at)
    if (code === 0x5d) return at + 1
    if (code !== 0x2c) return none
    at = skipSpace(text, at + 1)
  }
}

function skipSpace(text: string, from: number): number {
  let at = from
  for (;;) {
    const code = text.charCodeAt(at)
    if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return at
    at++
  }
}
