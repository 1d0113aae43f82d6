// Patterns as RE2 runs them against patterns as the language runs them, and in pieces against the whole.
import fc from 'fast-check'
import t from 'tap'
import { compilePattern, type Pattern } from '../../proxy/detect/pattern.ts'
import { runsOf } from '../support/runs.ts'

const atom = fc.constantFrom('a', 'b', '1', '\\d', '[ab]', '[^b]', '-', '\\x{61}', 'ab-', '\\w')
const bounds = fc.constantFrom('', '', '', '{2}', '{1,3}', '+', '+?', '{1,2}?')
/** Never empty, so that repeats of it mean the same everywhere. */
const solid = fc
  .tuple(atom, bounds)
  .map(([one, many]) => (one.length > 1 && one === 'ab-' ? `(?:${one})${many}` : one + many))
const optional = fc.tuple(solid, fc.boolean()).map(([one, may]) => (may ? `(?:${one})?` : one))
const sequence = fc
  .tuple(fc.constantFrom('', '', '\\b'), solid, fc.array(optional, { maxLength: 3 }), fc.constantFrom('', '', '\\b'))
  .map(([before, first, rest, after]) => before + first + rest.join('') + after)
const source = fc.oneof(
  sequence,
  fc.tuple(sequence, sequence).map(([one, other]) => `(?:${one}|${other})`),
  fc.tuple(sequence, sequence).map(([one, other]) => `(?:${one}){1,2}${other}`),
)
const text = fc
  .array(fc.constantFrom('a', 'b', '1', '2', '-', ' ', 'ab', 'ab-', '\n', '😀'), { maxLength: 30 })
  .map((parts) => parts.join(''))
/** Compiling takes far longer than matching, so a pattern is tried on several. */
const texts = fc.array(text, { minLength: 4, maxLength: 4 })

/** Those whose matches could be too long are refused, and are no example. */
function compiled(written: string): Pattern {
  const pattern = compilePattern(written)
  fc.pre(!('error' in pattern && pattern.error.startsWith('a match can be')))
  if ('error' in pattern) throw new Error(`${written}: ${pattern.error}`)
  return pattern
}

function found(pattern: Pattern, whole: string): string[] {
  const spans: string[] = []
  pattern.each(whole, 0, (start, end) => spans.push(`${start}-${end}`))
  return spans
}

t.test('matches are those of the language itself', async () => {
  fc.assert(
    fc.property(source, texts, (written, wholes) => {
      const native = new RegExp(written.replaceAll('\\x{61}', 'a'), 'gu')
      const pattern = compiled(written)
      return wholes.every((whole) => {
        const expected = [...whole.matchAll(native)].map((match) => `${match.index}-${match.index + match[0].length}`)
        return found(pattern, whole).join() === expected.join()
      })
    }),
    { numRuns: runsOf(700) },
  )
})

t.test('a match at a place is the first of those that start there', async () => {
  fc.assert(
    fc.property(source, texts, fc.nat(40), (written, wholes, at) => {
      const native = new RegExp(written.replaceAll('\\x{61}', 'a'), 'uy')
      const pattern = compiled(written)
      return wholes.every((whole) => {
        const start = Math.min(at, whole.length)
        const code = whole.charCodeAt(start)
        if (code >= 0xdc00 && code < 0xe000) return true
        native.lastIndex = start
        const match = native.exec(whole)
        const { end } = pattern.matchAt(whole, start, true)
        return end === (match === null ? -1 : start + match[0].length)
      })
    }),
    { numRuns: runsOf(700) },
  )
})

t.test('what has been decided of a beginning holds for the whole', async () => {
  fc.assert(
    fc.property(source, texts, fc.nat(40), (written, wholes, cut) => {
      const pattern = compiled(written)
      return wholes.every((whole) => {
        const beginning = whole.slice(0, cut)
        const tail = pattern.tailStart(beginning, 0)
        const decided = (spans: string[]): string => spans.filter((span) => Number.parseInt(span, 10) < tail).join()
        return decided(found(pattern, beginning)) === decided(found(pattern, whole))
      })
    }),
    { numRuns: runsOf(900) },
  )
})
