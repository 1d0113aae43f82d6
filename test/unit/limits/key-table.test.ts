import * as fc from 'fast-check'
import t from 'tap'
import { KeyTable, type Expiring } from '../../../proxy/limits/key-table.ts'

const lifeMs = 100

t.test('a table with room behaves as a map whose entries expire', async () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 130 }),
    key: fc.constantFrom('a', 'b', 'c'),
    sweep: fc.boolean(),
    touch: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new KeyTable<Expiring>(lifeMs, 1000, 0)
      const model = new Map<string, number>()
      let nowMs = 0
      for (const { waitMs, key, sweep, touch } of steps) {
        nowMs += waitMs
        if (sweep) table.sweep(nowMs)
        const expected = (model.get(key) ?? 0) > nowMs ? model.get(key) : undefined
        const found = table.find(key, nowMs)
        if (found?.expiresAtMs !== expected) return false
        if (found !== undefined && !touch) continue
        const entry = found ?? { expiresAtMs: 0 }
        entry.expiresAtMs = nowMs + lifeMs
        if (table.put(key, entry, nowMs)) return false
        model.set(key, nowMs + lifeMs)
      }
      return true
    }),
  )
})

function put(table: KeyTable<Expiring>, key: string, nowMs: number): boolean {
  return table.put(key, { expiresAtMs: nowMs + lifeMs }, nowMs)
}

t.test('a full table forgets the oldest half and says so only when that matters', async (t) => {
  const table = new KeyTable(lifeMs, 4, 0)
  t.same(
    ['a', 'b', 'c', 'd'].map((key) => put(table, key, 1)),
    [false, false, false, false],
  )
  t.equal(put(table, 'e', 1), true, 'a and b had not expired')
  t.same(
    ['a', 'b', 'c', 'd', 'e'].map((key) => table.find(key, 1) !== undefined),
    [false, false, true, true, true],
  )
  t.equal(table.size, 3)
  t.equal(put(table, 'f', 102), false, 'all of these have')
  t.equal(table.size <= 4, true)
})

t.test('sweeping empties a table within two lives', async (t) => {
  const table = new KeyTable(lifeMs, 4, 0)
  put(table, 'a', 90)
  t.equal(table.sweep(189), false)
  t.ok(table.find('a', 189))
  t.equal(table.sweep(190), true)
  t.equal(table.size, 0)
})

t.test('what lasts longer than a life is kept as long as it lasts', async (t) => {
  const table = new KeyTable<Expiring>(lifeMs, 100, 0)
  table.put('debt', { expiresAtMs: 1000 }, 0)
  for (let nowMs = 50; nowMs < 1000; nowMs += 50) {
    put(table, 'other', nowMs)
    t.match(table.find('debt', nowMs), { expiresAtMs: 1000 })
  }
  table.sweep(1000)
  t.equal(table.find('debt', 1000), undefined)
})
