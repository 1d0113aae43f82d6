import t from 'tap'
import { canonicalise } from '../../../proxy/lib/canonical.ts'
import { absent, jsonLines, vector } from '../audit/support.ts'

t.test('keys are sorted by UTF-16 code units at every level', async (t) => {
  t.equal(canonicalise({ b: 1, a: { d: 1, c: [2, { z: 1, y: 2 }] } }), '{"a":{"c":[2,{"y":2,"z":1}],"d":1},"b":1}')
  t.equal(canonicalise({ '10': 1, '9': 2, a: 3, A: 4 }), '{"10":1,"9":2,"A":4,"a":3}', 'not as numbers, not as locale')
  t.equal(canonicalise({ '\u{1F600}': 1, '\uFB33': 2 }), '{"\u{1F600}":1,"\uFB33":2}', 'surrogates sort below U+FB33')
  t.equal(canonicalise(JSON.parse('{"__proto__":1,"a":2}')), '{"__proto__":1,"a":2}')
})

t.test('numbers, strings and literals have one form', async (t) => {
  t.equal(
    canonicalise([-0, 1e21, 1e-7, 0.000001, 5.0, 333333333.3333333]),
    '[0,1e+21,1e-7,0.000001,5,333333333.3333333]',
  )
  t.equal(
    canonicalise('\b\t\n\f\r"\\/\u0000\u001f\u007f\u2028é'),
    '"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\u007f\u2028é"',
  )
  t.equal(canonicalise([null, true, false, '', [], {}]), '[null,true,false,"",[],{}]')
  t.equal(canonicalise({ a: undefined, b: 1 }), '{"b":1}')
})

t.test('what has no canonical form is refused', async (t) => {
  for (const bad of [Number.NaN, Infinity, -Infinity, '\ud800', { '\udc00': 1 }, [undefined], undefined, 1n, () => 1]) {
    t.throws(() => canonicalise(bad), TypeError)
  }
})

const rows = vector('json/jcs-rfc8785.jsonl')
t.test('published vectors', { skip: rows === undefined && absent }, async (t) => {
  for (const { name, input_b64, output_b64 } of jsonLines<{ name: string; input_b64: string; output_b64: string }>(
    rows ?? '',
  )) {
    const value: unknown = JSON.parse(Buffer.from(input_b64, 'base64').toString())
    t.equal(canonicalise(value), Buffer.from(output_b64, 'base64').toString(), name)
  }
})
