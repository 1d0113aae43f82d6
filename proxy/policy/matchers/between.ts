// Owns the condition `between`: the time of day, on the wall clock of a time zone.
import { zoneClock } from '../../lib/zone-clock.ts'
import { actionTypes } from '../actions.ts'
import type { Matcher } from '../matcher.ts'
import { days, type Window } from '../options.ts'

export const between: Matcher<'between'> = {
  key: 'between',
  actions: actionTypes,
  compile(window, context) {
    const from = minutesOf(window.from)
    const to = minutesOf(window.to)
    if (from === to)
      context.report([], 'the window is empty: `from` and `to` are the same', {
        hint: 'for the whole day write 00:00 to 24:00',
      })
    const clock = wallClock(window.tz ?? 'UTC')
    if (clock === undefined)
      context.report(['tz'], `there is no time zone "${window.tz}"`, {
        hint: 'use an IANA name, for example Europe/Berlin',
      })
    const wanted = new Set(window.days ?? days)
    return {
      reads: ['time'],
      test(facts) {
        const now = clock?.(facts.query.timeMs)
        return now === undefined ? facts.unknown('the time is unknown') : isWithin(now, from, to, wanted)
      },
      describe: (facts) =>
        `time ${timeText(facts.query.timeMs)} against ${window.from} to ${window.to} ${window.tz ?? 'UTC'}${daysText(window)}`,
    }
  },
}

type WallTime = { readonly minute: number; readonly day: number }

function isWithin({ minute, day }: WallTime, from: number, to: number, wanted: ReadonlySet<string>): boolean {
  const today = days[day]
  const yesterday = days[(day + 6) % 7]
  if (today === undefined || yesterday === undefined) return false
  if (from < to) return minute >= from && minute < to && wanted.has(today)
  // Past midnight the window still belongs to the day on which it began.
  return (minute >= from && wanted.has(today)) || (minute < to && wanted.has(yesterday))
}

/** Zone arithmetic is slow, so the answer is kept for the minute it holds (no zone changes within a minute). */
function wallClock(tz: string): ((timeMs: number) => WallTime | undefined) | undefined {
  const clock = zoneClock(tz)
  if (clock === undefined) return undefined
  let keptMinute = Number.NaN
  let kept: WallTime | undefined
  return (timeMs) => {
    const minute = Math.floor(timeMs / 60_000)
    if (minute === keptMinute) return kept
    if (!Number.isFinite(minute) || Math.abs(timeMs) > 8.64e15) return undefined
    const wall = new Date(clock(timeMs))
    // Days count from Monday here.
    kept = { minute: wall.getUTCHours() * 60 + wall.getUTCMinutes(), day: (wall.getUTCDay() + 6) % 7 }
    keptMinute = minute
    return kept
  }
}

function minutesOf(text: string): number {
  return Number(text.slice(0, 2)) * 60 + Number(text.slice(3))
}

function timeText(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : 'unknown'
}

function daysText(window: Window): string {
  return window.days === undefined ? '' : ` on ${window.days.join(', ')}`
}
