// Owns time. Durations are measured on the monotonic clock; the wall clock is only for display, expiry dates and the
// audit log. Everything that waits takes a Clock, so that tests move time by hand and never sleep.

export type Timer = { readonly cancel: () => void }

export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. */
  now(): number
  /** Monotonic, milliseconds with a fraction, from an arbitrary start. */
  monotonic(): number
  /** Calls `run` once after `delayMs`. The timer does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
}

/** Above this Node's timers overflow and fire at once; 24 days later nobody waits any more. */
const timeoutMsMax = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, Math.min(delayMs, timeoutMsMax))
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
}
