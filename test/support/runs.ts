// Owns how many cases a property is shown: `RUNS` of the environment, or a number of the test's own.

/** `share` is for properties whose cases take longer than others'. A whole number: fast-check never ends at a fraction. */
export function runsOf(count: number, share = 1): number {
  return Math.max(1, Math.round(Number(process.env['RUNS'] ?? count) / share))
}
