// Owns the shape of who is asking.
import type { Priority } from '../lib/priority.ts'

export type Principal = {
  readonly id: string
  readonly org?: string
  readonly team?: string
  readonly roles: readonly string[]
  /** Absent: what the route says. */
  readonly priority?: Priority
}

/**
 * How the principal was recognised, for the audit log. `key` is the first 12 hex digits of the key's SHA-256; `expiresMs`
 * is on the wall clock, absent for never.
 */
export type Identified =
  | {
      readonly ok: true
      readonly principal: Principal
      readonly via: 'api-key' | 'anonymous'
      readonly key?: string
      /** The key itself, so that it can be kept from the upstream; nothing holds it longer. */
      readonly presented?: string
      readonly expiresMs?: number
      /** `key` in the query is for us alone. Otherwise it is a parameter, and stays. */
      readonly keyInQuery: boolean
    }
  | {
      readonly ok: false
      readonly code: 'credentials-missing' | 'credentials-invalid' | 'source-refused'
      readonly message: string
    }
