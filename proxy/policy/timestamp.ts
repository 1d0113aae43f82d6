// Owns `timestamp` in CEL: a moment out of RFC 3339, or out of the seconds since the epoch. The library's own takes whatever
// JavaScript reads as a date, and of a text without an offset makes a time of the zone that the process runs in.
import type { CallNode, OwnCall } from './own-calls.ts'

const typeName = 'google.protobuf.Timestamp'
/** The years 1 to 9999, in milliseconds. */
const firstMs = -62_135_596_800_000
const lastMs = 253_402_300_799_999
const dateTime = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/

export function timestamp(call: CallNode): OwnCall {
  const given = call.op === 'call' ? (call.args[1][0] ?? call) : call
  return {
    async: false,
    typeCheck(checker, _macro, scope) {
      const type = checker.check(given, scope)
      if (type.kind !== 'dyn' && type.name !== 'string' && type.name !== 'int')
        throw checker.createError('no_matching_overload', `this must be a string or an int, not ${type.name}`, given)
      return checker.getType(typeName)
    },
    evaluate(evaluator, _macro, scope) {
      const ms = momentOf(evaluator.run(given, scope))
      if (ms !== undefined && ms >= firstMs && ms <= lastMs) return new Date(ms)
      throw evaluator.createError('invalid_timestamp', 'this is no time', call)
    },
  }
}

function momentOf(value: unknown): number | undefined {
  if (typeof value === 'bigint') return Number(value) * 1000
  if (typeof value !== 'string' || !dateTime.test(value)) return undefined
  const ms = Date.parse(value)
  // A day that its month does not have would be one of the next month.
  const isDay = new Date(`${value.slice(0, 10)}T00:00:00Z`).getUTCDate() === Number(value.slice(8, 10))
  return isDay ? ms : undefined
}
