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

/** Each by itself: where clocks are set, the beginning of the next is not a step away. */
function boundsOf(unit: CalendarUnit, local: LocalTime, timeMs: number): Bounds {
  const [start, end] = periodOf(unit, local, timeMs)
  return [periodOf(unit, local, start - 1)[0], start, end, periodOf(unit, local, end)[1]]
}

function periodOf(unit: CalendarUnit, local: LocalTime, timeMs: number): readonly [startMs: number, endMs: number] {
  const here = new Date(local(timeMs))
  const start = toTime(local, startOf(unit, here, 0))
  const end = toTime(local, startOf(unit, here, 1))
  // Where clocks are set back an hour, minutes of it come twice, and the second time is later than their period.
  if (timeMs >= start && timeMs < end) return [start, end]
  const fixed = { minute: 60_000, hour: 3_600_000, day: 86_400_000, month: 31 * 86_400_000 }[unit]
  const begin = Math.floor(timeMs / fixed) * fixed
  return [begin, begin + fixed]
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
