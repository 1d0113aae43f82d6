// Owns the shape of who is asking.

export type Principal = {
  readonly id: string
  readonly org?: string
  readonly team?: string
  readonly roles: readonly string[]
}

/** How the principal was recognised, for the audit log. `key` is the first 12 hex digits of the key's SHA-256. */
export type Identified =
  | { readonly ok: true; readonly principal: Principal; readonly via: 'api-key' | 'anonymous'; readonly key?: string }
  | {
      readonly ok: false
      readonly code: 'credentials-missing' | 'credentials-invalid' | 'source-refused'
      readonly message: string
    }
