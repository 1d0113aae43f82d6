// Owns the parts of a time in CEL: the hour, the day of the week and so on in a zone, and the day of the year. The library's
// own read a zone's wall clock as one of the zone that the process runs in: an hour is missing where that one leaps, and
// all summer the day of the year is the one before.
import { ParseError, type ASTNode } from '@marcbachmann/cel-js'
import { zoneClock, type ZoneClock } from '../lib/zone-clock.ts'
import type { Checker, Scope } from './macro.ts'
import type { CallNode, OwnCall, OwnCalls } from './own-calls.ts'

/** A part of a time whose clock in UTC is the wall clock that is meant. */
type Part = (wall: Date) => number

const dayMs = 86_400_000

const dayOfYear: Part = (wall) => {
  const first = new Date(wall)
  first.setUTCMonth(0, 1)
  return Math.round((wall.getTime() - first.getTime()) / dayMs)
}

/** Months and days count from 0, but for getDate: as in the CEL specification. */
const parts = {
  getFullYear: (wall) => wall.getUTCFullYear(),
  getMonth: (wall) => wall.getUTCMonth(),
  getDate: (wall) => wall.getUTCDate(),
  getDayOfMonth: (wall) => wall.getUTCDate() - 1,
  getDayOfWeek: (wall) => wall.getUTCDay(),
  getDayOfYear: dayOfYear,
  getHours: (wall) => wall.getUTCHours(),
  getMinutes: (wall) => wall.getUTCMinutes(),
  getSeconds: (wall) => wall.getUTCSeconds(),
  getMilliseconds: (wall) => wall.getUTCMilliseconds(),
} satisfies Record<string, Part>

export const timeParts: OwnCalls = new Map([
  ['.getDayOfYear/0', (call: CallNode) => timePart(call, dayOfYear)],
  ...Object.entries<Part>(parts).map(
    ([name, part]) => [`.${name}/1`, (call: CallNode) => timePart(call, part)] as const,
  ),
])

function timePart(call: CallNode, part: Part): OwnCall {
  const [, receiver, [zone]] = call.op === 'rcall' ? call.args : [undefined, call, []]
  const written = zone?.op === 'value' && typeof zone.args === 'string' ? writtenClock(zone.args, zone) : undefined
  return {
    async: false,
    typeCheck(checker, _macro, scope) {
      mustBe('google.protobuf.Timestamp', 'a time', receiver, checker, scope)
      if (zone !== undefined) mustBe('string', 'the name of a time zone', zone, checker, scope)
      return checker.getType('int')
    },
    evaluate(evaluator, _macro, scope) {
      const time = evaluator.run(receiver, scope)
      if (!(time instanceof Date)) throw evaluator.createError('not_a_time', 'this is no time', receiver)
      if (zone === undefined) return BigInt(part(time))
      const clock = written ?? clockOf(evaluator.run(zone, scope))
      if (clock === undefined) throw evaluator.createError('unknown_time_zone', 'there is no such time zone', zone)
      return BigInt(part(new Date(clock(time.getTime()))))
    },
  }
}

function mustBe(name: string, what: string, node: ASTNode, checker: Checker, scope: Scope): void {
  const type = checker.check(node, scope)
  if (type.kind !== 'dyn' && type.name !== name)
    throw checker.createError('no_matching_overload', `this must be ${what}, not ${type.name}`, node)
}

function writtenClock(zone: string, node: ASTNode): ZoneClock {
  const clock = zoneClock(zone)
  if (clock !== undefined) return clock
  const message = `there is no time zone "${zone}"; use an IANA name, for example Europe/Berlin`
  throw new ParseError({ code: 'unknown_time_zone', message, node })
}

function clockOf(zone: unknown): ZoneClock | undefined {
  return typeof zone === 'string' ? zoneClock(zone) : undefined
}
