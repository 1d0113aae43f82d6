// Owns the timing of one function by itself: how often it must run to be measured, and what it took.
import { median } from '../percentiles.ts'

export type Case = {
  readonly name: string
  /** One operation. What it returns is kept, so that the compiler cannot leave the work out. */
  readonly run: () => unknown
  /** Operations that one `run` stands for; 1 when absent. */
  readonly operations?: number
}

const warmUpMs = 300
const batchMs = 40
const batches = 9

/** Nanoseconds for one operation, the median of the batches. Promises are waited for, one at a time. */
export async function timeCase({ run, operations = 1 }: Case): Promise<number> {
  const runs = await calibrate(run)
  const samples: number[] = []
  for (let n = 0; n < batches; n++) samples.push(await timeRuns(run, runs))
  return (median(samples) * 1e6) / (runs * operations)
}

/** How many runs fill a batch, found while warming up. */
async function calibrate(run: () => unknown): Promise<number> {
  const startMs = performance.now()
  let runs = 1
  for (;;) {
    const ms = await timeRuns(run, runs)
    if (performance.now() - startMs >= warmUpMs) return Math.max(1, Math.round((runs * batchMs) / ms))
    if (ms < batchMs) runs *= 2
  }
}

let kept: unknown

async function timeRuns(run: () => unknown, runs: number): Promise<number> {
  const startMs = performance.now()
  for (let n = 0; n < runs; n++) {
    kept = run()
    if (kept instanceof Promise) await kept
  }
  return performance.now() - startMs
}
