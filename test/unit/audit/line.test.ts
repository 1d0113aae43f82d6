import t from 'tap'
import { canonicalise } from '../../../proxy/lib/canonical.ts'
import { draft, firstPrev, lineBytesMax, render } from '../../../proxy/audit/line.ts'
import type { RecordFields } from '../../../proxy/audit/record.ts'

const time = '2026-11-21T00:00:00.000Z'

function written(fields: RecordFields): Record<string, unknown> {
  const line = render(draft('outcome', fields, time), 12, firstPrev)
  const value = JSON.parse(line) as Record<string, unknown>
  t.equal(canonicalise(value), line, 'the line is canonical')
  t.ok(Buffer.byteLength(line) <= lineBytesMax)
  t.match(value, { i: 12, kind: 'outcome', prev: firstPrev, t: time })
  return value
}

t.test('a line is the canonical form of the record with the members of the log', async (t) => {
  const fields = {
    z: 1,
    a: [true, null, { y: 'é', b: '\u2028' }],
    j: 'between i and kind',
    q: 'after prev',
    u: 'after t',
    A: 'first',
  }
  t.same(written(fields), { ...fields, i: 12, kind: 'outcome', prev: firstPrev, t: time })
  t.same(written({}), { i: 12, kind: 'outcome', prev: firstPrev, t: time })
})

t.test('a member may have any name', async (t) => {
  const fields = JSON.parse('{"__proto__":"x","constructor":1}') as RecordFields
  t.equal(JSON.stringify(written(fields)['constructor']), '1')
  t.match(render(draft('outcome', fields, time), 12, firstPrev), '"__proto__":"x"')
})

t.test('its length is known beforehand', async (t) => {
  const line = draft('outcome', { text: 'é€😀"\n' }, time)
  t.ok(Buffer.byteLength(render(line, Number.MAX_SAFE_INTEGER, firstPrev)) <= line.bytes)
})

t.test('later changes to the fields do not reach it', async (t) => {
  const list = ['a']
  const line = draft('outcome', { list }, time)
  list.push('b')
  t.match(render(line, 0, firstPrev), '"list":["a"]')
})

t.test('what is too long is cut, not lost', async (t) => {
  const { request, text, cut, status, big } = written({
    request: 'r-1',
    text: 'é'.repeat(70_000),
    status: 200,
    big: Array(40_000).fill(1),
  })
  t.match({ request, cut, status, big }, { request: 'r-1', cut: true, status: 200, big: undefined })
  t.equal(text, 'é'.repeat(512))
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`k${i}`, 'x'.repeat(100)]))
  t.match(written({ ...many, zzz: 1, request: 'r-2' }), { request: 'r-2', cut: true })
  const exact = lineBytesMax - Buffer.byteLength(render(draft('outcome', { text: '' }, time), 0, firstPrev)) - 15
  t.notOk('cut' in written({ text: 'x'.repeat(exact) }), 'the longest that fits is whole')
})

t.test('what has no canonical form is cut, not lost', async (t) => {
  const odd = {
    request: 'r-3',
    a: 'x\ud800y',
    b: { c: '\udc00' },
    d: Number.NaN,
    e: 1n,
    '\ud800': 1,
  } as unknown as RecordFields
  t.same(written(odd), {
    request: 'r-3',
    a: 'x\ufffdy',
    d: 'NaN',
    '\ufffd': 1,
    cut: true,
    i: 12,
    kind: 'outcome',
    prev: firstPrev,
    t: time,
  })
})

t.test('members of the log cannot be given', async (t) => {
  for (const key of ['i', 'kind', 'prev', 't'])
    t.throws(() => draft('outcome', { [key]: 1 }, time), { code: 'internal' })
})
