// Owns where minutes, hours, days and months begin in a time zone. It does not know what time it is.

export type CalendarUnit = 'minute' | 'hour' | 'day' | 'month'

export type Calendar = {
  readonly unit: CalendarUnit
  readonly zone: string
  /**
   * The beginnings of the period before the one that holds a time, of that period, of the next and of the one after, in
   * milliseconds since the epoch: enough for whoever's clock is a little behind or ahead.
   */
  around(timeMs: number): Bounds
}

export type Bounds = readonly [beforeMs: number, startMs: number, endMs: number, afterMs: number]

export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export function openCalendar(unit: CalendarUnit, zone: string): Calendar {
  const local = localTime(zone)
  let bounds: Bounds | undefined
  return {
    unit,
    zone,
    around(timeMs) {
      // Working it out costs microseconds, and most times lie in the period of the time before.
      if (bounds === undefined || timeMs < bounds[1] || timeMs >= bounds[2]) bounds = boundsOf(unit, local, timeMs)
      return bounds
    },
  }
}

/** Wall clock of a zone, as if it were UTC, at a time. */
type LocalTime = (timeMs: number) => number

function boundsOf(unit: CalendarUnit, local: LocalTime, timeMs: number): Bounds {
  const here = new Date(local(timeMs))
  const start = (offset: number): number => toTime(local, startOf(unit, here, offset))
  const [begins, ends] = [start(0), start(1)]
  // Where clocks are set forward an hour, it begins when the next one does.
  const before = start(-1) < begins ? start(-1) : start(-2)
  const after = start(2) > ends ? start(2) : start(3)
  const bounds = [before, begins, ends, after] as const
  // Where clocks are set back an hour, minutes of it come twice, and the second time is later than their period.
  if (timeMs >= bounds[1] && timeMs < bounds[2]) return bounds
  const fixed = { minute: 60_000, hour: 3_600_000, day: 86_400_000, month: 31 * 86_400_000 }[unit]
  const begin = Math.floor(timeMs / fixed) * fixed
  return [begin - fixed, begin, begin + fixed, begin + 2 * fixed]
}

function startOf(unit: CalendarUnit, here: Date, offset: number): number {
  const [year, month, day] = [here.getUTCFullYear(), here.getUTCMonth(), here.getUTCDate()]
  switch (unit) {
    case 'month':
      return Date.UTC(year, month + offset, 1)
    case 'day':
      return Date.UTC(year, month, day + offset)
    case 'hour':
      return Date.UTC(year, month, day, here.getUTCHours() + offset)
    default:
      return Date.UTC(year, month, day, here.getUTCHours(), here.getUTCMinutes() + offset)
  }
}

/** The time at which the zone's wall clock shows this. The second step is for changes of the clock in between. */
function toTime(local: LocalTime, wallMs: number): number {
  const guess = wallMs - (local(wallMs) - wallMs)
  return guess + (wallMs - local(guess))
}

function localTime(zone: string): LocalTime {
  if (zone === 'UTC') return (timeMs) => timeMs
  const format = new Intl.DateTimeFormat('en-US-u-hc-h23-ca-gregory', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  })
  return (timeMs) => {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(timeMs)) parts[type] = Number(value)
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts
    return Date.UTC(year, month - 1, day, hour, minute, second)
  }
}
