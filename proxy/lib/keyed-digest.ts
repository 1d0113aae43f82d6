// Owns HMAC-SHA-256 (RFC 2104) for short messages: two one-shot hashes cost a third of an Hmac object.
import { createHmac, hash } from 'node:crypto'

const blockBytes = 64
/** Above this the copy that a one-shot hash needs costs more than the object it saves. */
const oneShotBytesMax = 64 * 1024

/** `key` has at most 64 bytes; the digest has 32. */
export function keyedDigest(key: Buffer): (message: Uint8Array) => Buffer {
  const inner = padded(key, 0x36)
  const outer = padded(key, 0x5c)
  return (message) => {
    if (message.length > oneShotBytesMax) return createHmac('sha256', key).update(message).digest()
    return hash('sha256', Buffer.concat([outer, hash('sha256', Buffer.concat([inner, message]), 'buffer')]), 'buffer')
  }
}

function padded(key: Buffer, pad: number): Buffer {
  const block = Buffer.alloc(blockBytes, pad)
  for (const [at, byte] of key.entries()) block[at] = byte ^ pad
  return block
}
