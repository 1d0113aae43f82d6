// What the pass over a text notes of encoded text in passing leaves out nothing that a search for it finds.
import { array, assert, constantFrom, property, tuple } from 'fast-check'
import t from 'tap'
import { detectors } from '../../proxy/detect/detectors.ts'
import { normalise } from '../../proxy/detect/normalise.ts'
import { EncodedRuns } from '../../proxy/detect/normalise-runs.ts'
import { Pass } from '../../proxy/detect/pass.ts'
import { Respelling } from '../../proxy/detect/respelling.ts'
import { unitsOf } from '../../proxy/detect/units.ts'
import { runsOf } from '../support/runs.ts'

const runs = new EncodedRuns()
const pass = new Pass(detectors.slice(0, 3), runs)
const value = 'card 4111 1111 1111 1111 of ada@example.org'
const long = Buffer.from(`${'words before '.repeat(9)}${value}`)

function inLines(encoded: string, width: number, lineEnd: string): string {
  return encoded.replaceAll(new RegExp(`.{${width}}(?=.)`, 'g'), (line) => line + lineEnd)
}

const pieces = [
  ...[Buffer.from(value), Buffer.from(value, 'utf16le'), long].flatMap((bytes) => [
    bytes.toString('base64'),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ]),
  ...[60, 64, 76].map((width) => inLines(long.toString('base64'), width, '\n')),
  inLines(long.toString('base64'), 72, '\r\n  '),
  inLines(long.toString('hex'), 60, '\n'),
  // Text without a capital or a digit, and the last line of it.
  'aicg'.repeat(15),
  'cfbf'.repeat(16),
  'QUJD',
  'Q',
  '3d',
  'words',
  'Of',
  'prose',
  'x1',
  'a1b',
  '9',
  '34',
  'ffee',
  'NDEx',
  'MTEx',
  'zzzz',
  '0x',
  'F00D',
  'dCBB',
  '3fa9c1d07be24c55',
  '%',
  '%41',
  '\\u00',
  '\\x4',
  '&#52;',
  '\u200b',
  '\u0430',
  '+',
  '/',
  '=',
  '_',
  '-',
  '.',
  ' ',
  '  ',
  '\n',
  '\r\n',
]
const texts = array(tuple(constantFrom(...pieces), constantFrom('', '', ' ', '\n')), { minLength: 1, maxLength: 12 })

/** Where what is read otherwise stands, and what the whole is read as. */
function reading(text: string, seen?: EncodedRuns): unknown {
  const into = new Respelling()
  into.open(text, 0, '')
  normalise(text, unitsOf(text), 0, true, false, into, seen)
  return into.isChanged ? [into.finish(text.length), into.changes(0, 0)] : text
}

void t.test('encoded text that the pass saw is what a search finds', (t) => {
  assert(
    property(texts, (parts) => {
      const text = parts.flat().join('')
      pass.run(text, true, [{ from: 0, to: text.length }])
      return JSON.stringify(reading(text, runs)) === JSON.stringify(reading(text))
    }),
    { numRuns: runsOf(1000) },
  )
  t.end()
})
