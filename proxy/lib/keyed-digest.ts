// Owns HMAC-SHA-256 (RFC 2104) for short messages: two one-shot hashes cost a third of an Hmac object.
import { createHmac, hash } from 'node:crypto'

const blockBytes = 64
/** Above this the copy that a one-shot hash needs costs more than the object it saves. */
const oneShotBytesMax = 64 * 1024

/** Bodies of ordinary calls fit. */
const scratchBytes = 16 * 1024

/** `key` has at most 64 bytes; the digest has 32. */
export function keyedDigest(key: Buffer): (message: Uint8Array) => Buffer {
  const inner = padded(key, 0x36, scratchBytes)
  const outer = padded(key, 0x5c, 32)
  return (message) => {
    if (message.length > oneShotBytesMax) return createHmac('sha256', key).update(message).digest()
    outer.set(hash('sha256', behind(inner, message), 'buffer'), blockBytes)
    return hash('sha256', outer, 'buffer')
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
