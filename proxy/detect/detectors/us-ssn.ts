// Owns US Social Security numbers: the ranges that are never issued, and the forms that need a word beside them.
import { isInIdentifier } from '../boundary.ts'
import { alphanumerics, holds, isDigit } from '../characters.ts'
import type { Detector } from '../detector.ts'
import { contextWords } from '../context-words.ts'
import type { NumberRun } from '../number-run.ts'
import type { Probe } from '../probe.ts'
import { contextPattern } from '../word-places.ts'
import { hasPhoneWordBefore, phoneWords } from './phone-words.ts'

const group = 'pii'
const entity = 'us-ssn'
const context = contextPattern(
  'ssns?\\b|ss ?#|ss no\\b|ss numbers?\\b|social[\\s_-]{0,2}(?:security|(?:is|no|number|#))',
)
const words = contextWords('ssn|social|ss#|ss #|ss n|ss_n|ss-n')
const contextLength = 48
const dash = 45
const space = 32
const plus = 43

export const usSsn: Detector = {
  entity,
  group,
  country: 'us',
  digits: 'number',
  firstLengths: [3, 9],
  contexts: [phoneWords, words],
  find(probe, start) {
    const { number } = probe
    const separator = number.separatorAfter(probe, 0)
    const isBare = number.lengthOf(0) === 9
    if (!isBare && !isDelimited(number, probe, separator)) return
    if (probe.before(start) === plus) return
    const end = number.endOf(isBare ? 0 : 2)
    if (continues(probe, end) || !isIssued(probe.text.slice(start, end).replaceAll(/\D/g, ''))) return
    const needsContext = isBare || (separator !== dash && isDoubtful(number, probe, start))
    if (needsContext && !isAfterWord(probe, start)) return
    probe.accept(usSsn, start, end, separator === dash)
  },
}

function isAfterWord(probe: Probe, start: number): boolean {
  if (!probe.hasHeard(words, start, contextLength)) return false
  return context.test(probe.text.slice(Math.max(0, start - contextLength), start))
}

/** 3-2-4 digits with the same dash, space or dot between. */
function isDelimited(number: NumberRun, probe: Probe, separator: number): boolean {
  if (number.groups < 3 || number.lengthOf(0) !== 3 || number.lengthOf(1) !== 2 || number.lengthOf(2) !== 4)
    return false
  if (separator !== dash && separator !== space && separator !== 46) return false
  return number.separatorAfter(probe, 1) === separator
}

/** With spaces or dots between it may be anything there. */
function isDoubtful(number: NumberRun, probe: Probe, start: number): boolean {
  return isAmongNumbers(number, probe, start) || isInIdentifier(probe, start) || hasPhoneWordBefore(probe, start)
}

/** Digits stand before or after with a space between: a row of a table. */
function isAmongNumbers(number: NumberRun, probe: Probe, start: number): boolean {
  return number.groups > 3 || (probe.before(start) === space && isDigit(probe.before(start - 1)))
}

function continues(probe: Probe, end: number): boolean {
  const next = probe.code(end)
  if (holds(alphanumerics, next)) return true
  return (next === dash || next === 46) && isDigit(probe.code(end + 1))
}

/** Areas 000, 666 and 900–999, group 00 and serial 0000 are never issued (SSA, "SSN randomization"). */
function isIssued(digits: string): boolean {
  const area = digits.slice(0, 3)
  if (area === '000' || area === '666' || area >= '900') return false
  return digits.slice(3, 5) !== '00' && digits.slice(5) !== '0000'
}
