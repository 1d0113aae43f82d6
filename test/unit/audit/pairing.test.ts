import t from 'tap'
import { Pairing } from '../../../proxy/audit/pairing.ts'
import type { ParsedRecord } from '../../../proxy/audit/record-check.ts'

const outcome = (i: number, request: string): ParsedRecord =>
  ({ kind: 'outcome', i, request }) as unknown as ParsedRecord

t.test('a second outcome is seen among a quarter of a million, however long the log is', async (t) => {
  const pairing = new Pairing()
  for (let index = 0; index < 600_000; index += 1) pairing.see(outcome(index, `req_${index}`))
  t.same(pairing.duplicates, [])
  pairing.see(outcome(600_000, 'req_599999'))
  pairing.see(outcome(600_001, `req_${600_000 - 262_144}`))
  t.same(
    pairing.duplicates.map(({ index }) => index),
    [600_000, 600_001],
  )
})
