// Owns which identifiers name a secret: their last word must be a secret's (`db_password`, `apiKey`, `GH_TOKEN`), so that
// `password_hash`, `token_type` and `keyboard` are none. It does not look at values.

import { Recent } from '../../../lib/recent.ts'
import { isCapital, isLetter } from '../../characters.ts'
import type { Probe } from '../../probe.ts'

/** `password`: chosen by people, so anything goes. `token`: random. `key`: may be anything, so only a very random one is secret. */
export type SecretKind = 'password' | 'token' | 'key'

/** The beginnings of secrets' words. */
export const secretWords = ['pass', 'pwd', 'pw', 'secret', 'token', 'key', 'credential', 'auth'] as const

/** What may follow the beginning within the word, and the letters that it may begin with. */
const endings: Readonly<Record<string, { readonly pattern: RegExp; readonly initials: string }>> = {
  pass: { pattern: /^(?:(?:w(?:or)?d|wort|ord|phrase|code)s?)?$/, initials: 'wopc' },
  pwd: { pattern: /^s?$/, initials: 's' },
  pw: { pattern: /^$/, initials: '' },
  secret: { pattern: /^s?$/, initials: 's' },
  token: { pattern: /^s?$/, initials: 's' },
  key: { pattern: /^s?$/, initials: 's' },
  credential: { pattern: /^s?$/, initials: 's' },
  auth: { pattern: /^$/, initials: '' },
}

/** By the first letter of a beginning, its lower five bits, and by its length: those letters, a bit for each. */
const initials = new Uint32Array(1 << 9)
for (const word of secretWords) {
  const place = placeOf(word.charCodeAt(0), word.length)
  for (const letter of endings[word]?.initials ?? '')
    initials[place] = (initials[place] as number) | bitOf(letter.charCodeAt(0))
}

function placeOf(first: number, length: number): number {
  return ((first & 31) << 4) | length
}

function bitOf(letter: number): number {
  return 1 << (letter & 31)
}

/** False: by the next unit it is no word of a name, as in `keyboard`, whatever stands around. */
export function mayBeName(probe: Probe, start: number, end: number): boolean {
  const { units } = probe
  if (end - start === 2 && isJoined(units, start)) return false
  const next = probe.code(end)
  if (!isLetter(next)) return true
  const isCapitalLast = isCapital(units[end - 1] as number)
  // `pW`: the word has ended before.
  if (isCapitalLast && !isCapital(units[end - 2] as number)) return false
  if (isCapital(next)) return true
  return !isCapitalLast && ((initials[placeOf(units[start] as number, end - start)] as number) & bitOf(next)) !== 0
}

/** `pw` of `cpw` or `CPW`: it is part of another word. */
function isJoined(units: Uint16Array, start: number): boolean {
  const previous = start > 0 ? (units[start - 1] as number) : 0
  if (!isLetter(previous)) return false
  const isSmall = !isCapital(units[start] as number)
  return isCapital(previous) ? !isSmall && isCapital(units[start + 1] as number) : isSmall
}

/** `passwords`, `api_keys`, of the label and what follows it. */
export function isPlural(name: string): boolean {
  const [plural = ''] = /^(?:pass(?:w(?:or)?d|wort|phrase|code)|pwd|token|key)s/i.exec(name) ?? []
  return plural !== '' && !/^[a-z]/.test(name.slice(plural.length))
}

/** Words at the end that leave the meaning as it is. */
const indifferent =
  /^(?:value|val|string|str|text|plain|plaintext|raw|dev|test|testing|prod|production|stage|staging|local|default|base64|b64|env|old|new|current|confirmation|base|\d{1,2})$/
/** Whether what an identifier has behind its name says nothing else. */
export function isIndifferent(after: string): boolean {
  return wordsOf(after).every((word) => indifferent.test(word))
}

const secretModifiers = new Set(
  (
    'api apis access secret private priv auth account acct encryption encrypt crypto signing sign signature master service storage ' +
    'shared client license app application admin deploy ssh aes rsa hmac jwt webhook session bearer ingest write read user io ' +
    'consumer login cookie security integration anon role subscription management provision device rest functions function hub'
  ).split(' '),
)
const harmlessModifiers = new Set(
  (
    'public pub primary foreign cache idempotency partition sort row object page next prev previous continuation cursor csrf ' +
    'xsrf stop eos bos pad unk max min total num number prompt completion input output reasoning cached used remaining count lock ' +
    'dedup dedupe event message trace request correlation hash routing index unique group query sync map dict json list cell column'
  ).split(' '),
)

/** Names come again and again. */
const known = new Recent<SecretKind | 'none'>(1 << 14)

/** `before` and `after` are what the identifier has around `label`. Undefined: it names no secret. */
export function secretKind(before: string, label: string, after: string, spaced: string): SecretKind | undefined {
  const name = `${spaced} ${before} ${label} ${after}`
  let kind = known.get(name)
  if (kind === undefined) {
    kind = kindOf(before, label, after, spaced) ?? 'none'
    known.set(name, kind)
  }
  return kind === 'none' ? undefined : kind
}

function kindOf(before: string, label: string, after: string, spaced: string): SecretKind | undefined {
  const labelWord = label.toLowerCase()
  if (after !== '') {
    const [first = '', ...rest] = wordsOf(label + after)
    if (!first.startsWith(labelWord) || endings[labelWord]?.pattern.test(first.slice(label.length)) !== true)
      return undefined
    if (!rest.every((word) => indifferent.test(word))) return undefined
  }
  const preceding = wordsOf(before)
  const joined = joinedWord(before, label)
  if (preceding.some((word) => harmlessModifiers.has(word))) return undefined
  if (labelWord === 'pass' || labelWord === 'pwd' || labelWord === 'pw') return passwordKind(labelWord, after, joined)
  if (labelWord === 'secret' || labelWord === 'token' || labelWord === 'credential') return 'token'
  const modifier = joined === '' ? (preceding.at(-1) ?? spaced.toLowerCase()) : joined
  return secretModifiers.has(modifier) || preceding.some((word) => secretModifiers.has(word)) ? 'token' : 'key'
}

const passOwners =
  /^(?:db|my|mysql|pg|postgres|redis|mongo|ldap|smtp|mail|imap|ftp|ssh|ssl|key|store|keystore|trust|user|root|admin|app|web|proxy|wifi|sudo)$/

/** `bypass`, `compass` and `minipass` have the word's letters. */
function passwordKind(label: string, after: string, joined: string): SecretKind | undefined {
  if (label === 'pass' && joined !== '' && !/^[a-z]/i.test(after) && !passOwners.test(joined)) return undefined
  return label === 'pw' && joined !== '' ? undefined : 'password'
}

/** The letters of the same word right before the label: `api` of `apikey`. */
function joinedWord(before: string, label: string): string {
  const isLower = /^[a-z]/.test(label)
  const match = (isLower ? /[A-Z]?[a-z]+$/ : /[A-Z]+$/).exec(before)
  if (match === null || (!isLower && /^[A-Z][a-z]/.test(label))) return ''
  return match[0].toLowerCase()
}

/** `dbPassword`, `DB_PASSWORD`, `db-password` → db, password. */
function wordsOf(identifier: string): readonly string[] {
  if (identifier === '') return []
  return (identifier.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? []).map((word) => word.toLowerCase())
}
