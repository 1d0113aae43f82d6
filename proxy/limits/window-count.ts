// Owns the arithmetic of one count in memory, for each kind of window. limits/script.ts does the same in Redis.
import type { Charge, Correction, Count } from './counters.ts'
import type { Expiring } from './key-table.ts'
import { slices, type Window } from './window.ts'

/** `mark` is the end of a fixed window, the last slice of a sliding one, or when a bucket was last looked at. */
export type Entry = Expiring & { used: number; mark: number; readonly perSlice: number[] }

/** `elapsedMs` is monotonic; the calendar alone follows the wall clock. */
export type Time = { readonly elapsedMs: number; readonly wallMs: number }

/**
 * Amounts are whole; only what has leaked out of a bucket is not, and its fractions do not add up exactly. So this much
 * too little must not refuse who has waited as long as he was told.
 */
export const fraction = 1e-6

export function openEntry(window: Window): Entry {
  return { expiresAtMs: 0, used: 0, mark: 0, perSlice: window.kind === 'sliding' ? Array(slices + 1).fill(0) : [] }
}

/** An entry can live no longer than this without being touched. */
export function lifeMs(window: Window): number {
  return window.kind === 'sliding' ? window.lengthMs + window.sliceMs : window.lengthMs
}

/** Brings an entry up to date, and says what a charge would find. */
export function look(entry: Entry, { window, quota, amount }: Charge, time: Time): Count {
  turn(entry, window, time)
  const { used, mark } = entry
  const over = overshoot(used, quota, amount)
  const reset = resetMs(entry, window, time)
  return {
    used,
    mark,
    resetMs: reset,
    waitMs: over <= fraction ? 0 : Math.min(waitMs(entry, window, time, over), reset),
  }
}

/** By how much a charge would go over the quota; not above `fraction` when it fits. */
export function overshoot(used: number, quota: number, amount: number): number {
  return used + Math.max(amount, 1) - quota
}

export function add(entry: Entry, window: Window, time: Time, amount: number): void {
  entry.used += amount
  if (window.kind === 'sliding') addToSlice(entry, entry.mark, amount)
  entry.expiresAtMs = time.elapsedMs + resetMs(entry, window, time)
}

export function correct(entry: Entry, { window, mark, delta }: Correction, time: Time): void {
  turn(entry, window, time)
  if (window.kind === 'bucket') {
    // What has leaked out of it meanwhile cannot be taken out once more.
    const back = delta < 0 ? Math.min(0, delta + window.perMs * (time.elapsedMs - mark)) : delta
    entry.used = Math.max(0, entry.used + back)
  } else if (window.kind === 'sliding') {
    const here = mark > entry.mark - (slices + 1) && mark <= entry.mark
    if (here || delta > 0) {
      addToSlice(entry, here ? mark : entry.mark, delta)
      entry.used = entry.perSlice.reduce((sum, count) => sum + count, 0)
    }
  } else if (mark === entry.mark || delta > 0) entry.used = Math.max(0, entry.used + delta)
  entry.expiresAtMs = time.elapsedMs + resetMs(entry, window, time)
}

function turn(entry: Entry, window: Window, { elapsedMs, wallMs }: Time): void {
  switch (window.kind) {
    case 'first':
      if (entry.mark > elapsedMs) return
      entry.mark = elapsedMs + window.lengthMs
      entry.used = 0
      return
    case 'calendar': {
      const [, , endMs] = window.calendar.around(wallMs)
      // A clock that is set back does not open the period before again.
      if (entry.mark >= endMs) return
      entry.mark = endMs
      entry.used = 0
      return
    }
    case 'sliding': {
      const slice = Math.floor(elapsedMs / window.sliceMs)
      for (let next = Math.max(entry.mark + 1, slice - slices); next <= slice; next++)
        entry.perSlice[next % (slices + 1)] = 0
      entry.mark = slice
      entry.used = entry.perSlice.reduce((sum, count) => sum + count, 0)
      return
    }
    case 'bucket':
      entry.used = Math.max(0, entry.used - (elapsedMs - entry.mark) * window.perMs)
      entry.mark = elapsedMs
  }
}

function addToSlice({ perSlice }: Entry, slice: number, amount: number): void {
  const at = slice % (slices + 1)
  perSlice[at] = Math.max(0, (perSlice[at] ?? 0) + amount)
}

function resetMs(entry: Entry, window: Window, { elapsedMs, wallMs }: Time): number {
  switch (window.kind) {
    case 'first':
      return entry.mark - elapsedMs
    case 'calendar': {
      const [, , endMs] = window.calendar.around(wallMs)
      // Where the clock was set back behind the period, that lasts as long as it would have.
      return Math.max(1, entry.mark > endMs ? entry.expiresAtMs - elapsedMs : entry.mark - wallMs)
    }
    case 'sliding':
      for (let slice = entry.mark; slice >= entry.mark - slices; slice--)
        if ((entry.perSlice[slice % (slices + 1)] ?? 0) > 0) return goneMs(slice, window.sliceMs) - elapsedMs
      return window.lengthMs
    default:
      return entry.used / window.perMs
  }
}

function waitMs(entry: Entry, window: Window, time: Time, over: number): number {
  if (window.kind === 'bucket') return over / window.perMs
  if (window.kind !== 'sliding') return resetMs(entry, window, time)
  let left = over
  for (let slice = Math.max(0, entry.mark - slices); slice <= entry.mark; slice++) {
    left -= entry.perSlice[slice % (slices + 1)] ?? 0
    if (left <= 0) return goneMs(slice, window.sliceMs) - time.elapsedMs
  }
  return lifeMs(window)
}

/** When a slice is no longer within the window. */
function goneMs(slice: number, sliceMs: number): number {
  return (slice + slices + 1) * sliceMs
}
