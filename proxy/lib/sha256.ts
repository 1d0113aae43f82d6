// Owns the one-shot SHA-256 (FIPS 180-4) of short inputs, as bytes.
import { hash } from 'node:crypto'

/** By way of a string of bytes: a buffer from `hash` has memory of its own, which costs more than the hash. */
export function sha256(input: Uint8Array): Buffer {
  return Buffer.from(hash('sha256', input, 'latin1'), 'latin1')
}
