// Whatever pieces a text arrives in, the operator's own detectors find what they find in the whole.
import fc from 'fast-check'
import t from 'tap'
import { compileDetectors } from '../../proxy/detect/custom.ts'
import type { RedactionRuleOptions } from '../../proxy/detect/options.ts'
import { compileRedaction } from '../../proxy/detect/redaction.ts'
import { compileScanner, type Scanner } from '../../proxy/detect/scanner.ts'
import { openWindow } from '../../proxy/detect/window.ts'

const { catalogue, problems } = compileDetectors(
  [
    { id: 'employee', pattern: 'EMP-\\d{4}' },
    { id: 'bounded', pattern: '\\b[A-Z]{2}\\d{2,4}\\b' },
    { id: 'open', pattern: 'q[a-c]+' },
    { id: 'lazy', pattern: '<.{1,6}?>' },
    { id: 'checked', pattern: '\\d{4}', validator: 'luhn' },
    { id: 'near', pattern: '\\d{3}', context: ['staff'], contextBefore: 12 },
    { id: 'ending', pattern: 'zz$' },
    { id: 'words', words: ['Blue Heron', 'heron', 'Ünder', 'Ünder Blue', 'C++'] },
  ],
  [],
)
const names = ['employee', 'bounded', 'open', 'lazy', 'checked', 'near', 'ending', 'words', 'email', 'phone']
const scanner = compileScanner(new Set(names), catalogue.detectors)

const snippets = fc.constantFrom(
  // prettier-ignore
  'EMP-',
  'EMP-1234',
  'AB12',
  'AB123',
  'qabcabc',
  'q',
  '<abc>',
  '<',
  '>',
  '1234',
  '5674',
  '18',
  'staff ',
  '123',
  'zz',
  // prettier-ignore
  'blue',
  ' ',
  '\n',
  '\u3000       ',
  'heron',
  'Heron',
  'Ünder',
  'ünde',
  'r',
  'C+',
  '+',
  'a',
  '-',
  '.',
  '😀',
  '_',
  'ada@example.org',
)
const texts = fc.array(snippets, { maxLength: 24 }).map((parts) => parts.join(''))

/** As a window scans: what is decided is not looked at again, and only so much is kept of it. */
function inPieces(by: Scanner, text: string, cuts: readonly number[]): string[] {
  const found: string[] = []
  let from = 0
  let carried: string | undefined
  for (const end of [...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]) {
    const final = end === text.length
    const dropped = Math.max(0, from - 96)
    const part = by.scanPart(text.slice(dropped, end), from - dropped, final, carried)
    for (const one of part.findings) found.push(`${one.entity} ${one.start + dropped} ${one.end + dropped}`)
    from = part.decidedTo + dropped
    carried = part.carried
  }
  return found
}

t.test('any split is the whole', async () => {
  t.same(problems, [])
  fc.assert(
    fc.property(texts, fc.array(fc.nat(160), { maxLength: 12 }), (text, cuts) => {
      const whole = scanner.scan(text).map(({ entity, start, end }) => `${entity} ${start} ${end}`)
      return inPieces(scanner, text, cuts).join() === whole.join()
    }),
    { numRuns: 3000 },
  )
})

t.test('unit by unit, little is held back', async (t) => {
  const text = 'Some prose about a blue sky, and then EMP-1234 is named, and nothing more than that.'
  const found = inPieces(
    scanner,
    text,
    Array.from({ length: text.length }, (_, i) => i),
  )
  t.same(found, ['employee 38 46'])
})

t.test('matches in a row hold no more than one of them', async (t) => {
  const long = compileDetectors([{ id: 'long', pattern: '[a-z ]{500,512}' }], []).catalogue
  const rules: RedactionRuleOptions[] = [{ id: 'r', direction: 'response', detect: ['long'], action: 'mask' }]
  const plan = compileRedaction(rules, ['redaction'], undefined, long).redaction?.plan('response', 'u', 'r')
  const window = openWindow({ plan })
  let output = ''
  let held = 0
  for (let at = 0; at < 1600; at += 20) {
    output += window.push('word '.repeat(4))
    held = Math.max(held, window.held - 20)
  }
  t.equal(output + window.end(), `${'[LONG]'.repeat(3)}${'word '.repeat(320).slice(1536)}`)
  t.ok(held <= 512, `${held}`)
})
