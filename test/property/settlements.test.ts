// Whatever becomes of what a store is told (answers that get lost, requests that get lost, requests that arrive when nobody waits
// any more, refusals), in the end every settlement was counted exactly once.
import t from 'tap'
import { array, assert, asyncProperty, constantFrom } from 'fast-check'
import type { Correction } from '../../proxy/limits/counters.ts'
import { Settlements, type Told } from '../../proxy/limits/settlements.ts'
import { ManualClock } from '../support/clock.ts'

type Fate = 'told' | 'answer lost' | 'request lost' | 'late' | 'refused'
const fates: readonly Fate[] = ['told', 'told', 'told', 'answer lost', 'request lost', 'late', 'refused']

/** Counts like the script, behind connections that keep the order of what is sent. */
class Store {
  readonly counted: number[] = []
  readonly #fates: Fate[]
  /** Sent over a connection that is gone, and not read yet. */
  readonly #late: (() => void)[] = []
  #last = 0
  reachable = true

  constructor(fates: readonly Fate[]) {
    this.#fates = [...fates]
  }

  async tell(number: number, [correction]: readonly Correction[]): Promise<Told> {
    if (!this.reachable) return 'unknown'
    const fate = this.#fates.shift() ?? 'told'
    const count = (): void => {
      if (number <= this.#last) return
      this.#last = number
      this.counted.push(correction?.delta ?? 0)
    }
    if (fate === 'refused') return 'refused'
    if (fate === 'told' || fate === 'answer lost') count()
    if (fate === 'told') return 'told'
    if (fate === 'late') this.#late.push(count)
    this.reachable = false
    return 'unknown'
  }

  /** One of those that nobody waits for. */
  readLate(): void {
    this.#late.shift()?.()
  }
}

const correction: Correction = {
  namespace: 'n',
  key: 'k',
  window: { kind: 'first', lengthMs: 1000 },
  mark: 1,
  delta: 0,
}

t.test('each is counted once', async (t) => {
  const steps = array(constantFrom('settle', 'settle', 'settle three', 'back', 'read late', 'wait'), { maxLength: 40 })
  await assert(
    asyncProperty(array(constantFrom(...fates), { maxLength: 40 }), steps, async (fates, steps) => {
      const store = new Store(fates)
      const clock = new ManualClock()
      const settlements = new Settlements({
        tell: (number, corrections) => store.tell(number, corrections),
        clock,
        onDropped: () => t.fail('there was room'),
        onLost: () => t.fail('none was dropped'),
      })
      const settled: number[] = []
      const back = async (): Promise<void> => {
        store.reachable = true
        await settlements.resume()
      }
      const settle = (): void => {
        settled.push(settled.length + 1)
        settlements.add([{ ...correction, delta: settled.length }], store.reachable)
      }
      for (const step of steps) {
        if (step === 'settle') settle()
        else if (step === 'settle three') for (let n = 0; n < 3; n += 1) settle()
        else if (step === 'back') await back()
        else if (step === 'read late') store.readLate()
        else clock.advance(30_000)
        // What was told comes back before anything else happens to the connection.
        await new Promise(setImmediate)
      }
      while (settlements.waiting > 0) await back()
      for (let n = 0; n < fates.length; n += 1) store.readLate()
      return [...store.counted].sort((a, b) => a - b).join() === settled.join()
    }),
    { numRuns: 300 },
  )
  t.pass()
})
