// Owns the decision who is asking, from the agent's key and the socket's address. It does not know what they may do.
import { hash } from 'node:crypto'
import type { Networks } from './addresses.ts'
import { keysInQuery, presentedKey } from './credentials.ts'
import type { Identified, Principal } from './principal.ts'

export type IdentifyInput = {
  /** Flat list name, value, name, value … in wire order. */
  readonly headers: readonly string[]
  /** Raw, without `?`. */
  readonly query: string
  /** The query is what a tool is asked: `key` in it may be a parameter like any other. */
  readonly toolQuery: boolean
  /** The socket's peer, never a forwarded header. */
  readonly ip: string
  /** Wall clock. */
  readonly nowMs: number
}

export interface Authenticator {
  authenticate(input: IdentifyInput): Identified
}

/** `from` absent: any address. `expiresMs` absent: never. */
export type Caller = { readonly principal: Principal; readonly from?: Networks }
export type KeyHolder = { readonly caller: Caller; readonly expiresMs?: number }

/** `holders` is keyed by the key's SHA-256 in lower-case hex. */
export function buildAuthenticator(
  holders: ReadonlyMap<string, KeyHolder>,
  anonymous: Caller | undefined,
): Authenticator {
  return {
    authenticate({ headers, query, toolQuery, ip, nowMs }) {
      const keyInQuery = !toolQuery || isKeyInQuery(headers, query, holders)
      const presented = presentedKey(headers, keyInQuery ? query : '')
      // SDKs refuse to start without a key, so where no key could be valid, whatever they send stands for none.
      if (presented.kind === 'none' || (holders.size === 0 && anonymous !== undefined))
        return unkeyed(anonymous, ip, keyInQuery)
      if (presented.kind === 'ambiguous')
        return refused(
          'credentials-invalid',
          'The request must carry one agent key: in authorization with Bearer, and the same wherever else it stands.',
        )
      return keyed(presented.key, holders, ip, nowMs, keyInQuery)
    },
  }
}

/**
 * Whether `key` in what a tool is asked is meant for us. An agent's key is, so that it goes to no tool; and so is anything
 * where no header says who asks: a key that was mistyped or taken away is refused, and no parameter of an anonymous caller.
 */
function isKeyInQuery(headers: readonly string[], query: string, holders: ReadonlyMap<string, KeyHolder>): boolean {
  if (holders.size === 0) return false
  const keys = keysInQuery(query)
  if (keys.length === 0) return false
  return keys.some((key) => holders.has(digestOf(key))) || presentedKey(headers, '').kind === 'none'
}

function unkeyed(anonymous: Caller | undefined, ip: string, keyInQuery: boolean): Identified {
  if (anonymous === undefined) return refused('credentials-missing', 'No agent key was sent.')
  if (!mayComeFrom(anonymous, ip))
    return refused('credentials-missing', 'No agent key was sent, and from this address one is needed.')
  return { ok: true, principal: anonymous.principal, via: 'anonymous', keyInQuery }
}

/**
 * Unknown, expired and revoked keys take the same steps and get the same answer. The lookup is by digest, so how long it
 * takes says nothing about any key that a caller could choose.
 */
function keyed(
  key: string,
  holders: ReadonlyMap<string, KeyHolder>,
  ip: string,
  nowMs: number,
  keyInQuery: boolean,
): Identified {
  const digest = digestOf(key)
  const holder = holders.get(digest)
  const current = nowMs < (holder?.expiresMs ?? Number.POSITIVE_INFINITY)
  if (holder === undefined || !current) return refused('credentials-invalid', 'The agent key is not valid.')
  if (!mayComeFrom(holder.caller, ip)) return refused('source-refused', 'The agent key is not valid from this address.')
  const known = {
    ok: true,
    principal: holder.caller.principal,
    via: 'api-key',
    key: digest.slice(0, 12),
    presented: key,
    keyInQuery,
  } as const
  return holder.expiresMs === undefined ? known : { ...known, expiresMs: holder.expiresMs }
}

function digestOf(key: string): string {
  return hash('sha256', key, 'hex')
}

function mayComeFrom(caller: Caller, ip: string): boolean {
  return caller.from?.holds(ip) ?? true
}

function refused(code: 'credentials-missing' | 'credentials-invalid' | 'source-refused', message: string): Identified {
  return { ok: false, code, message }
}
