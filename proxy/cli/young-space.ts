// Owns how much room V8 takes for young objects where nobody has said: it doubles it under a burst, up to 32 MiB twice over
// on a large machine, which is not faster for it and stays resident for minutes.
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Of one of the two halves. With less a call costs more, with more it does not cost less. */
export const youngBytesMax = 16 * 1024 * 1024

/**
 * What a half may have at most is fixed when node starts; by how much V8 enlarges it is asked each time, so that is what
 * changes here, after each collection.
 */
export function boundYoungSpace(): void {
  if (isChosen()) return
  let factor = 2
  const observer = new PerformanceObserver(() => {
    const next = 2 * youngBytes() > youngBytesMax ? 1 : 2
    if (next === factor) return
    factor = next
    setFlagsFromString(`--semi-space-growth-factor=${factor}`)
  })
  observer.observe({ entryTypes: ['gc'] })
}

/** The capacity of one half, less a few bytes a page; V8 may have committed less of it, or of the other one. */
export function youngBytes(): number {
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
  return young === undefined ? 0 : young.space_used_size + young.space_available_size
}

function isChosen(): boolean {
  return [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((flags) => /semi[-_]space/.test(flags))
}
