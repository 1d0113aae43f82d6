import t from 'tap'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import { readLines } from '../../../proxy/lib/json-lines.ts'

const limits = { depthMax: 4, keysMax: 10 }

t.test('lines are the elements of a list, and keep their place and their text', async (t) => {
  const source = ' {"a": 1.0}\r\n\n\t["x",{"b":"y"}] \n"z"'
  const lines = readLines(source, limits)
  if (!lines.ok) throw new Error(lines.message)
  t.equal(lines.json, '[{"a": 1.0},["x",{"b":"y"}],"z"]')
  t.equal(lines.write(lines.json), source)
  const edited = applyEdits(lines.json, [
    { address: { path: [1, 1, 'b'] }, text: 'Y\n' },
    { address: { path: [2] }, text: 'Z' },
  ])
  t.equal(lines.write(edited), ' {"a": 1.0}\r\n\n\t["x",{"b":"Y\\n"}] \n"Z"')
  t.match(readLines('', limits), { ok: true, json: '[]' })
  t.match(readLines('\n\n', limits), { ok: true, json: '[]' })
})

t.test('each line is one value by itself', async (t) => {
  for (const [source, line] of [
    ['{"a":1}\n{"b":', 2],
    ['1,2\n[3\n4]', 1],
    ['[1\n2]', 1],
    ['1],[2', 1],
    ['{"a":1} {"b":2}', 1],
    ['\u00a0{"a":1}', 1],
    ['\ufeff{"a":1}', 1],
    ['{"a":1,"A":2}', 1],
  ] as const)
    t.match(readLines(source, limits), { ok: false, code: 'body-malformed', line }, source)
  t.match(readLines('{}\n[[[[[1]]]]]', limits), { ok: false, code: 'body-too-deep', line: 2 })
})

t.test('no more lines than an array may have items; blank ones cost nothing', async (t) => {
  t.match(readLines('1\n'.repeat(100), limits), { ok: true })
  t.match(readLines('\n1'.repeat(101), limits), { ok: false, code: 'body-malformed', line: 102 })
  const blank = ' \r\n'.repeat(1000)
  const lines = readLines(`${blank}1${blank}`, limits)
  t.equal(lines.ok && lines.write('["x"]'), `${blank}"x"${blank}`)
})
