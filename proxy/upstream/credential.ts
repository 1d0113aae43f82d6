// Owns the upstream's own credential: how it gets onto a request, and that it is never seen anywhere else.
import { Fault } from '../errors.ts'
import type { ResolveSecret } from '../lib/secret.ts'
import type { CredentialOptions } from './options.ts'

export type Credential = {
  /** Lower case. */
  readonly name: string
  readonly value: string
  readonly secret: string
}

/** Throws a Fault that names the upstream and never the value. */
export function openCredential(id: string, options: CredentialOptions, resolve: ResolveSecret): Credential {
  const secret = resolve('bearer' in options ? options.bearer : options.value)
  const flaw = credentialFlaw(secret)
  if (flaw !== undefined) throw new Fault('internal', `The credential of upstream ${id} ${flaw}.`)
  return 'bearer' in options
    ? { name: 'authorization', value: `Bearer ${secret}`, secret }
    : { name: options.header.toLowerCase(), value: secret, secret }
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
export const containedLengthMin = 8

/** Would this header value show the credential to a client? */
export function reveals(credential: Credential, value: string): boolean {
  return credential.secret.length >= containedLengthMin
    ? value.includes(credential.secret)
    : value === credential.secret || value === credential.value
}

export function scrub(credential: Credential | undefined, text: string): string {
  return credential === undefined ? text : text.replaceAll(credential.secret, '[credential]')
}
