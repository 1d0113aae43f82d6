// Owns what the clocks of a time zone show. It does not know what time it is.

/** Takes and gives milliseconds: what is shown at a time since the epoch, as if it were UTC. A time that is none throws. */
export type ZoneClock = (timeMs: number) => number

export function isTimeZone(name: string): boolean {
  return zoneClock(name) !== undefined
}

/** Undefined where there is no such zone. `zone`: a name of IANA's. */
export function zoneClock(zone: string): ZoneClock | undefined {
  if (zone === 'UTC') return (timeMs) => timeMs
  let format: Intl.DateTimeFormat
  try {
    format = new Intl.DateTimeFormat('en-US-u-hc-h23-ca-gregory', {
      timeZone: zone,
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    return undefined
  }
  return (timeMs) => {
    const shown: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(timeMs)) shown[type] = Number(value)
    const { year = Number.NaN, month = Number.NaN, day = Number.NaN, hour = Number.NaN, minute, second } = shown
    const wall = new Date(0)
    // Not Date.UTC, which takes the years before 100 for those of the last century.
    wall.setUTCFullYear(year, month - 1, day)
    return wall.setUTCHours(hour, minute, second, new Date(timeMs).getUTCMilliseconds())
  }
}
