import t from 'tap'
import type { Candidate } from '../../../proxy/detect/candidate.ts'
import { entitiesOf, entityGroups, groupNames } from '../../../proxy/detect/entities.ts'
import { resolveOverlaps } from '../../../proxy/detect/overlap.ts'
import { compileScanner } from '../../../proxy/detect/scanner.ts'

void t.test('findings are sorted, do not overlap, and have their group', async (t) => {
  const text = 'GB82 WEST 1234 5698 7654 32, then 378-07-9520 and ada@example.org'
  t.same(compileScanner(new Set(entityGroups.keys())).scan(text), [
    { entity: 'iban', group: 'pii', start: 0, end: 27, validated: true },
    { entity: 'us-ssn', group: 'pii', start: 34, end: 45, validated: true },
    { entity: 'email', group: 'pii', start: 50, end: 65, validated: false },
  ])
})

void t.test('only the entities that were asked for', async (t) => {
  const text = 'ada@example.org 378-07-9520'
  t.same(
    compileScanner(new Set(['us-ssn']))
      .scan(text)
      .map((f) => f.entity),
    ['us-ssn'],
  )
  t.same(compileScanner(new Set()).scan(text), [])
  t.same(compileScanner(new Set(['nothing-like-it'])).scan(text), [])
})

void t.test('one scanner per set', async (t) => {
  t.equal(compileScanner(new Set(['email', 'iban'])), compileScanner(new Set(['iban', 'email'])))
  t.not(compileScanner(new Set(['email'])), compileScanner(new Set(['iban'])))
})

void t.test('many findings are all found', async (t) => {
  t.equal(compileScanner(new Set(['email'])).scan('a@b.co '.repeat(10_000)).length, 10_000)
})

void t.test('validated beats longer, longer beats earlier', async (t) => {
  const candidate = (entity: string, start: number, end: number, validated = false): Candidate => ({
    entity,
    group: 'pii',
    start,
    end,
    validated,
  })
  const names = (...candidates: Candidate[]): string => {
    const findings = resolveOverlaps(candidates)
    return findings.map((f) => f.entity).join(' ')
  }
  t.equal(names(candidate('long', 0, 9), candidate('checked', 2, 5, true)), 'checked')
  t.equal(names(candidate('early', 0, 5), candidate('long', 2, 9)), 'long')
  t.equal(names(candidate('early', 0, 5), candidate('late', 4, 9)), 'early')
  t.equal(names(candidate('a', 0, 5), candidate('b', 5, 9)), 'a b')
  t.equal(names(candidate('c', 6, 10), candidate('b', 3, 8, true), candidate('a', 0, 4)), 'b')
  t.equal(names(candidate('a', 0, 4), candidate('b', 3, 8), candidate('c', 7, 12)), 'b')
  t.equal(names(candidate('a', 0, 5), candidate('b', 4, 8), candidate('c', 7, 12)), 'a c')
})

void t.test('groups stand for their entities', async (t) => {
  for (const group of ['pii', 'secrets'] as const) {
    const inGroup = [...entitiesOf([group])]
    t.ok(inGroup.length > 5)
    t.ok(inGroup.every((entity) => entityGroups.get(entity) === group))
  }
  t.same([...entitiesOf(['iban', 'email', 'unknown'])], ['email', 'iban'])
  t.equal(entitiesOf(groupNames).size, entitiesOf(['pii']).size + entitiesOf(['secrets']).size)
})

void t.test('a number after an escaped line end is found, one in a word is not', async (t) => {
  const scanner = compileScanner(new Set(entityGroups.keys()))
  for (const before of ['\\n', '\\r', '\\t', '%0A'])
    t.match(scanner.scan(`x${before}4111 1111 1111 1111`), [{ entity: 'payment-card' }], before)
  t.same(scanner.scan('xn4111 1111 1111 1111'), [])
})
