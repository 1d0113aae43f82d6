import * as fc from 'fast-check'
import t from 'tap'
import {
  keysInQuery,
  presentedKey,
  withoutKeyFields,
  withoutKeyHeaders,
  withoutRepeatingFields,
  withoutRepeats,
} from '../../../proxy/identity/credentials.ts'

t.test('nothing that may have carried the key is left, and all else is as it was', async (t) => {
  const carriers = ['AUTHORIZATION', 'X-API-Key', 'Api-Key', 'x-goog-api-key', 'x-api-key', 'Proxy-Authorization']
  const others = ['Cookie', 'a=b', 'X-Api-Keys', 'kept', 'anthropic-version', '2023-06-01']
  const headers = ['Host', 'gw', ...carriers.flatMap((name) => [name, 'Bearer k']), ...others]
  t.same(withoutKeyHeaders(headers), ['Host', 'gw', ...others])
  for (const [query, expected] of [
    ['key=abc', ''],
    ['alt=sse&key=abc', 'alt=sse'],
    ['key=abc&alt=sse', 'alt=sse'],
    ['a=%2f+%2F&key=abc&b=&&c', 'a=%2f+%2F&b=&&c'],
    ['key=a&key=b&%6bey=c&k%65%79=d&key', ''],
    ['keys=1&monkey=2&KEY=3&%zz=4&key%=5', 'keys=1&monkey=2&KEY=3&%zz=4&key%=5'],
    ['a=key&b=key=c', 'a=key&b=key=c'],
  ] as const) {
    t.equal(withoutKeyFields(query), expected, query)
  }
})

t.test('what was stripped presents nothing any more', async () => {
  const name = fc.constantFrom('authorization', 'X-Api-Key', 'api-key', 'x-goog-api-key', 'accept', 'x-key')
  const headers = fc.array(fc.tuple(name, fc.string()), { maxLength: 6 }).map((pairs) => pairs.flat())
  const field = fc.oneof(
    fc.string(),
    fc.stringMatching(/^(k|%6b)(e|%65)(y|%79)=.*$/),
    fc.constantFrom('key', 'key=', '&', 'a=b'),
  )
  const query = fc.array(field, { maxLength: 5 }).map((fields) => fields.join('&'))
  fc.assert(
    fc.property(headers, query, (headers, query) => {
      const stripped = { headers: withoutKeyHeaders(headers), query: withoutKeyFields(query) }
      return (
        presentedKey(stripped.headers, stripped.query).kind === 'none' &&
        keysInQuery(stripped.query).length === 0 &&
        withoutKeyFields(stripped.query) === stripped.query &&
        withoutKeyHeaders(stripped.headers).length === stripped.headers.length &&
        !new URLSearchParams(stripped.query).has('key')
      )
    }),
    { numRuns: 1000 },
  )
})

t.test('what stands in a query where a key may stand', async (t) => {
  t.same(keysInQuery('a=1&key=x&%6bey=%79&key=&key&keys=z'), ['x', 'y'])
  t.same(keysInQuery(''), [])
})

t.test('what repeats a key is dropped, and all else is as it was', async (t) => {
  const headers = ['host', 'gw', 'Cookie', 'a=gw_ada_1815; b=c', 'x-own', 'gw_ada', 'x-agent', 'gw_ada_1815']
  t.same(withoutRepeats(headers, 'gw_ada_1815'), ['host', 'gw', 'x-own', 'gw_ada'])
  t.equal(withoutRepeats(headers, 'gw_bob_1815'), headers)
  t.equal(withoutRepeats(headers, 'gw'), headers, 'a short key stands in other words by chance')
  t.equal(withoutRepeatingFields('a=%2f&token=%67w_ada_1815&b', 'gw_ada_1815'), 'a=%2f&b')
  t.equal(withoutRepeatingFields('gw_ada_1815=1', 'gw_ada_1815'), '')
  t.equal(withoutRepeatingFields('a=%zz&b=%2F&&c', 'gw_ada_1815'), 'a=%zz&b=%2F&&c')
})
