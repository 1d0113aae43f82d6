// Owns US Social Security numbers: the ranges that are never issued, and the forms that need a word beside them.
import { alphanumerics, holds, isDigit } from '../characters.ts'
import type { Detector } from '../detector.ts'
import type { Probe } from '../probe.ts'

const group = 'pii'
const entity = 'us-ssn'
const context = /(?:\bssns?\b|social[\s_-]{0,2}security|\bss[\s_]?(?:#|no\b|number))/i
const contextLength = 48

export const usSsn: Detector = {
  entity,
  group,
  digits: 'number',
  find(probe, start) {
    const number = readNumber(probe, start)
    if (number === undefined || !isIssued(number.digits)) return
    if (number.separator !== 45 && !context.test(probe.text.slice(Math.max(0, start - contextLength), start))) return
    probe.accept(usSsn, start, number.end, number.separator === 45)
  },
}

/** 3-2-4 digits with the same dash, space or dot between, or nine together (separator -1). */
function readNumber(probe: Probe, start: number): { digits: string; end: number; separator: number } | undefined {
  const digits = [start, start + 1, start + 2]
  if (!digits.every((i) => isDigit(probe.code(i)))) return undefined
  const next = probe.code(start + 3)
  const isBare = isDigit(next)
  const separator = isBare ? -1 : next
  if (!isBare && separator !== 45 && separator !== 32 && separator !== 46) return undefined
  const second = isBare ? start + 3 : start + 4
  const third = isBare ? second + 2 : second + 3
  if (!isDigit(probe.code(second)) || !isDigit(probe.code(second + 1))) return undefined
  if (!isBare && probe.code(second + 2) !== separator) return undefined
  const end = third + 4
  for (let i = third; i < end; i++) if (!isDigit(probe.code(i))) return undefined
  if (continues(probe, end)) return undefined
  return {
    digits: `${probe.text.slice(start, start + 3)}${probe.text.slice(second, second + 2)}${probe.text.slice(third, end)}`,
    end,
    separator,
  }
}

function continues(probe: Probe, end: number): boolean {
  const next = probe.code(end)
  if (holds(alphanumerics, next) || next === 95) return true
  return (next === 45 || next === 46) && isDigit(probe.code(end + 1))
}

/** Areas 000, 666 and 900–999, group 00 and serial 0000 are never issued (SSA, "SSN randomization"). */
function isIssued(digits: string): boolean {
  const area = digits.slice(0, 3)
  if (area === '000' || area === '666' || area >= '900') return false
  return digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000'
}
