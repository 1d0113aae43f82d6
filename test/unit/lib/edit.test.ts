import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import type { Edit } from '../../../proxy/lib/edit.ts'
import { sourcesAt } from '../../../proxy/lib/json-source.ts'

const set = (path: (string | number)[], text: string): Edit => ({ address: { path }, text })
const remove = (...path: (string | number)[]): Edit => ({ address: { path }, remove: true })
const rename = (path: (string | number)[], text: string): Edit => ({ address: { path, key: true }, text })

t.test('what is not edited stays byte for byte', async (t) => {
  const text = ' {"n" : 12345678901234567890, "e":1E+2,\n "s":"\\u0061\\/", "t": ["x" , "y"] }\n'
  t.equal(applyEdits(text, []), text)
  t.equal(applyEdits(text, [set(['t', 1], 'z')]), text.replace('"y"', '"z"'))
  t.equal(applyEdits(text, [set(['n'], '[N]')]), text.replace('12345678901234567890', '"[N]"'))
  t.equal(applyEdits(text, [set(['s'], 'a"\\\n')]), text.replace('"\\u0061\\/"', '"a\\"\\\\\\n"'))
})

t.test('many edits, in any order, are one pass', async (t) => {
  const text = '{"a":["1","2"],"b":{"c":"3"}}'
  const edits = [set(['b', 'c'], 'C'), set(['a', 1], 'B'), set(['a', 0], 'A'), rename(['b'], 'd')]
  t.equal(applyEdits(text, edits), '{"a":["A","B"],"d":{"c":"C"}}')
  t.equal(applyEdits(text, edits.reverse()), '{"a":["A","B"],"d":{"c":"C"}}')
  t.equal(applyEdits('"root"', [set([], 'x')]), '"x"')
  t.equal(applyEdits(' 4111111111111111 ', [set([], 'x')]), ' "x" ')
})

t.test('embedded JSON is edited inside its string', async (t) => {
  const inner = '{"to":"ada\\"","n":1.50,"k@x":{"v":[1]}}'
  const text = JSON.stringify({ arguments: inner, other: inner })
  const at = (steps: (string | number)[], more: { key?: true }): Edit => ({
    address: { path: ['arguments'], inner: steps, ...more },
    text: 'X"Y',
  })
  const edited = applyEdits(text, [at(['to'], {}), at(['k@x'], { key: true }), at(['k@x', 'v', 0], {})])
  const expected = '{"to":"X\\"Y","n":1.50,"X\\"Y":{"v":["X\\"Y"]}}'
  t.equal(edited, `{"arguments":${JSON.stringify(expected)},"other":${JSON.stringify(inner)}}`)
  const whole: Edit = { address: { path: ['a'], inner: [] }, text: 'x' }
  t.equal(applyEdits('{"a":"\\"y\\""}', [whole]), '{"a":"\\"x\\""}')
  const deep = JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ c: JSON.stringify([1, 'x']), d: 2 }) }) })
  const deepest: Edit = { address: { path: ['a'], inner: ['b'], deeper: [['c'], [1]] }, text: 'X"Y' }
  const key: Edit = { address: { path: ['a'], inner: ['b'], deeper: [['d']], key: true }, text: 'e' }
  const written = { a: JSON.stringify({ b: JSON.stringify({ c: JSON.stringify([1, 'X"Y']), e: 2 }) }) }
  t.equal(applyEdits(deep, [deepest, key]), JSON.stringify(written))
  const gone: Edit = { address: { path: ['a'], inner: [0] }, remove: true }
  t.equal(applyEdits('{"a":"[1,2]"}', [gone]), '{"a":"[2]"}')
})

t.test('removing takes a comma along', async (t) => {
  const array = '[1, 2 ,3]'
  const rows: [string, Edit[], string][] = [
    [array, [remove(0)], '[2 ,3]'],
    [array, [remove(1)], '[1 ,3]'],
    [array, [remove(2)], '[1, 2]'],
    [array, [remove(0), remove(1)], '[3]'],
    [array, [remove(1), remove(2)], '[1]'],
    [array, [remove(0), remove(2)], '[2]'],
    [array, [remove(0), remove(1), remove(2)], '[]'],
    ['{"a":1,"b":{"c":2},"d":3}', [remove('b')], '{"a":1,"d":3}'],
    ['{"a":1,"b":{"c":2}}', [remove('a'), remove('b', 'c')], '{"b":{}}'],
    ['{"tools":[{"x":"1"},{"x":"2"}]}', [remove('tools', 0), set(['tools', 1, 'x'], 'y')], '{"tools":[{"x":"y"}]}'],
  ]
  for (const [text, edits, expected] of rows) t.equal(applyEdits(text, edits), expected, JSON.stringify(edits))
})

t.test('JSON replaces whatever stands there, or becomes a new last member', async (t) => {
  const json = (path: (string | number)[], value: string): Edit => ({ address: { path }, json: value })
  const rows: [string, Edit[], string][] = [
    ['{"a":null,"b":{"c":1}}', [json(['a'], '{"x":1.50}'), json(['b'], '"t"')], '{"a":{"x":1.50},"b":"t"}'],
    ['[1,{"a":2}]', [json([1], '[]'), set([1, 'a'], 'x')], '[1,[]]'],
    ['{}', [json(['a'], '1'), json(['b"'], '2')], '{"a":1,"b\\"":2}'],
    ['{"a":1 }', [json(['b'], '2')], '{"a":1 ,"b":2}'],
    ['{"a":1}', [remove('a'), json(['b'], '2')], '{"b":2}'],
    ['{"a":{"b":1},"c":2}', [remove('a', 'b'), json(['a', 'd'], '3'), remove('c')], '{"a":{"d":3}}'],
    ['"x"', [json([], '{}')], '{}'],
  ]
  for (const [text, edits, expected] of rows) t.equal(applyEdits(text, edits), expected, text)
  t.throws(() => applyEdits('{"a":1}', [json(['b', 'c'], '1')]), 'there is no object to add it to')
  t.throws(() => applyEdits('[1]', [json([1], '1')]), 'lists do not grow')
})

t.test('renamed keys stay different from each other', async (t) => {
  const text = '{"a@x":1,"b@x":2,"[EMAIL]":3,"[email]_2":4}'
  const edited = applyEdits(text, [rename(['a@x'], '[EMAIL]'), rename(['b@x'], '[EMAIL]')])
  t.equal(edited, '{"[EMAIL]_3":1,"[EMAIL]_4":2,"[EMAIL]":3,"[email]_2":4}')
  t.equal(applyEdits('{"a@x":"1"}', [rename(['a@x'], 'k'), set(['a@x'], 'v')]), '{"k":"v"}')
  t.equal(applyEdits('{"a@x":1,"b":2}', [rename(['a@x'], 'b'), remove('b')]), '{"b":1}')
})

t.test('edits that meet have an order', async (t) => {
  const text = '{"a":{"b":"1"},"c":"[\\"2\\"]"}'
  t.equal(applyEdits(text, [set(['a', 'b'], 'x'), remove('a')]), '{"c":"[\\"2\\"]"}')
  t.equal(applyEdits(text, [set(['a', 'b'], 'x'), set(['a', 'b'], 'y')]), '{"a":{"b":"y"},"c":"[\\"2\\"]"}')
  const inside: Edit = { address: { path: ['c'], inner: [0] }, text: 'x' }
  t.equal(applyEdits(text, [inside, set(['c'], 'whole')]), '{"a":{"b":"1"},"c":"whole"}')
})

t.test('an edit is never silently lost', async (t) => {
  const text = '{"a":{"b":"1"},"c":[1],"d":true,"e":7}'
  const lost: Edit[] = [
    set(['x'], ''),
    set(['a'], ''),
    set(['c'], ''),
    set(['d'], ''),
    set(['c', 1], ''),
    set(['c', '0'], ''),
    set(['a', 'b', 'c'], ''),
    rename(['c', 0], ''),
    rename(['x'], ''),
    rename([], ''),
    remove('x'),
    remove(),
    { address: { path: ['e'], inner: [0] }, text: '' },
  ]
  for (const edit of lost) t.throws(() => applyEdits(text, [edit]), JSON.stringify(edit))
})

t.test('what is written is well-formed', async (t) => {
  t.equal(applyEdits('["a"]', [set([0], 'x\ud83d')]), '["x\ufffd"]')
})

t.test('sources are what was written', async (t) => {
  const text = ' {"a":[1.50, {"b": 12345678901234567890}],"c":"x\\n" , "d":{} }'
  const paths = [['c'], ['a', 1, 'b'], ['a', 0], ['a', 1], ['x'], ['d', 'y'], ['a', 0]]
  const sources = [
    '"x\\n"',
    '12345678901234567890',
    '1.50',
    '{"b": 12345678901234567890}',
    undefined,
    undefined,
    '1.50',
  ]
  t.same(sourcesAt(text, paths), sources)
  t.same(sourcesAt('7', [[]]), ['7'])
})

t.test('thousands of keys that get one name are numbered in their order', async (t) => {
  const keys = Array.from({ length: 8000 }, (_, index) => `k${index}@x`)
  const text = JSON.stringify(Object.fromEntries(keys.map((key) => [key, 1])))
  const edits = keys.map((key) => rename([key], '[EMAIL]'))
  const names = Object.keys(JSON.parse(applyEdits(text, edits)) as object)
  t.same(names, ['[EMAIL]', ...Array.from({ length: 7999 }, (_, index) => `[EMAIL]_${index + 2}`)])
})
