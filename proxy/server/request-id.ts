// Owns the names of exchanges: 128 random bits each, drawn in batches.
import { randomFillSync } from 'node:crypto'

const idBytes = 16
const pool = Buffer.alloc(256 * idBytes)
let at = pool.length

/** `req_` and 32 hexadecimal digits. */
export function newRequestId(): string {
  if (at === pool.length) {
    randomFillSync(pool)
    at = 0
  }
  const id = pool.toString('hex', at, at + idBytes)
  at += idBytes
  return `req_${id}`
}
