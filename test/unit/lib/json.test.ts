import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { foldKey, parseJson, parseJsonText, textsOf } from '../../../proxy/lib/json.ts'

const limits = { depthMax: 64, keysMax: 1000 }
const utf8 = new TextEncoder()
const parse = (text: string) => parseJson(utf8.encode(text), limits)

t.test('what every reader agrees on is read', async (t) => {
  const accepted = [
    '{}',
    ' [1, 2.50, -0, 1e3, "a\\u00e9\\ud83d\\ude00/"] ',
    '"x"',
    '7',
    'null',
    '{"a":{"a":1},"b":[{"a":1}]}',
  ]
  for (const text of accepted) {
    const read = parse(text)
    if (read.ok) t.same(read, { ok: true, value: JSON.parse(text), text })
    else t.fail(`${text}: ${read.message}`)
  }
})

t.test('a key that stands twice, in any spelling or case, is refused', async (t) => {
  const refused = [
    '{"model":"a","model":"b"}',
    '{"model":"a","MODEL":"b"}',
    '{"model":"a","m\\u006fdel":"b"}',
    '{"a":{"x":1,"y":{"z":1},"X":2}}',
    '{"token":1,"to\u212aen":2}',
    '{"system":1,"\u017fystem":2}',
    '{"a":1,"b":[{"c":1},{"d":1}],"a":2}',
    '{"__proto__":1,"__proto__":2}',
  ]
  for (const text of refused) {
    const read = parse(text)
    t.match(read, { ok: false, code: 'body-malformed', message: 'An object has the same key twice.' }, text)
  }
  t.ok(parse('{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}],"\u00e9":1,"e\u0301":1}').ok)
})

t.test('keys are compared in objects of any size', async (t) => {
  for (const size of [2, 15, 16, 17, 40, 500]) {
    const keys = Array.from({ length: size }, (_, index) => `"key${index}":0`)
    t.ok(parse(`{${keys.join(',')}}`).ok, `${size} keys`)
    for (const twin of ['"KEY0":0', `"Key${size - 1}":0`, '"k\\u0065y1":0']) {
      t.notOk(parse(`{${[...keys, twin].join(',')}}`).ok, `${size} keys and ${twin}`)
    }
  }
})

t.test('keys whose hashes meet are still different keys', async (t) => {
  // 31 * 48 + 126 = 31 * 49 + 95
  t.ok(parse('{"0~":1,"1_":2}').ok)
  t.notOk(parse('{"0~":1,"1_":2,"0~":3}').ok)
})

t.test('surrogates come in pairs', async (t) => {
  for (const text of [
    '"\\ud800"',
    '"\\udc00"',
    '"\\ud800\\n"',
    '"\\ud800\\ud800"',
    '"\\udc00\\ud800"',
    '{"\\ud83d":1}',
  ]) {
    t.notOk(parse(text).ok, text)
  }
  for (const text of ['"\\ud83d\\ude00"', '"\\\\ud800"', '"\\\\\\\\ud800"']) t.ok(parse(text).ok, text)
  t.notOk(parseJsonText('"\ud800"', limits).ok)
})

t.test('bytes must be UTF-8 without a mark', async (t) => {
  const rows: [string, number[]][] = [
    ['mark', [0xef, 0xbb, 0xbf, 0x7b, 0x7d]],
    ['invalid', [0x22, 0xff, 0x22]],
    ['overlong', [0x22, 0xc1, 0xa4, 0x22]],
    ['surrogate', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['UTF-16LE', [0x7b, 0, 0x7d, 0]],
    ['UTF-16BE', [0, 0x7b, 0, 0x7d]],
    ['UTF-32', [0x37, 0, 0, 0]],
    ['nothing', []],
  ]
  for (const [name, bytes] of rows) t.notOk(parseJson(Uint8Array.from(bytes), limits).ok, name)
})

t.test('a number that a double cannot hold is refused', async (t) => {
  for (const text of ['1e400', '-1e400', '[1e-400]', `1${'0'.repeat(400)}`, 'NaN', '[Infinity]'])
    t.notOk(parse(text).ok, text)
  for (const text of ['0e-400', '0.0e999', '1e308', '5e-324', `0.${'0'.repeat(300)}1`, '12345678901234567890'])
    t.ok(parse(text).ok, text)
})

t.test('depth and size are limited, and depth cannot break anything', async (t) => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  t.ok(parse(nested(64)).ok)
  t.match(parse(nested(65)), { ok: false, code: 'body-too-deep', offset: 64 })
  t.match(parse('{"a":'.repeat(100_000)), { ok: false, code: 'body-too-deep' })
  t.match(parse('['.repeat(1_000_000)), { ok: false, code: 'body-too-deep' })
  t.match(parse(']'.repeat(1000)), { ok: false, code: 'body-malformed' })
  const members = (count: number) => `{${Array.from({ length: count }, (_, index) => `"k${index}":0`).join(',')}}`
  t.ok(parse(members(1000)).ok)
  t.match(parse(members(1001)), { ok: false, code: 'body-malformed' })
})

t.test('a refusal tells the place, not the content', async (t) => {
  const read = parse('{"secret" 1}')
  t.match(read, { ok: false, message: 'Not valid JSON.', offset: 10 })
  for (const text of ['{"a":hunter2}', '["hunter2\\x"]', 'hunter2', '{"hunter2":1,"hunter2":2}']) {
    const refused = parse(text)
    if (refused.ok) t.fail(text)
    else t.notMatch(refused.message, /hunter/)
  }
})

t.test('keys fold as the laxest reader folds them', async (t) => {
  t.equal(foldKey('MoDel'), 'model')
  t.equal(foldKey('\u017f\u212a'), 'sk')
})

t.test('B10: an array has ten times as many items as an object may have members, and not one more', async (t) => {
  const list = (count: number): Uint8Array =>
    Buffer.from(`{"a":[[],${Array.from({ length: count - 1 }, () => '0').join()}]}`)
  t.ok(parseJson(list(10_000), limits).ok)
  t.match(parseJson(list(10_001), limits), { ok: false, code: 'body-malformed' })
  t.ok(
    parseJson(Buffer.from(`[${Array.from({ length: 300 }, () => '[0,0,0,0]').join()}]`), limits).ok,
    'each by itself',
  )
})

t.test('the texts of a value are its strings and keys', async (t) => {
  t.same(textsOf({ a: ['x', { b: 'y', c: 1 }], d: null }).sort(), ['a', 'b', 'c', 'd', 'x', 'y'])
  t.same(textsOf('only'), ['only'])
})

const vectors = new URL('../../../../shared/vectors/', import.meta.url)
const skip = existsSync(vectors) ? false : 'shared/ is absent'
type Row = { readonly name: string; readonly expect: string; readonly bytes: Uint8Array }

function rows(file: string): Row[] {
  const lines = readFileSync(new URL(file, vectors), 'utf8').trim().split('\n')
  return lines.map((line) => {
    const row = JSON.parse(line) as { file?: string; id?: string; expect: string; body_b64: string }
    return { name: row.file ?? row.id ?? '', expect: row.expect, bytes: Buffer.from(row.body_b64, 'base64') }
  })
}

t.test('JSONTestSuite', { skip }, async (t) => {
  // Valid by the grammar, and without one meaning.
  const ambiguous = /y_object_duplicated_key/
  for (const { name, expect, bytes } of rows('json/jsontestsuite.jsonl')) {
    const read = parseJson(bytes, limits)
    if (expect === 'n') t.notOk(read.ok, name)
    if (expect === 'y') t.equal(read.ok, !ambiguous.test(name), name)
    if (read.ok) t.same(read.value, JSON.parse(Buffer.from(bytes).toString()), name)
  }
})

t.test('whatever other readers make of a body differently is refused', { skip }, async (t) => {
  const refused = [
    'dup-model',
    'dup-model-rev',
    'case-model',
    'esc-dup',
    'utf16le',
    'utf16be',
    'utf16le-bom',
    'utf32le',
    'utf8-bom',

    'overlong',
    'invalid-utf8',
    'lone-surr',
    'dup-lone-surr',
    'comment',
    'trailing',
    'ndjson',
    'nan',
    'inf',
    'bigexp',
    'proto-dup',
    'leadzero',
    'hex',
    'ctl-in-string',
    'empty',
    'ws-nbsp',
    'deep-100',
    'deep-100000',
  ]
  const accepted = [
    'kelvin-key',
    'longs-model',
    'esc-key',
    'nul-key',
    'big',
    'negzero',
    'proto',
    'ctor',
    'del',
    'u2028',
  ]
  const read = new Map(
    rows('probes/json-differential.jsonl').map(({ name, bytes }) => [name, parseJson(bytes, limits).ok]),
  )
  for (const name of refused) t.equal(read.get(`custom/${name}`), false, name)
  for (const name of accepted) t.equal(read.get(`custom/${name}`), true, name)
})

t.test('published UTF-8: valid sequences are read as they are, invalid ones refused', { skip }, async (t) => {
  const lines = readFileSync(new URL('text/utf8tests.txt', vectors), 'utf8').split('\n')
  let valid = 0
  let invalid = 0
  for (const line of lines) {
    const [, name, verdict, hex, plain] = /^([\d.]+):(valid|invalid)(?: hex:([0-9a-fA-F ]+)|:(.*))/.exec(line) ?? []
    if (name === undefined) continue
    const bytes = hex === undefined ? Buffer.from(plain ?? '') : Buffer.from(hex.replaceAll(' ', ''), 'hex')
    // Control characters, quotes and backslashes are JSON's to refuse, whatever they are in UTF-8.
    if (bytes.some((byte) => byte < 0x20 || byte === 0x22 || byte === 0x5c)) continue
    const read = parseJson(Buffer.concat([Buffer.from('["'), bytes, Buffer.from('"]')]), limits)
    if (verdict === 'valid') valid += 1
    else invalid += 1
    t.equal(read.ok, verdict === 'valid', name)
    if (read.ok) t.same(read.value, [bytes.toString()], name)
  }
  t.ok(valid > 20 && invalid > 40, `${valid} valid, ${invalid} invalid`)
})

t.test('a key with escapes is never taken for another one that stood in its place before', async (t) => {
  const read = (text: string): unknown => {
    const reading = parseJsonText(text, limits)
    return reading.ok ? Object.entries(reading.value as object) : reading.message
  }
  for (const written of ['n', 'u0041', '"', '/', 'u0061']) {
    read('{"first":"","\\\\":1}')
    read('{"first":"","forc\\\\":1}')
    t.same(read(`{"first":"","\\${written}":[1]}`), [
      ['first', ''],
      [JSON.parse(`"\\${written}"`), [1]],
    ])
    t.same(read(`{"first":"","forc\\${written}":[1]}`), [
      ['first', ''],
      [JSON.parse(`"forc\\${written}"`), [1]],
    ])
  }
})

t.test('a document with an escaped key is read as JSON.parse reads it otherwise', async (t) => {
  const texts = [
    ' { "\\u0061" : [ 1 , -2.50e1, "x\\"y\\\\", { } , [ ] ,null,true, false ] , "b":"" }\n',
    '{"\\t":{"__proto__":{"a":1},"é\\ud83d\\ude00":"\\ud83d\\ude00"},"constructor":0}',
    '[[{"\\\\":"\\\\","c\\"":"{}[],:"}]]',
  ]
  for (const text of texts) {
    const reading = parse(text)
    t.ok(reading.ok)
    if (!reading.ok) continue
    t.equal(JSON.stringify(reading.value), JSON.stringify(JSON.parse(text)))
    t.notOk('a' in (Object.getPrototypeOf(reading.value) as object))
  }
})
