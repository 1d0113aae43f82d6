import t from 'tap'
import * as fc from 'fast-check'
import { Window } from '../../../proxy/upstream/window.ts'

t.test('what was added counts until it falls out of the window', async (t) => {
  const window = new Window(10_000)
  window.addFirst(500)
  window.addSecond(1500)
  t.equal(window.first(9999), 1)
  t.equal(window.first(10_000), 0, 'its slice came round')
  t.equal(window.second(10_999), 1)
  t.equal(window.second(11_000), 0)
})

t.test('a long silence empties it', async (t) => {
  const window = new Window(10_000)
  window.addFirst(9000)
  t.equal(window.first(1_000_000), 0)
  window.addFirst(1_000_000)
  t.equal(window.first(1_000_000), 1)
  window.clear()
  t.equal(window.first(1_000_000), 0)
})

t.test('it never forgets within nine tenths and always after the whole', async () => {
  const steps = fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 40 })
  fc.assert(
    fc.property(steps, (gaps) => {
      const window = new Window(10_000)
      const times: number[] = []
      let nowMs = 0
      for (const gap of gaps) {
        nowMs += gap
        times.push(nowMs)
        window.addFirst(nowMs)
      }
      const counted = window.first(nowMs)
      const surely = times.filter((at) => nowMs - at < 9000).length
      const atMost = times.filter((at) => nowMs - at < 10_000).length
      return counted >= surely && counted <= atMost
    }),
  )
})
