// Owns strict JSON: one reading of a byte string, or a refusal. Ambiguous input (duplicate or case-colliding keys, BOM,
// invalid UTF-8, lone surrogates, too deep) has no reading.
import { readJson } from './json-reader.ts'
import { stringEnd } from './json-source.ts'
import { decodeUtf8 } from './utf8.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

/** `depthMax`: nested arrays and objects; `keysMax`: members of one object; an array may have ten times as many items. */
export type JsonLimits = { readonly depthMax: number; readonly keysMax: number }

/** Items that an array may have for each member that an object may. */
export const itemsPerKey = 10

/** Of an event of a stream, a message, JSON in a string: whatever is no body, for which limits are configured. */
export const innerLimits: JsonLimits = { depthMax: 64, keysMax: 10_000 }

/** `text` is the source that `value` was read from; `offset` counts its characters, 0 where the place is unknown. */
export type JsonReading =
  | { readonly ok: true; readonly value: Json; readonly text: string }
  | {
      readonly ok: false
      readonly code: 'body-malformed' | 'body-too-deep'
      readonly message: string
      readonly offset: number
    }

/** Never throws. Messages name the fault and the place, never the content. */
export function parseJson(bytes: Uint8Array, limits: JsonLimits): JsonReading {
  const text = decodeUtf8(bytes)
  return text === undefined ? malformed('The body is not valid UTF-8', 0) : read(text, limits)
}

/** The same for text that has been decoded already: the data of an event, or JSON that stands in a string. */
export function parseJsonText(text: string, limits: JsonLimits): JsonReading {
  return text.isWellFormed() ? read(text, limits) : malformed('The text holds a lone surrogate', 0)
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Every string in a value, keys and values, in no particular order. */
export function textsOf(value: Json): string[] {
  const texts: string[] = []
  const open: Json[] = [value]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'string') texts.push(next)
    else if (Array.isArray(next)) for (const item of next) open.push(item)
    else if (isObject(next)) {
      texts.push(...Object.keys(next))
      open.push(...Object.values(next))
    }
  }
  return texts
}

/** `text` is well-formed, as whatever was decoded from valid UTF-8 is. */
function read(text: string, limits: JsonLimits): JsonReading {
  if (text.charCodeAt(0) === 0xfeff) return malformed('A byte order mark is not accepted', 0)
  const scanned = scan(text, limits)
  if (typeof scanned === 'object') return refused(scanned)
  try {
    const value = JSON.parse(text) as Json
    return { ok: true, value: scanned === 'escaped keys' ? (readJson(text) as Json) : value, text }
  } catch (error) {
    const offset = syntaxErrorOffset(text, error)
    return refused(offset === undefined ? malformed('Not valid JSON', 0) : malformed('Not valid JSON', offset))
  }
}

type Refusal = Extract<JsonReading, { ok: false }>

/** The members of one open object. Up to `setFrom` they are compared by hash; beyond that the set of folded keys tells. */
type Frame = {
  object: boolean
  keys: number
  readonly hashes: Int32Array
  readonly starts: Int32Array
  folded: Set<string> | undefined
}

const setFrom = 16

/** By depth; kept, because one document is scanned after the other, and a scan would make little else. */
const frames: Frame[] = []

/** What a refusal leaves open may hold many keys. */
function refused(refusal: Refusal): Refusal {
  frames.length = 0
  return refusal
}

/**
 * Finds what JSON.parse lets pass: repeated keys, lone surrogate escapes, numbers out of range, depth. It does not check
 * the grammar, so on text that is not JSON it only has to be safe.
 */
function scan(text: string, limits: JsonLimits): Refusal | 'escaped keys' | 'plain keys' {
  let depth = 0
  let frame: Frame | undefined
  let keyIsNext = false
  let keys: 'escaped keys' | 'plain keys' = 'plain keys'
  let escapeAt = nextEscape(text, 0)
  for (let at = 0; at < text.length; at += 1) {
    const c = text.charCodeAt(at)
    if (c === quote) {
      let end = text.indexOf('"', at + 1)
      let escaped = false
      while (escapeAt < end) {
        if (escapeAt > at) {
          escaped = true
          const length = escapeLength(text, escapeAt)
          if (length === 0) return malformed('The text holds a lone surrogate escape', escapeAt)
          if (escapeAt + 1 === end) end = text.indexOf('"', end + 1)
          escapeAt = nextEscape(text, escapeAt + length)
        } else escapeAt = nextEscape(text, at)
      }
      if (end === -1) return malformed('A string is not closed', at)
      if (keyIsNext && frame !== undefined) {
        const refusal = addKey(text, frame, at, end, escaped, limits.keysMax)
        if (refusal !== undefined) return refusal
        if (escaped) keys = 'escaped keys'
        keyIsNext = false
      }
      at = end
    } else if (c === comma) {
      keyIsNext = frame?.object === true
      if (frame !== undefined && !frame.object && (frame.keys += 1) === limits.keysMax * itemsPerKey)
        return malformed(`An array has more than ${limits.keysMax * itemsPerKey} items`, at)
    } else if (c === openBrace || c === openBracket) {
      if (depth === limits.depthMax) return tooDeep(limits.depthMax, at)
      frame = openFrame(depth, c === openBrace)
      depth += 1
      keyIsNext = frame.object
    } else if (c === closeBrace || c === closeBracket) {
      if (frame !== undefined) frame.folded = undefined
      depth = depth === 0 ? 0 : depth - 1
      frame = depth === 0 ? undefined : frames[depth - 1]
      keyIsNext = false
    } else if (c === minus || (c >= zero && c <= nine)) {
      const end = numberEnd(text, at + 1)
      if (outOfRange(text, at, end)) return malformed('A number is out of range', at)
      at = end - 1
    }
  }
  return keys
}

const [quote, comma, minus, zero, nine] = [0x22, 0x2c, 0x2d, 0x30, 0x39]
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d]

function nextEscape(text: string, from: number): number {
  const at = text.indexOf('\\', from)
  return at === -1 ? Number.POSITIVE_INFINITY : at
}

/** Characters that the escape at `at` takes, a surrogate pair as one; 0 for a surrogate without its partner. */
function escapeLength(text: string, at: number): number {
  if (text.charCodeAt(at + 1) !== 0x75) return 2
  const unit = escapedUnit(text, at)
  if (unit < 0xd800 || unit > 0xdfff) return 6
  const partner = unit < 0xdc00 ? escapedUnit(text, at + 6) : 0
  return partner >= 0xdc00 && partner <= 0xdfff ? 12 : 0
}

/** The UTF-16 unit of a `\uXXXX` at `at`; -1 when there is none (then the grammar is at fault, or nothing follows). */
function escapedUnit(text: string, at: number): number {
  if (text.charCodeAt(at) !== 0x5c || text.charCodeAt(at + 1) !== 0x75) return -1
  const hex = text.slice(at + 2, at + 6)
  return /^[0-9a-fA-F]{4}$/.test(hex) ? Number.parseInt(hex, 16) : -1
}

function openFrame(depth: number, object: boolean): Frame {
  const frame = (frames[depth] ??= {
    object,
    keys: 0,
    hashes: new Int32Array(setFrom),
    starts: new Int32Array(setFrom),
    folded: undefined,
  })
  frame.object = object
  frame.keys = 0
  frame.folded = undefined
  return frame
}

/** `start` and `end` are the quotes of the key. Keys that differ only in case are the same key to some readers (Go). */
function addKey(
  text: string,
  frame: Frame,
  start: number,
  end: number,
  escaped: boolean,
  keysMax: number,
): Refusal | undefined {
  if (frame.keys === keysMax) return malformed(`An object has more than ${keysMax} members`, start)
  if (frame.keys === setFrom) frame.folded = new Set(Array.from(frame.starts, (at) => foldedKey(text, at)))
  if (frame.folded !== undefined) {
    frame.folded.add(foldedKey(text, start))
    frame.keys += 1
    return frame.folded.size === frame.keys ? undefined : repeatedKey(start)
  }
  const hash = escaped ? hashOf(foldedKey(text, start)) : hashKey(text, start + 1, end)
  for (let i = 0; i < frame.keys; i += 1) {
    const earlier = frame.starts[i]
    if (frame.hashes[i] !== hash || earlier === undefined) continue
    if (foldedKey(text, earlier) === foldedKey(text, start)) return repeatedKey(start)
  }
  frame.hashes[frame.keys] = hash
  frame.starts[frame.keys] = start
  frame.keys += 1
  return undefined
}

/** Hash of the folded key, without making a string while it is plain ASCII. */
function hashKey(text: string, from: number, to: number): number {
  let hash = 0
  for (let at = from; at < to; at += 1) {
    const c = text.charCodeAt(at)
    if (c > 0x7f) return hashOf(foldKey(text.slice(from, to)))
    hash = (Math.imul(hash, 31) + (c >= 0x41 && c <= 0x5a ? c + 32 : c)) | 0
  }
  return hash
}

function hashOf(folded: string): number {
  let hash = 0
  for (let at = 0; at < folded.length; at += 1) hash = (Math.imul(hash, 31) + folded.charCodeAt(at)) | 0
  return hash
}

/** `start` is the opening quote. A key that JSON.parse will refuse anyway stands for itself. */
function foldedKey(text: string, start: number): string {
  const source = text.slice(start, stringEnd(text, start))
  if (!source.includes('\\')) return foldKey(source.slice(1, -1))
  try {
    return foldKey(JSON.parse(source) as string)
  } catch {
    return source
  }
}

/** Upper case first: the long s and the Kelvin sign fold to `s` and `k`, as in Go's EqualFold. */
export function foldKey(key: string): string {
  return key.toUpperCase().toLowerCase()
}

function numberEnd(text: string, from: number): number {
  let at = from
  for (; at < text.length; at += 1) {
    const c = text.charCodeAt(at)
    const part = (c >= zero && c <= nine) || c === 0x2e || c === 0x65 || c === 0x45 || c === 0x2b || c === minus
    if (!part) break
  }
  return at
}

/** A number that overflows or vanishes reads differently elsewhere. Only a long one, or one with an exponent, can. */
function outOfRange(text: string, start: number, end: number): boolean {
  let long = end - start > 300
  for (let at = start; at < end && !long; at += 1) long = (text.charCodeAt(at) | 0x20) === 0x65
  if (!long) return false
  const source = text.slice(start, end)
  const value = Number(source)
  return value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY || (value === 0 && vanishes(source))
}

function vanishes(source: string): boolean {
  return /^[^eE]*[1-9]/.test(source)
}

function malformed(message: string, offset: number): Refusal {
  return { ok: false, code: 'body-malformed', message: `${message}.`, offset }
}

function repeatedKey(offset: number): Refusal {
  return malformed('An object has the same key twice', offset)
}

function tooDeep(depthMax: number, offset: number): Refusal {
  return { ok: false, code: 'body-too-deep', message: `The body is nested deeper than ${depthMax} levels.`, offset }
}

/** V8 puts content into its messages, so only the position is taken from them, and not all of them tell one. */
function syntaxErrorOffset(text: string, error: unknown): number | undefined {
  const message = error instanceof Error ? error.message : ''
  const position = /at position (\d+)/.exec(message)?.[1]
  if (position !== undefined) return Number(position)
  return message.startsWith('Unexpected end') ? text.length : undefined
}
