// Restoring undoes tokens exactly, and nothing else.
import t from 'tap'
import { array, assert, constantFrom, property, string, tuple } from 'fast-check'
import { openVault } from '../../proxy/detect/vault.ts'

const key = Buffer.alloc(32, 9)
const entity = constantFrom('email', 'us-ssn', 'jwt', 'aws-secret-access-key', 'iban')
const value = string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const between = string({ unit: constantFrom('a', 'E', 'M', '_', ' ', 'EMAIL_', 'é', '"'), maxLength: 6 })

void t.test('restoring gives back every value, whatever stands between', async () => {
  assert(
    property(array(tuple(entity, value, between), { maxLength: 10 }), (parts) => {
      const vault = openVault(key, 'p')
      const sent = parts.map(([e, v, b]) => vault.tokenFor(e, v) + b).join('')
      return vault.restore(sent) === parts.map(([, v, b]) => v + b).join('')
    }),
  )
})

void t.test('a text without issued tokens stays as it is', async () => {
  assert(
    property(array(tuple(entity, value, between), { maxLength: 10 }), (parts) => {
      const foreign = openVault(key, 'q')
      const vault = openVault(key, 'p')
      for (const [e, v] of parts) vault.tokenFor(e, v)
      const text = parts.map(([e, v, b]) => foreign.tokenFor(e, v) + b).join('')
      return vault.restore(text) === text
    }),
  )
})

void t.test('tokens are equal exactly when entity and value are', async () => {
  assert(
    property(tuple(entity, value), tuple(entity, value), (a, b) => {
      const vault = openVault(key, 'p')
      const isSame = a[0] === b[0] && a[1] === b[1]
      return (vault.tokenFor(...a) === vault.tokenFor(...b)) === isSame
    }),
  )
})
