import * as fc from 'fast-check'
import t from 'tap'
import { applyEdits, type Edit } from '../../proxy/lib/edit.ts'
import { isObject, type Json } from '../../proxy/lib/json.ts'
import type { Path } from '../../proxy/lib/pointer.ts'
import { spliceStrings } from '../../proxy/lib/splice.ts'

/** Short and alike, so that strings repeat, contain one another and stand as keys too. */
const texts = fc.string({
  unit: fc.constantFrom('a', 'b', '"', '\\', 'u', '/', ',', ':', '\n', '\u0001', '😀'),
  maxLength: 4,
})
const documents = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    texts,
    fc.constantFrom(null, true, 1, 'unlike the others'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc
      .dictionary(
        texts.filter((key) => key !== '__proto__'),
        tie('value'),
        { maxKeys: 4 },
      )
      .map((value) => ({ ...value })),
  ),
})).value

function strings(value: Json, path: Path = []): { path: Path; was: string }[] {
  if (typeof value === 'string') return [{ path, was: value }]
  if (Array.isArray(value)) return value.flatMap((item, index) => strings(item, [...path, index]))
  return isObject(value) ? Object.keys(value).flatMap((key) => strings(value[key] as Json, [...path, key])) : []
}

/** The same document with other ways of writing some characters. */
function escaped(source: string, how: number): string {
  if (how === 0) return source.replaceAll('/', '\\/')
  if (how === 1) return source.replaceAll('a', '\\u0061')
  return source
}

t.test('a string that is found by what it says is the string at the address', async (t) => {
  let spliced = 0
  fc.assert(
    fc.property(
      documents,
      fc.array(fc.tuple(fc.nat(), texts), { minLength: 1, maxLength: 3 }),
      fc.nat(8),
      (value, picks, how) => {
        const source = escaped(JSON.stringify(value), how)
        const all = strings(value)
        const known = picks.flatMap(([pick, text]) => {
          const place = all[pick % all.length]
          return place === undefined ? [] : [{ ...place, text }]
        })
        if (known.length === 0) return true
        const short = spliceStrings(source, known)
        if (short !== undefined) spliced += 1
        const unknown: Edit[] = known.map(({ path, text }) => ({ address: { path }, text }))
        const quick: Edit[] = known.map(({ path, was, text }) => ({ address: { path }, text, was }))
        const walked = applyEdits(source, unknown)
        return applyEdits(source, quick) === walked && (short === undefined || short === walked)
      },
    ),
    { numRuns: 3000 },
  )
  t.ok(spliced > 100, `${spliced} went the short way`)
})

t.test('where the place is not certain, the long way is left to decide', async (t) => {
  const one = (document: string, was: string): string | undefined => spliceStrings(document, [{ was, text: 'x' }])
  t.equal(one('{"k":"a b"}', 'a b'), '{"k":"x"}')
  t.equal(one('{"k":"a","l":"a"}', 'a'), undefined, 'twice')
  t.equal(one('{"a":"a"}', 'a'), undefined, 'as a key, too')
  t.equal(one('{"k":"\\u0061","l":"a"}', 'a'), undefined, 'written in another way, and something else like it')
  t.equal(one('{"k":"\\/","l":1}', '/'), undefined, 'an escape that is not needed')
  t.equal(one('{"k":"b"}', 'a'), undefined, 'nowhere')
  t.equal(spliceStrings('["a"]', [{ was: 'a', text: '1' }, { was: 'a', text: '2' }]), undefined, 'two edits of one string') // prettier-ignore
  t.equal(one('["a"]', 'a\ud800'), undefined, 'half a character')
  t.equal(spliceStrings('["a"]', [{ was: 'a', text: '\ud800"' }]), '["\ufffd\\""]')
})

t.test('where a search for each string takes longer than one walk, there is none', async (t) => {
  const many = Array.from({ length: 1000 }, (_, index) => ({ was: `number ${index}.`, text: 'x' }))
  const document = JSON.stringify(many.map(({ was }) => was))
  t.equal(spliceStrings(document, many), undefined, 'many strings')
  t.equal(
    spliceStrings(JSON.stringify(['a b', 'c'.repeat(100_000)]), [{ was: 'a b', text: 'x' }]),
    undefined,
    'much else',
  )
})
