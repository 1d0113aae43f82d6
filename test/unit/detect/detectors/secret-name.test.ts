// What is said of a name by the one unit after its word is held against what all of the name says.
import t from 'tap'
import { mayBeName, secretKind, secretWords } from '../../../../proxy/detect/detectors/secrets/secret-name.ts'
import { Probe } from '../../../../proxy/detect/probe.ts'

/** Every way to write the word in small letters and capitals. */
function written(word: string): string[] {
  const [first, ...rest] = Array.from(word.slice(0, 4))
  let ways = [first ?? '', (first ?? '').toUpperCase()]
  for (const letter of rest) ways = ways.flatMap((way) => [way + letter, way + letter.toUpperCase()])
  return ways.flatMap((way) => [way + word.slice(4), way + word.slice(4).toUpperCase()])
}

const units = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code)).filter((unit) => /[\w.-]/.test(unit))
const endings = ['', 's', 'word', 'ord', 'code', 'phrases', 'Value', 'S', '_1', 'WORD', 'x']

void t.test('no name of a secret is passed over', (t) => {
  const probe = new Probe()
  let named = 0
  const missed: string[] = []
  for (const word of secretWords) {
    for (const label of written(word)) {
      for (const after of units.flatMap((unit) => endings.map((ending) => unit + ending)).concat(endings)) {
        if (secretKind('', label, after, '') === undefined) continue
        named++
        probe.open(`${label}${after}=`, true)
        if (!mayBeName(probe, 0, label.length)) missed.push(label + after)
      }
    }
  }
  t.ok(named > 1000)
  t.same(missed, [])
  t.end()
})

void t.test('most words that begin so are told by one unit', (t) => {
  const probe = new Probe()
  for (const [text, length] of Object.entries({ keyboard: 3, passive: 4, author: 4, KEYs: 3, pwx: 2, pWX: 2 })) {
    probe.open(`${text}=`, true)
    t.notOk(mayBeName(probe, 0, length), text)
  }
  t.end()
})
