// Owns asking a second time while the first attempt takes long: the first that goes well is the answer, the other one is
// cancelled. It does not know what may be asked twice, nor who pays for it.
import type { Clock } from '../lib/clock.ts'
import type { Verdict } from './breaker.ts'

type Attempt<O> = { readonly receiver: { supersede(): void; discard(): void }; readonly outcome: Promise<O> }
type Judged = { readonly judgement: { readonly verdict: Verdict }; readonly head?: unknown }

/** `second` gives undefined where there is to be none. */
export async function hedge<O extends Judged>(
  first: Attempt<O>,
  second: () => Attempt<O> | undefined,
  afterMs: number,
  clock: Clock,
): Promise<O> {
  const slow = Symbol('slow')
  let wake: (late: typeof slow) => void = () => {}
  const late = new Promise<typeof slow>((resolve) => {
    wake = resolve
  })
  const timer = clock.after(afterMs, () => wake(slow))
  const early = await Promise.race([first.outcome, late])
  timer.cancel()
  if (early !== slow) return early
  const beside = second()
  if (beside === undefined) return first.outcome
  const attempts = [first, beside]
  const [winner, outcome] = await Promise.race(
    attempts.map(async (attempt) => [attempt, await attempt.outcome] as const),
  )
  const other = winner === first ? beside : first
  if (outcome.head === undefined || outcome.judgement.verdict !== 'success') {
    // Nobody reads what it says.
    winner.receiver.discard()
    return other.outcome
  }
  other.receiver.supersede()
  return outcome
}
