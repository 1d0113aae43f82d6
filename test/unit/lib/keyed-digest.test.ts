import { createHmac, randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { keyedDigest } from '../../../proxy/lib/keyed-digest.ts'

t.test('it is HMAC-SHA-256, whatever the key and the message', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 300 }), (key, message) => {
      const expected = createHmac('sha256', key).update(message).digest('base64url')
      return keyedDigest(Buffer.from(key))(message) === expected
    }),
  )
  const key = randomBytes(32)
  const large = randomBytes(100_000)
  t.equal(keyedDigest(key)(large), createHmac('sha256', key).update(large).digest('base64url'))
})
