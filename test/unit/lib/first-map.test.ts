import t from 'tap'
import { FirstMap } from '../../../proxy/lib/first-map.ts'

t.test('is what a Map is', async (t) => {
  const map = new FirstMap<string | undefined, number>()
  t.equal(map.size, 0)
  t.equal(map.get(undefined), undefined)
  t.notOk(map.has(undefined), 'no key is the key of nothing')
  map.set('a', 1)
  map.set('b', 2)
  map.set('c', 3)
  map.set('a', 4)
  map.set('b', 5)
  map.set(undefined, 6)
  t.equal(map.size, 4)
  t.strictSame(map.keys(), ['a', 'b', 'c', undefined], 'in the order in which they came')
  t.strictSame(map.values(), [4, 5, 3, 6])
  t.strictSame(
    ['a', 'b', 'c', 'd'].map((key) => [map.get(key), map.has(key)]),
    [
      [4, true],
      [5, true],
      [3, true],
      [undefined, false],
    ],
  )
  t.equal(map.get(undefined), 6)
})

t.test('begins again once it was cleared', async (t) => {
  const map = new FirstMap<string, number>()
  map.set('a', 1)
  map.set('b', 2)
  map.clear()
  t.equal(map.size, 0)
  t.strictSame([...map.keys(), ...map.values()], [])
  t.notOk(map.has('a') || map.has('b'))
  map.set('b', 3)
  t.strictSame([map.keys(), map.values()], [['b'], [3]])
})
