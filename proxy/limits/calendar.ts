// Owns where minutes, hours, days and months begin in a time zone. It does not know what time it is.

import { zoneClock, type ZoneClock } from '../lib/zone-clock.ts'

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

/** Throws where there is no such zone. */
export function openCalendar(unit: CalendarUnit, zone: string): Calendar {
  const local = zoneClock(zone)
  if (local === undefined) throw new RangeError(`There is no time zone "${zone}".`)
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

/** Each by itself: where clocks are set, the beginning of the next is not a step away. */
function boundsOf(unit: CalendarUnit, local: ZoneClock, timeMs: number): Bounds {
  const [start, end] = periodOf(unit, local, timeMs)
  return [periodOf(unit, local, start - 1)[0], start, end, periodOf(unit, local, end)[1]]
}

function periodOf(unit: CalendarUnit, local: ZoneClock, timeMs: number): readonly [startMs: number, endMs: number] {
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
function toTime(local: ZoneClock, wallMs: number): number {
  const guess = wallMs - (local(wallMs) - wallMs)
  return guess + (wallMs - local(guess))
}
