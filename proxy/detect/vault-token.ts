// Owns how a token is written and told from other text. It does not know which tokens were issued, nor for what.

import { Recent } from '../lib/recent.ts'

/** Crockford's alphabet in lower case: no i, l, o, u. */
export const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'
/** 45 bits of the value's digest, then one symbol that tells our tokens from other text. */
export const digestSymbols = 9
export const bodyLength = digestSymbols + 1
/** A type, `_` and a body, word characters throughout. */
export const tokenLengthMax = 32
const typeLengthMax = tokenLengthMax - bodyLength - 1

/** By character code, in either case; -1: no symbol. */
const symbolValues = new Int8Array(128).fill(-1)
for (let value = 0; value < alphabet.length; value++) {
  symbolValues[alphabet.charCodeAt(value)] = value
  symbolValues[alphabet.toUpperCase().charCodeAt(value)] = value
}

function symbolAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code < 128 ? (symbolValues[code] as number) : -1
}

/** Behind a body, a token for those who must have an address. No such domain can ever exist (RFC 6761 §6.4). */
export const mailDomain = '@redacted.invalid'

/** `us-ssn` → `US_SSN`, as it stands in masks. */
export function typeName(entity: string): string {
  let name = names.get(entity)
  if (name === undefined) names.set(entity, (name = entity.toUpperCase().replaceAll('-', '_')))
  return name
}

/** As it stands in tokens: operators name entities as they like, and a token has a length that models copy well. */
export function tokenType(entity: string): string {
  let type = types.get(entity)
  if (type === undefined) types.set(entity, (type = typeOf(entity)))
  return type
}

/** All that a configuration names fit. */
const names = new Recent<string>(64 * 1024)
const types = new Recent<string>(64 * 1024)

function typeOf(entity: string): string {
  const name = typeName(entity).replaceAll(/[^A-Z0-9_]/g, '_')
  return (/^[A-Z]/.test(name) ? name : `X${name}`).slice(0, typeLengthMax).replace(/_+$/, '')
}

/** Weighted sum, so that a changed symbol and two swapped ones are both noticed. */
export function checkSymbol(digest: string): string {
  let sum = 0
  for (let i = 0; i < digest.length; i++) sum += (2 * i + 1) * symbolAt(digest, i)
  return alphabet.charAt(sum & 31)
}

/** The body that stands at `at`, its check symbol included, in lower case. */
export function bodyAt(text: string, at: number): string | undefined {
  if (at < 0) return undefined
  let sum = 0
  for (let i = 0; i < digestSymbols; i++) {
    const value = symbolAt(text, at + i)
    if (value === -1) return undefined
    sum += (2 * i + 1) * value
  }
  if (symbolAt(text, at + digestSymbols) !== (sum & 31)) return undefined
  return text.slice(at, at + bodyLength).toLowerCase()
}

/** Has the form of a token of anybody, as it was issued: with its type, or as an address. */
export function looksLikeToken(text: string): boolean {
  const body = text.endsWith(mailDomain) ? text.slice(0, -mailDomain.length) : text.slice(-bodyLength)
  if (body.length !== bodyLength || bodyAt(body, 0) !== body) return false
  return text.endsWith(mailDomain) || /^[A-Z][A-Z0-9_]*_$/.test(text.slice(0, -bodyLength))
}

/** The bodies of what looks like tokens in a text, however their letters are written; `found` gets each once. */
export function addBodies(text: string, found: Set<string>): void {
  for (let mark = text.indexOf('_'); mark !== -1; mark = text.indexOf('_', mark + 1)) {
    const body = bodyAt(text, mark + 1)
    if (body !== undefined) found.add(body)
  }
  for (const tail of mailTails) {
    for (let at = text.indexOf(tail); at !== -1; at = text.indexOf(tail, at + 1)) {
      const body = bodyAt(text, at - bodyLength)
      if (body !== undefined) found.add(body)
    }
  }
}

/**
 * Where a type begins whose token has its last `_` at `mark`; -1 where it is another. Models write letters in another
 * case, and `\_` in Markdown; the body says for certain which token is meant.
 */
export function typeStart(text: string, mark: number, type: string): number {
  let at = text.charCodeAt(mark - 1) === backslash ? mark - 1 : mark
  for (let i = type.length - 1; i >= 0; i--) {
    at -= 1
    if (at < 0 || upper(text.charCodeAt(at)) !== type.charCodeAt(i)) return -1
    if (type.charCodeAt(i) === underscore && text.charCodeAt(at - 1) === backslash) at -= 1
  }
  return at
}

/** Longer than any token, with a backslash before each `_` of it. */
const writtenLengthMax = tokenLengthMax + 8

/** Where the first unfinished token of one of the types may start: some of its type, or all of it and some of the body. */
export function unfinishedFrom(text: string, types: ReadonlySet<string>): number {
  let start = text.length
  const first = Math.max(0, text.length - writtenLengthMax)
  while (start > first && isWritten(text.charCodeAt(start - 1))) start -= 1
  for (; start < text.length; start++) {
    const code = upper(text.charCodeAt(start))
    for (const type of types) if (code === type.charCodeAt(0) && isUnfinished(text, start, type)) return start
  }
  return text.length
}

/** Of what a token is written with. */
function isWritten(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 57) ||
    code === underscore ||
    code === backslash
  )
}

function isUnfinished(text: string, start: number, type: string): boolean {
  let at = start
  for (let i = 0; i <= type.length; i++) {
    const wanted = i === type.length ? underscore : type.charCodeAt(i)
    if (wanted === underscore && text.charCodeAt(at) === backslash) at += 1
    if (at >= text.length) return true
    if (upper(text.charCodeAt(at)) !== wanted) return false
    at += 1
  }
  return text.length - at < bodyLength && areSymbols(text, at)
}

function areSymbols(text: string, from: number): boolean {
  for (let at = from; at < text.length; at++) if (symbolAt(text, at) === -1) return false
  return true
}

/** The same for tokens that are addresses: any last word may be one. */
export function unfinishedMailFrom(text: string): number {
  const sign = Math.max(text.lastIndexOf('@'), text.lastIndexOf('%'))
  const rest = sign === -1 || text.length - sign > mailTails[1].length ? undefined : text.slice(sign).toLowerCase()
  const isTail = rest !== undefined && mailTails.some((tail) => rest.length < tail.length && tail.startsWith(rest))
  if (isTail && symbolsBefore(text, sign) === bodyLength) return sign - bodyLength
  return text.length - symbolsBefore(text, text.length)
}

/** How many, as far as a body goes. */
function symbolsBefore(text: string, end: number): number {
  let count = 0
  while (count < bodyLength && count < end && symbolAt(text, end - 1 - count) !== -1) count += 1
  return count
}

/** What follows the body of an address at `at`, as it stands there: `@` or, in a URL, `%40`. Undefined: nothing of the kind. */
export function mailTailAt(text: string, at: number): string | undefined {
  return mailTails.find((tail) => text.slice(at, at + tail.length).toLowerCase() === tail)
}

const mailTails = [mailDomain, mailDomain.replace('@', '%40')] as const

const backslash = 92
const underscore = 95

function upper(code: number): number {
  return code >= 97 && code <= 122 ? code - 32 : code
}
