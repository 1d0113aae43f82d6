// How many tokens texts are taken to make, against what tokenisers make of them.
import t from 'tap'
import fc from 'fast-check'
import { tokensOf } from '../../../proxy/pipeline/token-estimate.ts'

/**
 * The most that one of the large tokenisers is known to make of each, by what is written about them: bytes are the bound of all,
 * three figures are one token or three, and what vocabularies have little of is read byte by byte.
 */
const known: readonly [string, string, number][] = [
  ['prose', 'The quick brown fox jumps over the lazy dog, and nobody minds.', 14],
  ['figures one by one', '3141592653589793', 16],
  ['Han, a token and a half each', '今天天气很好我们去公园散步', 19],
  ['Hangul', '안녕하세요만나서반갑습니다', 19],
  ['kana', 'こんにちはありがとうございます', 22],
  ['Tamil, two each', 'வணக்கம்', 14],
  ['Arabic', 'مرحبا بالعالم', 13],
  ['emoji, three each', '😀🎉🚀', 9],
  ['emoji that are joined', '👩‍👩‍👧‍👦', 15],
  ['flags', '🇩🇪🇫🇷', 12],
  ['random base64, 1.4 characters a token', 'kJ8vQ2xZr0PqLmT5wYbN3cHdF7gA1sUe', 23],
  ['random hex, 1.3 characters a token', '9f86d081884c7d659a2feaa0c55ad015', 24],
  ['JSON', '{"a":1,"b":[2,3],"c":{"d":null}}', 22],
  ['code', 'for (let i=0;i<n;++i){a[i]+=b[i]*c;}', 24],
]

t.test('never fewer than the greediest makes', async (t) => {
  for (const [what, text, tokens] of known) t.ok(tokensOf(text) >= tokens, `${what}: ${tokensOf(text)} >= ${tokens}`)
})

t.test('prose does not cost many times what it makes', async (t) => {
  const prose = 'A gateway stands between an agent and what it calls, and says of each call whether it may be made. '
  t.ok(tokensOf(prose.repeat(10)) <= (prose.length * 10) / 2.5, 'English')
  t.equal(tokensOf(''), 0)
  t.equal(tokensOf('hi'), 1)
  t.ok(tokensOf('今天'.repeat(50)) <= 150, 'Han')
})

t.test('no text makes more tokens than it has bytes, and two make what both make', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      const both = tokensOf(a + b)
      return tokensOf(a) <= Buffer.byteLength(a) && both <= tokensOf(a) + tokensOf(b) && both >= tokensOf(a)
    }),
    { numRuns: 200 },
  )
})
