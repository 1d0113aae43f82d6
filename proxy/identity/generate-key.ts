// Owns new agent keys: their form and the hash that a configuration holds of them.
import { hash, randomBytes } from 'node:crypto'

/** 256 random bits as `gw_` and base64url: a prefix that secret scanners, ours among them, can be taught. */
export function generateKey(): { readonly key: string; readonly sha256: string } {
  const key = `gw_${randomBytes(32).toString('base64url')}`
  return { key, sha256: hash('sha256', key, 'hex') }
}
