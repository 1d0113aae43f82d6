// Owns telephone numbers that stand side by side: where one of them ends, though the signs before the next are such as
// stand within numbers, too. It does not know what makes a number a telephone's.
import { characterClass, isDigit } from '../characters.ts'
import { isSeparator } from '../number-run.ts'
import type { Probe } from '../probe.ts'

/** Fewer digits are a telephone number only where a word says nothing else. */
export const plainDigitsMin = 7
export const nationalDigitsMax = 12
const signsMax = 3
const digit = characterClass('0-9')
/** Within a number no space stands on both sides of a dash, and a slash only behind the area. */
const between = /\/| [-\u2013] /

/** `07700 900123 / 07700 900456`, `601 234 567 602 345 678`; -1 where no second number is seen. `start`: of the digits. */
export function endOfFirst(probe: Probe, start: number): number {
  const initial = probe.code(start)
  const firstEnd = probe.runEnd(start, digit, nationalDigitsMax + 1)
  let digits = 0
  for (let index = start; ;) {
    const end = index === start ? firstEnd : probe.runEnd(index, digit, nationalDigitsMax + 1)
    digits += end - index
    if (digits > nationalDigitsMax) return -1
    const next = afterSigns(probe, end)
    if (next === -1) return -1
    if (digits >= plainDigitsMin) {
      if (between.test(probe.text.slice(end, next))) return end
      // It begins as the first one does, with more than a digit that others begin with as well.
      if (firstEnd > start + 1 && probe.code(next) === initial && isGroup(probe, next, firstEnd - start)) return end
    }
    index = next
  }
}

/** Where the next digits begin; -1 where there are none. */
function afterSigns(probe: Probe, from: number): number {
  let index = from
  while (index < from + signsMax && isSeparator(probe.code(index))) index++
  return index > from && isDigit(probe.code(index)) ? index : -1
}

function isGroup(probe: Probe, start: number, length: number): boolean {
  return probe.runEnd(start, digit, length + 1) === start + length
}
