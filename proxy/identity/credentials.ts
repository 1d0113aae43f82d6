// Owns the places where an agent's key may stand: reading it, and removing it from all of them. It does not know which
// keys are valid.

export type Presented =
  { readonly kind: 'none' } | { readonly kind: 'ambiguous' } | { readonly kind: 'key'; readonly key: string }

const none: Presented = { kind: 'none' }
const ambiguous: Presented = { kind: 'ambiguous' }

/**
 * The one key that a request presents. Two lines of one header, a scheme other than Bearer, or places that disagree are
 * ambiguous: another reader of the request could see another caller. An empty value presents nothing.
 */
export function presentedKey(headers: readonly string[], query: string): Presented {
  let key = ''
  const seen: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = credentialHeader(headers[i] ?? '')
    if (name === undefined || name === 'proxy-authorization') continue
    if (seen.includes(name)) return ambiguous
    seen.push(name)
    const value = (headers[i + 1] ?? '').trim()
    const token = name === 'authorization' ? bearerToken(value) : value
    if (token === undefined || (token !== '' && key !== '' && token !== key)) return ambiguous
    if (token !== '') key = token
  }
  let inQuery = 0
  for (const field of credentialFields(query)) {
    inQuery += 1
    const value = valueOf(field)
    if (inQuery > 1 || (value !== '' && key !== '' && value !== key)) return ambiguous
    if (value !== '') key = value
  }
  return key === '' ? none : { kind: 'key', key }
}

/** Whatever stands in a query where a key may stand, but for empty values. */
export function keysInQuery(query: string): readonly string[] {
  return credentialFields(query)
    .map(valueOf)
    .filter((value) => value !== '')
}

/** The headers without anything that may have carried the agent's key. */
export function withoutKeyHeaders(headers: readonly string[]): readonly string[] {
  const kept: string[] = []
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    if (credentialHeader(name) === undefined) kept.push(name, headers[i + 1] ?? '')
  }
  return kept
}

/** The same of a query, without its `?`; every other byte stays as it was. */
export function withoutKeyFields(query: string): string {
  if (credentialFields(query).length === 0) return query
  return query
    .split('&')
    .filter((field) => !isCredentialField(field))
    .join('&')
}

/** Shorter keys would stand in texts by chance; `gatewright keys generate` makes 46 characters. */
const repeatLengthMin = 8

/**
 * The headers without those that repeat the key that let the caller in: a client that has it in a cookie or in a header of
 * its own, too, means it for us and not for the upstream.
 */
export function withoutRepeats(headers: readonly string[], key: string): readonly string[] {
  if (key.length < repeatLengthMin || !headers.some((text) => text.includes(key))) return headers
  return headers.filter((_, index) => !(headers[index | 1] ?? '').includes(key))
}

/** The same of a query, without its `?`. */
export function withoutRepeatingFields(query: string, key: string): string {
  if (query === '' || key.length < repeatLengthMin) return query
  return query
    .split('&')
    .filter((field) => !decode(field).includes(key))
    .join('&')
}

/** By length first: most names are none of these, and this runs over every header of every request. */
function credentialHeader(name: string): string | undefined {
  switch (name.length) {
    case 7:
    case 9:
    case 13:
    case 14:
    case 19: {
      const lower = name.toLowerCase()
      return credentialHeaders.has(lower) ? lower : undefined
    }
    default:
      return undefined
  }
}

/** `proxy-authorization` is never read as a key, but it is a credential for us and not for the upstream (RFC 9110 §11.7.2). */
const credentialHeaders = new Set(['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'proxy-authorization'])

/** RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1). Undefined: another scheme. */
function bearerToken(value: string): string | undefined {
  if (value === '') return ''
  const match = /^bearer(?: +([^ ]+))?$/i.exec(value)
  return match === null ? undefined : (match[1] ?? '')
}

function credentialFields(query: string): readonly string[] {
  if (query === '') return []
  return query.split('&').filter(isCredentialField)
}

/** The upstream decodes names, so `%6Bey` is `key` too. */
function isCredentialField(field: string): boolean {
  const equals = field.indexOf('=')
  const name = equals === -1 ? field : field.slice(0, equals)
  if (name.length < 3 || name.length > 9) return false
  return name === 'key' || (name.includes('%') && decode(name) === 'key')
}

function valueOf(field: string): string {
  const equals = field.indexOf('=')
  return equals === -1 ? '' : decode(field.slice(equals + 1))
}

function decode(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
