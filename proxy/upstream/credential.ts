// Owns the upstream's own credential: how it gets onto a request, and that it is never seen anywhere else.
import { Fault } from '../errors.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import type { CredentialOptions } from './options.ts'

export type Credential = {
  /** Lower case. */
  readonly name: string
  readonly value: string
  /** Without a scheme. */
  readonly secret: string
  /** How it may stand in an answer, as it is first. None where it is so short that it would be found by chance. */
  readonly forms: readonly string[]
}

/** Throws a Fault that names the upstream and never the value. */
export function openCredential(id: string, options: CredentialOptions, resolve: ResolveSecret): Credential {
  const resolved = resolve('bearer' in options ? options.bearer : options.value)
  const flaw = credentialFlaw(resolved)
  if (flaw !== undefined) throw new Fault('internal', `The credential of upstream ${id} ${flaw}.`)
  if ('bearer' in options)
    return { name: 'authorization', value: `Bearer ${resolved}`, secret: resolved, forms: formsOf(resolved) }
  const name = options.header.toLowerCase()
  const secret = name.endsWith('authorization') ? withoutScheme(resolved) : resolved
  return { name, value: resolved, secret, forms: formsOf(secret) }
}

/** RFC 9110 §11.4: servers that tell what they were sent tell the token alone, too. */
function withoutScheme(value: string): string {
  const token = /^[A-Za-z][A-Za-z0-9-]* +(.+)$/.exec(value)?.[1] ?? ''
  return token.length < containedLengthMin ? value : token
}

/** Why no header can carry it: it would be refused by the HTTP client on each request, or split the head. */
export function credentialFlaw(secret: string): string | undefined {
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(secret)) return undefined
  if (secret === '') return 'is empty'
  if (secret.startsWith('\ufeff')) return 'begins with a byte order mark'
  if (/[\r\n]/.test(secret)) return 'has more than one line'
  return secret === secret.trim() ? 'holds characters that no header can carry' : 'begins or ends with white space'
}

// A shorter secret would be found by chance inside ordinary values.
const containedLengthMin = 8

/**
 * What writes JSON or URLs may escape some of its characters: PHP the slash, .NET what HTML could take for its own, and each
 * hex digit in either case. Most secrets have none of these, and one form.
 */
function formsOf(secret: string): readonly string[] {
  if (secret.length < containedLengthMin) return []
  const json = JSON.stringify(secret).slice(1, -1)
  const forHtml = secret.replaceAll('\\', '\\\\').replaceAll(/[&'+<>"`]/g, unicodeEscape)
  const url = encodeURIComponent(secret)
  const forms = [secret, json, json.replaceAll('/', '\\/'), forHtml, url, url.replaceAll('%2F', '/')]
  const spelt = forms.flatMap((form) => [form, form.replaceAll(/(?<=%|\\u00)[0-9A-F]{2}/g, lowerCase)])
  return [...new Set(spelt)]
}

function unicodeEscape(character: string): string {
  return `\\u00${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function lowerCase(text: string): string {
  return text.toLowerCase()
}

/** Would this header value show the credential to a client? */
export function reveals({ forms, secret, value: whole }: Credential, value: string): boolean {
  return forms.length > 0 ? forms.some((form) => value.includes(form)) : value === secret || value === whole
}

export function scrub(credential: Credential | undefined, text: string): string {
  if (credential === undefined) return text
  const { forms, secret } = credential
  return [...forms, secret].reduce((scrubbed, form) => scrubbed.replaceAll(form, '[credential]'), text)
}
