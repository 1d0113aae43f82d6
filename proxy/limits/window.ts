// Owns over which time a limit counts: the four kinds of windows, and how operators write them. It does not count.
import { parseRate, ratePattern } from '../lib/units.ts'
import { openCalendar, type Calendar, type CalendarUnit } from './calendar.ts'

/** `100/month`, beside every other rate. */
export const limitRatePattern = `${ratePattern.slice(0, -'(s|m|h|d)$'.length)}(s|m|h|d|month)$`

/**
 * - `first`: as long as it is, from the first request of a key on
 * - `calendar`: a minute, an hour, a day or a month of the calendar
 * - `sliding`: at no time is more used within this length; counted in slices, so a little less
 * - `bucket`: holds the quota and empties evenly, so that only so much can come at once
 */
export type Window =
  | { readonly kind: 'first'; readonly lengthMs: number }
  | { readonly kind: 'calendar'; readonly lengthMs: number; readonly calendar: Calendar }
  | { readonly kind: 'sliding'; readonly lengthMs: number; readonly sliceMs: number }
  | { readonly kind: 'bucket'; readonly lengthMs: number; readonly perMs: number }

export const windowNames = ['first', 'sliding', 'calendar'] as const
export type WindowName = (typeof windowNames)[number]

/** A window is covered by these many whole slices and the one that is under way. */
export const slices = 12

export type WindowOptions = { readonly window?: WindowName; readonly zone: string; readonly burst?: number }

/** `quota` is in what the limit counts. An error is a sentence for operators. */
export function windowOf(
  rate: string,
  { window, zone, burst }: WindowOptions,
): { readonly quota: number; readonly window: Window } | { readonly error: string; readonly hint: string } {
  const ofMonth = /^([^/]*)\/month$/.exec(rate)
  const parsed = parseRate(ofMonth === null ? rate : `${ofMonth[1]}/31d`)
  if (parsed === undefined)
    return { error: `"${rate}" is not a rate`, hint: 'write e.g. 600/m, 20/10s, 50/d or 1000/month' }
  const { amount, windowMs: lengthMs } = parsed
  const unit = ofMonth === null ? unitOf(rate) : 'month'
  if (burst !== undefined) {
    if (window !== undefined || unit === 'month')
      return { error: 'a burst is counted with neither a window nor months', hint: 'leave one of the two out' }
    return { quota: burst, window: { kind: 'bucket', lengthMs: (burst / amount) * lengthMs, perMs: amount / lengthMs } }
  }
  const kind = window ?? (unit === 'day' || unit === 'month' ? 'calendar' : 'first')
  if (kind !== 'calendar') {
    if (unit === 'month') return { error: 'a month is counted by the calendar', hint: 'write 31d for that many days' }
    return kind === 'first'
      ? { quota: amount, window: { kind, lengthMs } }
      : { quota: amount, window: { kind, lengthMs, sliceMs: Math.ceil(lengthMs / slices) } }
  }
  if (unit === undefined)
    return { error: `the calendar knows no window as in "${rate}"`, hint: 'one of 1m, 1h, 1d, month' }
  return { quota: amount, window: { kind, lengthMs, calendar: openCalendar(unit, zone) } }
}

/** Undefined: several of a unit, or seconds. */
function unitOf(rate: string): CalendarUnit | undefined {
  const [, unit] = /\/1?([mhd])$/.exec(rate) ?? []
  return unit === 'm' ? 'minute' : unit === 'h' ? 'hour' : unit === 'd' ? 'day' : undefined
}

/** The same for every process, so that counts of the same window go on after a reload. */
export function windowName(window: Window): string {
  switch (window.kind) {
    case 'first':
      return `${window.lengthMs}`
    case 'calendar':
      return `${window.calendar.unit}@${window.calendar.zone}`
    case 'sliding':
      return `~${window.lengthMs}`
    default:
      return `b${window.perMs}`
  }
}
