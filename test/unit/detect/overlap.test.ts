// Which of overlapping candidates are findings: validated, then longer, then earlier, held against the plain way to say so.
import t from 'tap'
import { array, assert, boolean, nat, property, tuple } from 'fast-check'
import type { Candidate } from '../../../proxy/detect/candidate.ts'
import { resolveOverlaps } from '../../../proxy/detect/overlap.ts'

function candidate(start: number, length: number, validated = false): Candidate {
  return { entity: 'email', group: 'pii', start, end: start + length, validated }
}

/** All against all. */
function plainly(candidates: readonly Candidate[]): Candidate[] {
  const ranked = candidates.toSorted(
    (a, b) => Number(b.validated) - Number(a.validated) || b.end - b.start - (a.end - a.start) || a.start - b.start,
  )
  const kept: Candidate[] = []
  for (const one of ranked) if (kept.every((other) => one.end <= other.start || other.end <= one.start)) kept.push(one)
  return kept.sort((a, b) => a.start - b.start)
}

const places = (candidates: readonly Candidate[]): (readonly [number, number, boolean])[] =>
  candidates.map(({ start, end, validated }) => [start, end, validated])

void t.test('of what overlaps, the same wins as when each is held against every other', async () => {
  assert(
    property(array(tuple(nat(60), nat(12), boolean()), { maxLength: 30 }), (made) => {
      const candidates = made.map(([start, length, validated]) => candidate(start, length + 1, validated))
      const expected = JSON.stringify(places(plainly(candidates)))
      return JSON.stringify(places(resolveOverlaps(candidates))) === expected
    }),
    { numRuns: 3000 },
  )
})

void t.test('a validated one beats a longer one around it', async (t) => {
  t.same(places(resolveOverlaps([candidate(0, 30), candidate(10, 4, true), candidate(28, 8)])), [
    [10, 14, true],
    [28, 36, false],
  ])
})

void t.test('a chain of half a million, each overlapping the next, takes no time to speak of', async (t) => {
  const chain = Array.from({ length: 500_000 }, (_, i) => candidate(4 * i, 6, i % 7 === 0))
  const findings = resolveOverlaps(chain)
  t.ok(findings.length > 200_000)
  for (let i = 1; i < findings.length; i++)
    if ((findings[i - 1]?.end ?? 0) > (findings[i]?.start ?? 0)) t.fail('overlapping')
})
