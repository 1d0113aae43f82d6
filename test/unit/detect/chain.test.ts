// Values each of which begins in the one before: while they are short the best of them is found, and a chain of them that
// a stream could not wait for is one value.
import t from 'tap'
import type { Candidate } from '../../../proxy/detect/candidate.ts'
import { joinChains } from '../../../proxy/detect/chain.ts'
import { scanText } from '../../../proxy/detect/scan-text.ts'

function value(start: number, end: number, more: Partial<Candidate> = {}): Candidate {
  return { entity: 'generic-secret', group: 'secrets', start, end, validated: false, ...more }
}

function joined(candidates: Candidate[], ...rest: [((one: { entity: string }) => boolean)?, number?]): string[] {
  const places = joinChains(candidates, ...rest).map(({ entity, start, end }) => `${entity} ${start}-${end}`)
  return places.toSorted((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)))
}

void t.test('a chain that is long is one value, called by its first', async (t) => {
  const first = value(10, 120, { entity: 'email' })
  t.same(joined([value(250, 300), value(100, 260), first, value(400, 420)]), ['email 10-300', 'generic-secret 400-420'])
})

void t.test('a short chain, and a long value that holds others, are left to whoever ranks them', async (t) => {
  const short = [value(0, 100), value(90, 200), value(190, 255)]
  t.same(joinChains(short), short)
  const holding = [value(0, 600), value(10, 50), value(550, 600)]
  t.same(joinChains(holding), holding)
})

void t.test(
  'a value that is foreseen before the chain is long wins over it, and one that begins later does not',
  async (t) => {
    const foreseen = { foreseen: 256, entity: 'jwt' }
    t.same(joined([value(0, 100), value(90, 600, foreseen), value(590, 700)]), ['generic-secret 0-100', 'jwt 90-600'])
    t.same(joined([value(0, 200), value(190, 300), value(290, 900, foreseen)]), ['generic-secret 0-900'])
  },
)

void t.test('only what is sure makes a chain, and what nothing is done about is no part of it', async (t) => {
  const chain = [value(0, 200), value(190, 300)]
  t.same(joined([...chain], undefined, 150), ['generic-secret 0-200', 'generic-secret 190-300'])
  const observed = value(150, 500, { entity: 'email' })
  t.same(
    joined([...chain, observed], ({ entity }) => entity !== 'email'),
    ['generic-secret 0-300', 'email 150-500'],
  )
})

void t.test('a chain has an end, and what begins in its last value is lost to it', async (t) => {
  const links = Array.from({ length: 1000 }, (_, at) => value(at * 90, at * 90 + 100))
  const [first, ...rest] = joined(links)
  t.equal(first, 'generic-secret 0-65620')
  t.ok(rest.length > 1)
})

void t.test('of secrets that are written into one another without end nothing is left', async (t) => {
  const text = `${`api_key='_secret="NoGyfKDt6wiBfDV2oQpYTjp,`.repeat(30)} and so on`
  const [first, ...rest] = scanText(text, ['secrets'])
  t.same(rest, [])
  t.ok(first !== undefined && first.start < 20 && first.end > text.length - 60, `${first?.start} to ${first?.end}`)
})
