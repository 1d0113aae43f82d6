// Owns the first reading of a number as it is written: groups of digits with separators between. Detectors of numbers
// share it, so that digit-dense text is read once.
import { isDigit } from './characters.ts'
import type { Probe } from './probe.ts'

/** More digits than any number that is looked for: E.164 with `00` before it has 17, cards 19, a Polish account 26. */
const digitsMax = 27
export const groupsMax = 14
const separatorLengthMax = 3

/** Reused for every number: valid until the next is read. */
export class NumberRun {
  start = 0
  /** The end of the first group. */
  end = 0
  groups = 0
  /** Digits in all groups. */
  digits = 0
  /** By group. */
  readonly starts = new Int32Array(groupsMax)
  readonly ends = new Int32Array(groupsMax)

  read(probe: Probe, start: number): void {
    this.start = start
    this.groups = 0
    this.digits = 0
    let index = start
    while (this.groups < groupsMax) {
      const from = index
      const limit = from + digitsMax - this.digits
      while (index < limit && isDigit(probe.code(index))) index++
      this.starts[this.groups] = from
      this.ends[this.groups] = index
      this.groups++
      this.digits += index - from
      if (this.digits >= digitsMax) break
      const next = separatorEnd(probe, index)
      if (next === index || !isDigit(probe.code(next))) break
      index = next
    }
    this.end = this.ends[0] as number
  }

  lengthOf(group: number): number {
    return (this.ends[group] as number) - (this.starts[group] as number)
  }

  /** The one unit between a group and the next; -1 when there are more, or no next group. */
  separatorAfter(probe: Probe, group: number): number {
    if (group + 1 >= this.groups) return -1
    const end = this.ends[group] as number
    return this.starts[group + 1] === end + 1 ? probe.text.charCodeAt(end) : -1
  }
}

function separatorEnd(probe: Probe, from: number): number {
  let index = from
  while (index < from + separatorLengthMax && isSeparator(probe.code(index))) index++
  return index
}

/** Space, no-break space, dash, dot, slash, parentheses, non-breaking hyphen, en dash. */
function isSeparator(code: number): boolean {
  if (code === 32 || (code >= 45 && code <= 47) || code === 40 || code === 41) return true
  return code === 0xa0 || code === 0x2011 || code === 0x2013
}
