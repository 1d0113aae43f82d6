import * as fc from 'fast-check'
import t from 'tap'
import { foldKey, parseJson, parseJsonText } from '../../proxy/lib/json.ts'

const limits = { depthMax: 64, keysMax: 1000 }

t.test('what has one meaning is read as JSON.parse reads it', async () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.nat(4), (source, indent) => {
      const value: unknown = JSON.parse(source)
      if (hasTwins(value)) return true
      const text = JSON.stringify(value, null, indent)
      const read = parseJsonText(text, limits)
      return read.ok && JSON.stringify(read.value) === JSON.stringify(value)
    }),
    { numRuns: 1000 },
  )
})

/** Text made of JSON's own pieces: mostly wrong in some interesting way. */
const pieces = fc
  .array(
    fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '"A"',
      '"\\u0061"',
      '1',
      '-',
      '1e999',
      'true',
      ' ',
      '\\ud800',
      'é',
    ),
    { maxLength: 30 },
  )
  .map((list) => list.join(''))

t.test('nothing is read that JSON.parse refuses, and nothing throws', async () => {
  fc.assert(
    fc.property(pieces, (text) => {
      const read = parseJsonText(text, limits)
      return !read.ok || JSON.stringify(read.value) === JSON.stringify(JSON.parse(text))
    }),
    { numRuns: 5000 },
  )
  fc.assert(fc.property(fc.uint8Array(), (bytes) => typeof parseJson(bytes, limits).ok === 'boolean'))
})

const names = fc.string({ unit: fc.constantFrom('a', 'A', 'b', '\\', '"', 'é', '\u212a', 'k'), maxLength: 3 })

t.test('objects are refused exactly when two keys fold to one', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.boolean()), { maxLength: 24 }), (members) => {
      const source = members.map(([name, escaped]) => `${escaped ? escapeAll(name) : JSON.stringify(name)}:{"a":0}`)
      const folded = new Set(members.map(([name]) => foldKey(name)))
      return parseJsonText(`{${source.join()}}`, limits).ok === (folded.size === members.length)
    }),
    { numRuns: 2000 },
  )
})

function escapeAll(name: string): string {
  const units = Array.from({ length: name.length }, (_, at) => name.charCodeAt(at).toString(16).padStart(4, '0'))
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`
}

function hasTwins(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const keys = Array.isArray(value) ? [] : Object.keys(value)
  return new Set(keys.map(foldKey)).size < keys.length || Object.values(value).some(hasTwins)
}
