// What moves along a text is held against what is counted, and searched, anew each time.
import t from 'tap'
import { array, assert, boolean, constantFrom, nat, property, tuple } from 'fast-check'
import { digitAndCapital, mixed } from '../../../proxy/detect/detectors/secrets/formats.ts'
import { Probe } from '../../../proxy/detect/probe.ts'
import { Sought, Tally } from '../../../proxy/detect/tally.ts'

const texts = array(constantFrom('a', 'B', 'c', '7', '0', '-', '=', 'é', 'abc'), { minLength: 1, maxLength: 60 })
/** How far the next stretch begins behind the one before, or before it, how long it is, and whether it is of another text. */
const moves = array(tuple(nat(12), boolean(), nat(20), nat(9)), { maxLength: 30 })

type Move = readonly [by: number, isBack: boolean, length: number, isOther: number]

function* stretches(text: string, made: readonly Move[]): Generator<readonly [number, number, boolean]> {
  let from = 0
  for (const [by, isBack, length, isOther] of made) {
    from = Math.min(text.length - 1, Math.max(0, from + (isBack ? -by : by)))
    yield [from, Math.min(text.length, from + length + 1), isOther === 0]
  }
}

function plainly(value: string): object {
  const kinds = Array.from(value, (one) => (/\d/.test(one) ? 1 : /[a-z]/.test(one) ? 2 : /[A-Z]/.test(one) ? 3 : 0))
  const isChange = (kind: number, at: number): boolean => {
    const before = kinds[at - 1]
    return at > 0 && kind !== before && kind !== 0 && !(before === 3 && kind === 2)
  }
  const letters = kinds.filter((kind) => kind > 1).length
  const capitals = kinds.filter((kind) => kind === 3).length
  const digits = kinds.filter((kind) => kind === 1).length
  return { digits, letters, capitals, changes: kinds.filter(isChange).length, different: new Set(value).size }
}

void t.test('wherever the stretch moves to, it is counted as it stands', async () => {
  assert(
    property(texts, moves, (pieces, made) => {
      const text = pieces.join('')
      const probe = new Probe()
      const tally = new Tally()
      probe.open(text, true)
      for (const [from, to, isOther] of stretches(text, made)) {
        if (isOther) probe.open(text, true)
        const value = text.slice(from, to)
        const counts = tally.over(probe, from, to)
        if ((counts === undefined) !== value.includes('é')) return false
        if (counts === undefined) continue
        const { digits, letters, capitals, changes, different } = counts
        const said = { digits, letters, capitals, changes, different }
        if (JSON.stringify(said) !== JSON.stringify(plainly(value))) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
})

void t.test('and forms and digits are asked about as if each stretch stood alone', async () => {
  assert(
    property(texts, moves, (pieces, made) => {
      const text = pieces.join('')
      const probe = new Probe()
      const tally = new Tally()
      probe.open(text, true)
      for (const [from, to, isOther] of stretches(text, made)) {
        if (isOther) probe.open(text, true)
        const value = text.slice(from, to)
        if (probe.hasDigit(from, to) !== /\d/.test(value)) return false
        const counts = tally.over(probe, from, to)
        if (counts === undefined) continue
        for (const form of [mixed, digitAndCapital]) if (form.isMetBy?.(counts) !== form.test(value)) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
})

void t.test('and searched', async () => {
  assert(
    property(texts, moves, (pieces, made) => {
      const text = pieces.join('')
      const probe = new Probe()
      const sought = new Sought(/abc|7-|B/, 3)
      probe.open(text, true)
      for (const [from, to] of stretches(text, made)) {
        if (sought.isWithin(probe, from, to) !== /abc|7-|B/.test(text.slice(from, to))) return false
      }
      return true
    }),
    { numRuns: 500 },
  )
})
