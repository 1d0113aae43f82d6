// What is remembered lately: it comes back while it fits, and the bound holds whatever is put in.
import t from 'tap'
import fc from 'fast-check'
import { Recent } from '../../../proxy/lib/recent.ts'

t.test('what was set comes back', async (t) => {
  const recent = new Recent<number>(1000)
  recent.set('a', 1)
  recent.set('a', 2)
  t.equal(recent.get('a'), 2)
  t.equal(recent.get('b'), undefined)
})

t.test('long keys of one length are told apart', async (t) => {
  const recent = new Recent<number>(100_000)
  const key = (last: string): string => 'x'.repeat(9000) + last
  recent.set(key('a'), 1)
  recent.set(key('b'), 2)
  recent.set(key('a'), 3)
  t.same([recent.get(key('a')), recent.get(key('b')), recent.get(key('c'))], [3, 2, undefined])
  for (let i = 0; i < 50; i++) {
    recent.set(key(`${i}`), i)
    t.equal(recent.get(key('a')), 3, `after ${i + 1} others`)
  }
  t.equal(recent.get(key('b')), undefined)
})

t.test('what is asked for stays, what is not is forgotten', async (t) => {
  const recent = new Recent<number>(1000)
  recent.set('kept', 1)
  recent.set('left', 2)
  for (let i = 0; i < 50; i++) {
    recent.set(`other ${i}`, i)
    t.equal(recent.get('kept'), 1, `after ${i + 1} others`)
  }
  t.equal(recent.get('left'), undefined)
})

t.test('a text too long for the bound is not remembered, and takes nothing else with it', async (t) => {
  const recent = new Recent<number>(1000)
  recent.set('a', 1)
  recent.set('x'.repeat(500), 2)
  t.equal(recent.get('x'.repeat(500)), undefined)
  t.equal(recent.get('a'), 1)
})

t.test('never another value than the last one set, never more than the bound', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 40 }), fc.nat(), fc.boolean())), (steps) => {
      const recent = new Recent<number>(600)
      const last = new Map<string, number>()
      for (const [key, value, asks] of steps) {
        if (asks) {
          const known = recent.get(key)
          if (known !== undefined && known !== last.get(key)) return false
        } else {
          recent.set(key, value)
          last.set(key, value)
        }
      }
      const held = [...last.keys()].filter((key) => recent.get(key) !== undefined)
      // Asking may turn the generations once more; what is held after it is still within both.
      return held.reduce((sum, key) => sum + key.length, 0) <= 600 + 300
    }),
  )
})
