import t from 'tap'
import { array, assert, nat, property, string, tuple } from 'fast-check'
import { applyEdits } from '../../../proxy/lib/edit.ts'
import { readForm } from '../../../proxy/lib/form-pairs.ts'

function read(source: string, pairsMax = 1000): { json: string; write: (edited: string) => string } {
  const form = readForm(source, pairsMax)
  if (!form.ok) throw new Error(form.message)
  return form
}

t.test('a form is an object of strings, and of lists where names come again', async (t) => {
  for (const [source, value] of [
    ['a=1&b=x+y%20z', { a: '1', b: 'x y z' }],
    ['a=1&b=2&a=3', { a: ['1', '3'], b: '2' }],
    ['a&=x&&b=', { a: '', '': 'x', b: '' }],
    ['a%26b=c%3Dd=e', { 'a&b': 'c=d=e' }],
    ['user[name]=caf%C3%A9&10=a&9=b', { 'user[name]': 'café', '10': 'a', '9': 'b' }],
    ['', {}],
  ] as const)
    t.same(JSON.parse(read(source).json), value, source)
})

t.test('what cannot be one is refused, with its place', async (t) => {
  t.match(readForm('a=1&b=%4', 10), { ok: false, offset: 6 })
  t.match(readForm('a=1&b=%C3%28', 10), { ok: false, offset: 4 })
  t.match(readForm('a&b&c', 2), { ok: false, message: /more than 2/ })
  t.match(readForm('a&b', 2), { ok: true })
})

t.test('an edit changes its pair and nothing else', async (t) => {
  const { json, write } = read('x=%7e+1&to=ada%40x.org&10=a&to=b%20c&9=d&empty')
  t.equal(write(json), 'x=%7e+1&to=ada%40x.org&10=a&to=b%20c&9=d&empty')
  const edited = applyEdits(json, [
    { address: { path: ['to', 0] }, text: 'a b&ä' },
    { address: { path: ['9'] }, text: '' },
    { address: { path: ['empty'] }, text: 'e' },
    { address: { path: ['10'], key: true }, text: 'ten' },
  ])
  t.equal(write(edited), 'x=%7e+1&to=a+b%26%C3%A4&ten=a&to=b%20c&9=&empty=e')
})

t.test(
  'whatever the pairs: written back they are the same, and one that is replaced is read as what replaces it',
  async () => {
    const pairs = array(tuple(string({ unit: 'binary' }), string({ unit: 'binary' })), { minLength: 1, maxLength: 8 })
    assert(
      property(pairs, nat(7), string({ unit: 'binary' }), (all, at, text) => {
        const source = new URLSearchParams(all).toString()
        const { json, write } = read(source)
        if (write(json) !== source) return false
        const [name] = all[at % all.length] as [string, string]
        const before = (JSON.parse(json) as Record<string, string | string[]>)[name]
        const path = Array.isArray(before) ? [name, 0] : [name]
        const after = [...new URLSearchParams(write(applyEdits(json, [{ address: { path }, text }])))]
        const first = all.findIndex(([other]) => other === name)
        return after.every(([n, v], i) => n === all[i]?.[0] && v === (i === first ? text : all[i]?.[1]))
      }),
      { numRuns: 300 },
    )
  },
)
