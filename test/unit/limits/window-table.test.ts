import * as fc from 'fast-check'
import t from 'tap'
import { WindowTable } from '../../../proxy/limits/window-table.ts'

const windowMs = 100

t.test('a table with room behaves as a map whose windows end', async () => {
  const step = fc.record({
    waitMs: fc.integer({ min: 0, max: 130 }),
    key: fc.constantFrom('a', 'b', 'c'),
    sweep: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = new WindowTable(windowMs, 1000, 0)
      const model = new Map<string, number>()
      let nowMs = 0
      for (const { waitMs, key, sweep } of steps) {
        nowMs += waitMs
        if (sweep) table.sweep(nowMs)
        const expected = (model.get(key) ?? 0) > nowMs ? model.get(key) : undefined
        if (table.find(key, nowMs)?.resetAtMs !== expected) return false
        if (expected !== undefined) continue
        if (table.open(key, nowMs)) return false
        model.set(key, nowMs + windowMs)
      }
      return true
    }),
  )
})

t.test('a full table forgets the oldest half and says so only when that matters', async (t) => {
  const table = new WindowTable(windowMs, 4, 0)
  t.same(
    ['a', 'b', 'c', 'd'].map((key) => table.open(key, 1)),
    [false, false, false, false],
  )
  t.equal(table.open('e', 1), true, 'a and b had open windows')
  t.same(
    ['a', 'b', 'c', 'd', 'e'].map((key) => table.find(key, 1) !== undefined),
    [false, false, true, true, true],
  )
  t.equal(table.size, 3)
  t.equal(table.open('f', 102), false, 'all of these have ended')
  t.equal(table.size <= 4, true)
})

t.test('sweeping empties a table within two windows', async (t) => {
  const table = new WindowTable(windowMs, 4, 0)
  table.open('a', 90)
  t.equal(table.sweep(189), false)
  t.ok(table.find('a', 189))
  t.equal(table.sweep(190), true)
  t.equal(table.size, 0)
})
