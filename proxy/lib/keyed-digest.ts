// Owns HMAC-SHA-256 (RFC 2104) for short messages: two one-shot hashes cost a third of an Hmac object.
import { createHmac, hash } from 'node:crypto'

const blockBytes = 64
/** Above this the copy that a one-shot hash needs costs more than the object it saves. */
const oneShotBytesMax = 64 * 1024

/** Bodies of ordinary calls fit. */
const scratchBytes = 16 * 1024

/** The digest of a message as text; it has 32 bytes. */
export type KeyedDigest = (message: Uint8Array) => string

/** `key` has at most 64 bytes; the digests are in base64url. */
export function keyedDigest(key: Buffer): KeyedDigest {
  const inner = padded(key, 0x36, scratchBytes)
  const outer = padded(key, 0x5c, 32)
  return (message) => {
    if (message.length > oneShotBytesMax) return createHmac('sha256', key).update(message).digest('base64url')
    // As text, because a buffer from `hash` has memory of its own, which costs more than the hash.
    outer.write(hash('sha256', behind(inner, message), 'latin1'), blockBytes, 'latin1')
    return hash('sha256', outer, 'base64url')
  }
}

/** The padded key with room for a message behind it. */
function padded(key: Buffer, pad: number, room: number): Buffer {
  const block = Buffer.alloc(blockBytes + room, pad)
  for (const [at, byte] of key.entries()) block[at] = byte ^ pad
  return block
}

function behind(block: Buffer, message: Uint8Array): Buffer {
  const end = blockBytes + message.length
  if (end > block.length) return Buffer.concat([block.subarray(0, blockBytes), message])
  block.set(message, blockBytes)
  return block.subarray(0, end)
}
